#include <clients/cli/download.hpp>

#include <plankurier/fault.hpp>

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <thread>

namespace plankurier::cli {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {
constexpr std::uint64_t sync_bytes = 64u << 20;
constexpr std::chrono::seconds sync_time{2};
} // namespace

/// Collects the bytes of one piece into segments, opens them and writes the plaintext.
class PieceSink {
public:
    PieceSink(const DownloadJob& job)
        : job_(job), opener_(job.key, job.transfer, job.header, job.layout.segments()),
          sealed_(segment_bytes), plain_(segment_plain_bytes) {}

    void start(std::uint64_t piece) {
        segment_ = piece * job_.layout.segments_per_piece();
        end_ = segment_ + job_.layout.segments_per_piece();
        filled_ = 0;
        hasher_ = PieceHasher{};
        error_.reset();
    }

    bool take(ByteView bytes) {
        while (!bytes.empty()) {
            if (segment_ == end_) return refuse({Errc::tampered, "piece too long"});
            if (filled_ == 0 && bytes.size() >= segment_bytes) {
                if (!open(bytes.first(segment_bytes))) return false;
                bytes = bytes.subspan(segment_bytes);
                continue;
            }
            const auto part = std::min<std::size_t>(bytes.size(), segment_bytes - filled_);
            std::copy_n(bytes.begin(), part,
                        sealed_.begin() + static_cast<std::ptrdiff_t>(filled_));
            filled_ += part;
            bytes = bytes.subspan(part);
            if (filled_ == segment_bytes) {
                filled_ = 0;
                if (!open(sealed_)) return false;
            }
        }
        return true;
    }

    /// Whether exactly the piece with this root came.
    Result<void> finish(const Hash256& root) {
        if (error_) return tl::unexpected(*error_);
        if (segment_ != end_ || filled_ != 0) return fail(Errc::network, "piece too short");
        if (hasher_.finish() != root) return fail(Errc::tampered, "piece root");
        return {};
    }
    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

private:
    bool refuse(Error error) {
        error_ = std::move(error);
        return false;
    }
    bool open(ByteView sealed) {
        hasher_.update(sealed);
        if (auto opened = opener_.open(segment_, sealed, plain_); !opened) {
            return refuse(opened.error());
        }
        auto written = job_.parts.write(segment_ * segment_plain_bytes, plain_);
        if (!written) return refuse(written.error());
        ++segment_;
        return true;
    }

    const DownloadJob& job_;
    SegmentOpener opener_;
    PieceHasher hasher_;
    Bytes sealed_, plain_;
    std::size_t filled_{};
    std::uint64_t segment_{}, end_{};
    std::optional<Error> error_;
};

PartFiles::PartFiles(std::vector<Part> parts) : parts_(std::move(parts)) {
    std::uint64_t at = 0;
    for (const auto& part : parts_) {
        begins_.push_back(at);
        at += part.size_bytes;
    }
    begins_.push_back(at);
}

Result<void> PartFiles::write(std::uint64_t offset, ByteView plain) {
    while (!plain.empty() && offset < begins_.back()) {
        // The last part that begins at or before the offset; empty parts before it are skipped.
        const auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
        const auto index = static_cast<std::size_t>(after - begins_.begin()) - 1;
        const auto room = std::min<std::uint64_t>(begins_[index + 1] - offset, plain.size());
        const auto done = ::pwrite(parts_[index].file.get(), plain.data(), room,
                                   static_cast<off_t>(offset - begins_[index]));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            const bool full = errno == ENOSPC || errno == EDQUOT;
            return fail(full ? Errc::no_space : Errc::file_unreadable, "write");
        }
        offset += static_cast<std::uint64_t>(done);
        plain = plain.subspan(static_cast<std::size_t>(done));
    }
    const bool zero =
        std::all_of(plain.begin(), plain.end(), [](std::byte byte) { return byte == std::byte{}; });
    if (!zero) return fail(Errc::tampered, "padding");
    return {};
}

Result<void> PartFiles::sync() {
    for (const auto& part : parts_) {
        if (part.file.get() >= 0 && ::fdatasync(part.file.get()) != 0) {
            return fail(Errc::no_space, "fdatasync");
        }
    }
    return {};
}

Download::Download(DownloadJob job, const HttpSettings& settings, TicketBox& tickets,
                   Watcher watcher)
    : job_(std::move(job)), settings_(settings), tickets_(tickets), watcher_(std::move(watcher)),
      coordinator_(settings, tickets, job_.transfer) {}

void Download::stop_with(Error error) {
    const std::lock_guard guard{mutex_};
    if (!failed_) failed_ = std::move(error);
    stop_ = true;
}

Result<Bytes> Download::descriptor(std::uint32_t volume) {
    Result<Bytes> last = fail(Errc::unavailable, "no relay");
    for (const auto& relay : job_.relays) {
        last = coordinator_.get_descriptor(relay, volume);
        if (!last) continue;
        const auto checked = decode_descriptor(*last).and_then([&](const Descriptor& found) {
            if (found.volume != volume) return Result<void>{fail(Errc::tampered, "volume")};
            return check_descriptor(job_.key, job_.transfer, job_.layout, found);
        });
        if (checked) return last;
        last = tl::unexpected(checked.error());
    }
    return last;
}

Result<Hash256> Download::read_descriptors() {
    std::vector<Bytes> encoded;
    for (std::uint32_t volume = 0; volume < job_.layout.volumes(); ++volume) {
        auto bytes = with_retries(
            job_.retry, [&] { return descriptor(volume); }, watcher_.waiting);
        if (!bytes) return tl::unexpected(bytes.error());
        const auto decoded = decode_descriptor(*bytes);
        if (!decoded) return tl::unexpected(decoded.error());
        roots_.insert(roots_.end(), decoded->piece_roots.begin(), decoded->piece_roots.end());
        encoded.push_back(std::move(*bytes));
    }
    if (roots_.size() != job_.layout.pieces()) return fail(Errc::tampered, "piece roots");
    return content_root(encoded);
}

Result<void> Download::fetch_piece(PieceClient& client, PieceSink& sink, std::uint64_t piece,
                                   std::size_t relay) {
    sink.start(piece);
    std::int64_t counted = 0;
    auto got = client.get_piece(job_.relays[relay % job_.relays.size()],
                                static_cast<std::uint32_t>(piece / volume_pieces_max),
                                static_cast<std::uint32_t>(piece % volume_pieces_max),
                                [&](ByteView bytes) {
                                    counted += static_cast<std::int64_t>(bytes.size());
                                    bytes_ += static_cast<std::int64_t>(bytes.size());
                                    return !stop_ && sink.take(bytes);
                                });
    if (sink.error()) got = tl::unexpected(*sink.error());
    if (got) got = sink.finish(roots_[piece]);
    if (!got) bytes_ -= counted;
    return got;
}

void Download::work(const std::vector<std::uint64_t>& pieces, std::size_t lane) {
    try {
        PieceClient client{settings_, tickets_, job_.transfer};
        PieceSink sink{job_};
        auto relay = lane; // lanes spread over the relays and move on when one fails
        while (!stop_) {
            const auto at = next_++;
            if (at >= pieces.size()) break;
            const auto attempt = [&] {
                Result<void> got;
                for (std::size_t tried = 0; tried < job_.relays.size(); ++tried) {
                    got = fetch_piece(client, sink, pieces[at], relay);
                    if (got || stop_ || got.error().code == Errc::no_space) break;
                    ++relay;
                }
                return got;
            };
            auto got = with_retries(job_.retry, attempt, [&](unsigned seconds) {
                const std::lock_guard guard{mutex_};
                waits_.push_back(seconds);
                changed_.notify_one();
            });
            if (!got) {
                stop_with(got.error());
                break;
            }
            const std::lock_guard guard{mutex_};
            done_.push_back(pieces[at]);
            changed_.notify_one();
        }
    } catch (const std::exception&) {
        stop_with({Errc::file_unreadable, "lane"});
    }
    const std::lock_guard guard{mutex_};
    --running_;
    changed_.notify_one();
}

Result<void> Download::make_durable(std::vector<std::uint64_t>& pieces) {
    if (pieces.empty()) return {};
    if (auto synced = job_.parts.sync(); !synced) return synced;
    PK_FAULT("cli.download.after_fdatasync");
    for (const auto piece : pieces) job_.state.pieces[piece] = true;
    pieces.clear();
    auto saved = job_.store.save(job_.state);
    PK_FAULT("cli.download.after_state");
    return saved;
}

Result<void> Download::follow(std::uint64_t before_bytes) {
    std::vector<std::uint64_t> fresh;
    auto synced = steady_clock::now();
    for (bool more = true; more;) {
        {
            std::unique_lock guard{mutex_};
            changed_.wait_for(guard, milliseconds{100});
            fresh.insert(fresh.end(), done_.begin(), done_.end());
            done_.clear();
            if (!waits_.empty()) watcher_.waiting(waits_.back());
            waits_.clear();
            more = running_ > 0;
        }
        watcher_.progress(before_bytes +
                              static_cast<std::uint64_t>(std::max<std::int64_t>(0, bytes_.load())),
                          job_.layout.sealed_bytes());
        const bool due = fresh.size() * job_.layout.piece_bytes() >= sync_bytes ||
                         steady_clock::now() - synced >= sync_time || !more;
        if (!due) continue;
        synced = steady_clock::now();
        if (auto durable = make_durable(fresh); !durable) {
            stop_with(durable.error());
            fresh.clear();
        }
    }
    const std::lock_guard guard{mutex_};
    if (failed_) return tl::unexpected(*failed_);
    return {};
}

Result<Hash256> Download::run() {
    auto root = read_descriptors();
    if (!root) return root;
    std::vector<std::uint64_t> pieces;
    for (std::uint64_t piece = 0; piece < job_.state.pieces.size(); ++piece) {
        if (!job_.state.pieces[piece]) pieces.push_back(piece);
    }
    const auto before = job_.layout.sealed_bytes() - pieces.size() * job_.layout.piece_bytes();
    std::vector<std::jthread> lanes;
    const auto wanted = std::min<std::size_t>(job_.lanes, pieces.size());
    running_ = static_cast<unsigned>(wanted);
    for (std::size_t lane = 0; lane < wanted; ++lane) {
        lanes.emplace_back([this, &pieces, lane] { work(pieces, lane); });
    }
    auto followed = follow(before);
    lanes.clear();
    if (!followed) return tl::unexpected(followed.error());
    return root;
}

} // namespace plankurier::cli
