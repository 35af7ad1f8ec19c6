#include <plankurier/files.hpp>
#include <plankurier/layout.hpp>
#include <plankurier/source.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include <algorithm>
#include <atomic>

namespace plankurier {

namespace {

struct OpenFile {
    int fd{-1};
    std::uint64_t starts_at{};                  ///< offset in the body
    mutable std::atomic<std::int64_t> mtime_ns; ///< with which the sample was right; lanes set it

    explicit OpenFile(int descriptor, std::uint64_t start)
        : fd(descriptor), starts_at(start), mtime_ns(0) {}
    OpenFile(OpenFile&& other) noexcept
        : fd(std::exchange(other.fd, -1)), starts_at(other.starts_at),
          mtime_ns(other.mtime_ns.load()) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    OpenFile& operator=(OpenFile&&) = delete;
    ~OpenFile() {
        if (fd >= 0) ::close(fd);
    }
};

Result<void> read_fully(int fd, std::span<std::byte> out, std::uint64_t offset) {
    while (!out.empty()) {
        const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return tl::unexpected(file_error(errno));
        if (got == 0) return fail(Errc::file_changed, "shorter than before");
        out = out.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return {};
}

/// A file is read whole up to this size, else at 16 places that make up as much.
constexpr std::uint64_t sample_bytes = 256u << 10;
constexpr std::uint64_t sample_places = 16;

Result<std::array<std::byte, 32>> sample_of(int fd, std::uint64_t size_bytes) {
    Bytes all(static_cast<std::size_t>(std::min(size_bytes, sample_bytes)));
    if (size_bytes <= sample_bytes) {
        if (auto got = read_fully(fd, all, 0); !got) return tl::unexpected(got.error());
        return sha256(all);
    }
    constexpr std::uint64_t place_bytes = sample_bytes / sample_places;
    const std::uint64_t last = size_bytes - place_bytes;
    for (std::uint64_t place = 0; place < sample_places; ++place) {
        // The product of two such numbers has room: a body has less than 2^53 bytes.
        const auto at = last * place / (sample_places - 1);
        auto got = read_fully(fd, std::span{all}.subspan(place * place_bytes, place_bytes), at);
        if (!got) return tl::unexpected(got.error());
    }
    return sha256(all);
}

std::int64_t mtime_of(const struct stat& info) noexcept {
    return info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
}

Result<FileIdentity> identity_of(int fd, std::filesystem::path path) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return tl::unexpected(file_error(errno));
    if (!S_ISREG(info.st_mode)) return fail(Errc::file_unreadable, "not a regular file");
    FileIdentity identity;
    identity.path = std::move(path);
    identity.size_bytes = static_cast<std::uint64_t>(info.st_size);
    identity.mtime_ns = mtime_of(info);
    if (identity.size_bytes > body_bytes_max) return fail(Errc::too_large, "content");
    const auto sample = sample_of(fd, identity.size_bytes);
    if (!sample) return tl::unexpected(sample.error());
    identity.sample = *sample;
    return identity;
}

} // namespace

struct BodySource::State {
    std::vector<FileIdentity> identities;
    std::vector<OpenFile> files;
    std::uint64_t content_bytes{};
    std::atomic<std::ptrdiff_t> failed{-1}; ///< lanes set it, and the next
    mutable std::atomic<std::uint64_t> touches{0};

    void fail_at(std::size_t index) noexcept {
        std::ptrdiff_t none = -1;
        failed.compare_exchange_strong(none, static_cast<std::ptrdiff_t>(index));
    }
    /// Part of one file, which must be as it was when it was opened.
    [[nodiscard]] Result<void> read(std::size_t index, std::span<std::byte> out,
                                    std::uint64_t within) const {
        const FileIdentity& expected = identities[index];
        const OpenFile& file = files[index];
        if (auto got = read_fully(file.fd, out, within); !got) return got;
        struct stat info {};
        if (::fstat(file.fd, &info) != 0) return tl::unexpected(file_error(errno));
        if (static_cast<std::uint64_t>(info.st_size) != expected.size_bytes) {
            return fail(Errc::file_changed, "size");
        }
        const std::int64_t mtime_ns = mtime_of(info);
        if (mtime_ns == file.mtime_ns) return {};
        // A file is its content: a program may have set its time, or written the same again.
        const auto sample = sample_of(file.fd, expected.size_bytes);
        if (!sample) return tl::unexpected(sample.error());
        if (*sample != expected.sample) return fail(Errc::file_changed, "sample");
        ++touches;
        file.mtime_ns = mtime_ns;
        return {};
    }
};

BodySource::BodySource(std::unique_ptr<State> state) : state_(std::move(state)) {}
BodySource::~BodySource() = default;
BodySource::BodySource(BodySource&&) noexcept = default;
BodySource& BodySource::operator=(BodySource&&) noexcept = default;

Result<BodySource> BodySource::open(std::vector<std::filesystem::path> files, std::size_t* failed) {
    auto state = std::make_unique<State>();
    for (std::size_t index = 0; index < files.size(); ++index) {
        if (failed != nullptr) *failed = index;
        // O_NONBLOCK: opening a FIFO must not hang; it is refused as no regular file just after.
        const int fd = ::open(files[index].c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) return tl::unexpected(file_error(errno));
        state->files.emplace_back(fd, state->content_bytes);
        auto identity = identity_of(fd, std::filesystem::absolute(files[index]));
        if (!identity) return tl::unexpected(identity.error());
        if (identity->size_bytes > body_bytes_max - state->content_bytes) {
            return fail(Errc::too_large, "content");
        }
        state->files.back().mtime_ns = identity->mtime_ns;
        state->content_bytes += identity->size_bytes;
        state->identities.push_back(std::move(*identity));
        ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return BodySource{std::move(state)};
}

const std::vector<FileIdentity>& BodySource::files() const noexcept { return state_->identities; }
std::uint64_t BodySource::content_bytes() const noexcept { return state_->content_bytes; }

Result<void> BodySource::read(std::uint64_t offset, std::span<std::byte> out) const {
    const State& state = *state_;
    // The last file that starts at or before the offset; empty files in between are stepped over.
    const auto after = std::ranges::upper_bound(state.files, offset, {}, &OpenFile::starts_at);
    auto index = static_cast<std::size_t>(after - state.files.begin());
    if (index > 0) --index;
    while (!out.empty() && offset < state.content_bytes) {
        const std::uint64_t size = state.identities[index].size_bytes;
        const std::uint64_t within = offset - state.files[index].starts_at;
        if (within >= size) {
            ++index;
            continue;
        }
        const auto now =
            static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - within));
        if (auto got = state.read(index, out.first(now), within); !got) {
            state_->fail_at(index);
            return got;
        }
        out = out.subspan(now);
        offset += now;
    }
    std::ranges::fill(out, std::byte{0});
    return {};
}

std::uint64_t BodySource::touches() const noexcept { return state_->touches; }

Result<Likeness> BodySource::compare(const std::vector<FileIdentity>& expected) const {
    const auto& now = state_->identities;
    if (now.size() != expected.size()) return fail(Errc::file_changed, "number of files");
    auto likeness = Likeness::same;
    for (std::size_t index = 0; index < now.size(); ++index) {
        if (now[index].size_bytes != expected[index].size_bytes ||
            now[index].sample != expected[index].sample) {
            state_->fail_at(index);
            return fail(Errc::file_changed, "since the start");
        }
        if (now[index].mtime_ns != expected[index].mtime_ns) likeness = Likeness::touched;
    }
    return likeness;
}

void BodySource::blame(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    const State& state = *state_;
    std::optional<std::size_t> latest;
    for (std::size_t index = 0; index < state.files.size(); ++index) {
        const std::uint64_t begin = state.files[index].starts_at;
        const FileIdentity& file = state.identities[index];
        if (file.size_bytes == 0 || begin + file.size_bytes <= offset || begin >= offset + bytes)
            continue;
        if (!latest || file.mtime_ns > state.identities[*latest].mtime_ns) latest = index;
    }
    if (latest) state_->fail_at(*latest);
}

std::optional<std::size_t> BodySource::failed_file() const noexcept {
    const auto failed = state_->failed.load();
    if (failed < 0) return std::nullopt;
    return static_cast<std::size_t>(failed);
}

} // namespace plankurier
