#include <plankurier/swarm.hpp>

#include <unistd.h>
#include <cerrno>

#include <mutex>

namespace plankurier {

namespace {

Error error_from(int number) {
    return Error{number == ENOSPC || number == EDQUOT ? Errc::no_space : Errc::file_unreadable,
                 "volume file"};
}

class StoredBacking final : public VolumeBacking {
public:
    explicit StoredBacking(int fd) : fd_(fd) {}
    ~StoredBacking() override { ::close(fd_); }
    StoredBacking(const StoredBacking&) = delete;
    StoredBacking& operator=(const StoredBacking&) = delete;

    Result<void> read(std::uint64_t offset, std::span<std::byte> out) override {
        while (!out.empty()) {
            const ssize_t done = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
            if (done < 0 && errno == EINTR) continue;
            if (done <= 0) return fail(Errc::file_unreadable, "volume file");
            offset += static_cast<std::uint64_t>(done);
            out = out.subspan(static_cast<std::size_t>(done));
        }
        return {};
    }
    Result<void> write(std::uint64_t offset, std::span<std::byte> segment) override {
        while (!segment.empty()) {
            const ssize_t done =
                ::pwrite(fd_, segment.data(), segment.size(), static_cast<off_t>(offset));
            if (done < 0 && errno == EINTR) continue;
            if (done <= 0) return tl::unexpected(error_from(done == 0 ? ENOSPC : errno));
            offset += static_cast<std::uint64_t>(done);
            segment = segment.subspan(static_cast<std::size_t>(done));
        }
        return {};
    }

private:
    int fd_;
};

/// Sealers and openers serve one thread at a time, and there are as many as threads at work. Each
/// comes with room for the plaintext of one segment.
template <typename Cipher>
class Tools {
public:
    struct Tool {
        Cipher cipher;
        Bytes plain = Bytes(segment_plain_bytes);
        explicit Tool(Cipher made) : cipher(std::move(made)) {}
        ~Tool() { wipe(plain); }
        Tool(const Tool&) = delete;
        Tool& operator=(const Tool&) = delete;
    };
    Tools(const TransferKey& key, const TransferId& transfer, const FloeHeader& header,
          std::uint64_t segments)
        : key_(key.clone()), transfer_(transfer), header_(header), segments_(segments) {}

    /// Calls `work` with a tool that nobody else uses meanwhile.
    template <typename Work>
    Result<void> with(Work work) {
        std::unique_ptr<Tool> tool = take();
        if (!tool) {
            tool = std::make_unique<Tool>(Cipher{key_, transfer_, header_, segments_});
        }
        Result<void> done = work(*tool);
        const std::scoped_lock lock{mutex_};
        idle_.push_back(std::move(tool));
        return done;
    }

private:
    std::unique_ptr<Tool> take() {
        const std::scoped_lock lock{mutex_};
        if (idle_.empty()) return nullptr;
        std::unique_ptr<Tool> tool = std::move(idle_.back());
        idle_.pop_back();
        return tool;
    }

    TransferKey key_;
    TransferId transfer_;
    FloeHeader header_;
    std::uint64_t segments_;
    std::mutex mutex_; ///< guards idle_
    std::vector<std::unique_ptr<Tool>> idle_;
};

std::uint64_t first_segment(const BodyLayout& layout, std::uint32_t volume) {
    return std::uint64_t{volume} * volume_pieces_max * layout.segments_per_piece();
}

class OpenedBacking final : public VolumeBacking {
public:
    OpenedBacking(const TransferKey& key, const TransferId& transfer, const FloeHeader& header,
                  const BodyLayout& layout, std::uint32_t volume, PlainSink sink)
        : tools_(key, transfer, header, layout.segments()), first_(first_segment(layout, volume)),
          sink_(std::move(sink)) {}

    [[nodiscard]] bool serves() const noexcept override { return false; }
    Result<void> read(std::uint64_t, std::span<std::byte>) override {
        return fail(Errc::file_unreadable, "an opened volume cannot be read");
    }
    Result<void> write(std::uint64_t offset, std::span<std::byte> segment) override {
        const std::uint64_t index = first_ + offset / segment_bytes;
        return tools_.with([&](auto& tool) -> Result<void> {
            auto opened = tool.cipher.open(index, segment, tool.plain);
            if (!opened) return opened;
            return sink_(index * segment_plain_bytes, tool.plain);
        });
    }

private:
    Tools<SegmentOpener> tools_;
    std::uint64_t first_;
    PlainSink sink_;
};

class SealedBacking final : public VolumeBacking {
public:
    SealedBacking(const TransferKey& key, const TransferId& transfer, const FloeHeader& header,
                  const BodyLayout& layout, std::uint32_t volume, const BodySource& source)
        : tools_(key, transfer, header, layout.segments()), first_(first_segment(layout, volume)),
          source_(source) {}

    Result<void> read(std::uint64_t offset, std::span<std::byte> out) override {
        return tools_.with([&](auto& tool) -> Result<void> {
            for (; !out.empty(); out = out.subspan(segment_bytes), offset += segment_bytes) {
                const std::uint64_t index = first_ + offset / segment_bytes;
                auto read = source_.read(index * segment_plain_bytes, tool.plain);
                if (!read) return read;
                tool.cipher.seal(index, tool.plain, out.first(segment_bytes));
            }
            return {};
        });
    }
    Result<void> write(std::uint64_t, std::span<std::byte>) override {
        return fail(Errc::file_unreadable, "a sealed volume cannot be written");
    }

private:
    Tools<SegmentSealer> tools_;
    std::uint64_t first_;
    const BodySource& source_;
};

} // namespace

std::shared_ptr<VolumeBacking> stored_backing(int fd) {
    return std::make_shared<StoredBacking>(fd);
}

std::shared_ptr<VolumeBacking> opened_backing(const TransferKey& key, const TransferId& transfer,
                                              const FloeHeader& header, const BodyLayout& layout,
                                              std::uint32_t volume, PlainSink sink) {
    return std::make_shared<OpenedBacking>(key, transfer, header, layout, volume, std::move(sink));
}

std::shared_ptr<VolumeBacking> sealed_backing(const TransferKey& key, const TransferId& transfer,
                                              const FloeHeader& header, const BodyLayout& layout,
                                              std::uint32_t volume, const BodySource& source) {
    return std::make_shared<SealedBacking>(key, transfer, header, layout, volume, source);
}

} // namespace plankurier
