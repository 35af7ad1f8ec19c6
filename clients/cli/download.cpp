#include <clients/cli/download.hpp>

#include <clients/cli/piece_sink.hpp>
#include <clients/cli/signals.hpp>

#include <algorithm>
#include <thread>

namespace plankurier::cli {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t complaints_max = 16;
constexpr unsigned complaint_seconds_max = 3; ///< so long a relay may say nothing to it

HttpSettings settings_for(HttpSettings settings, std::size_t relays) {
    if (relays > 1) settings.silence_seconds = std::min(settings.silence_seconds, 30U);
    return settings;
}

} // namespace

HttpLine DownloadJob::line_to(std::size_t relay, const HttpSettings& settings) const {
    if (spare_lines == nullptr) return HttpLine{settings};
    return spare_lines->take(relays[relay % relays.size()].url, settings);
}

/// What one lane's thread owns.
struct Download::Lane {
    PieceClient client;
    PieceSink sink;
    std::size_t relay{};
    bool first_pass{}; ///< no relay has failed for this piece twice
    std::uint64_t bytes{};
    steady_clock::time_point window{}; ///< `stalled` looks at what came since
    std::uint64_t window_bytes{}, window_all_bytes{};
};

Download::Download(const DownloadJob& job, const HttpSettings& settings, TicketBox& tickets,
                   const DownloadWatcher& watcher)
    : job_(job), settings_(settings_for(settings, job.relays.size())), tickets_(tickets),
      watcher_(watcher), hedge_(urls_of(job.relays), settings),
      coordinator_(settings_, tickets, job.transfer, &hedge_), choice_(job.relays.size()) {}

void Download::stop_with(Error error) {
    const std::lock_guard guard{mutex_};
    if (!failed_) failed_ = std::move(error);
    stop_ = true;
}

void Download::complain(std::size_t relay, std::uint32_t volume) {
    const std::lock_guard guard{mutex_};
    if (complaints_.size() >= complaints_max || !complaints_.emplace(relay, volume).second) return;
    complaining_.emplace_back([this, relay, volume] {
        HttpSettings settings = settings_;
        settings.silence_seconds = std::min(settings.silence_seconds, complaint_seconds_max);
        try {
            PieceClient client{settings, tickets_, job_.transfer};
            static_cast<void>(client.ask_to_check(job_.relays[relay], volume));
        } catch (const std::exception&) {
            // A relay that does not hear it finds the damage by itself, later.
        }
    });
}

/// Goes round the relays once, beginning with `relay`, until one gives what is wanted. When all
/// have given wrong bytes before, each is asked once for this: they may have lost different pieces.
template <typename Step>
auto Download::from_any(std::size_t& relay, Step step) -> decltype(step(relay)) {
    std::optional<Error> curable;
    Error last{Errc::tampered, "every relay lied"};
    for (std::size_t tried = 0; tried < job_.relays.size() && !stop_; ++tried) {
        // A lane's number may be beyond the relays.
        relay = choice_.pick(relay).value_or(relay % job_.relays.size());
        auto got = step(relay);
        if (got) choice_.worked(relay);
        if (got || is_local(got.error().code)) return got;
        last = got.error();
        // We have a ticket: the transfer is there, and this relay is yet to get it, or again.
        if (last.code == Errc::not_found) last.code = Errc::unavailable;
        if (last.code == Errc::tampered) {
            const bool news = choice_.lied(relay);
            const std::lock_guard guard{mutex_};
            if (news) liars_.push_back(relay);
            changed_.notify_one();
        } else {
            choice_.failed(relay);
            if (RetryRule::worth_it(last.code)) curable = last;
        }
        relay = (relay + 1) % job_.relays.size();
    }
    if (curable) return tl::unexpected(*curable);
    if (last.code == Errc::tampered && choice_.honest_count() > 0) last.code = Errc::unavailable;
    return tl::unexpected(last);
}

Result<Bytes> Download::descriptor(std::uint32_t volume, std::size_t relay) {
    auto bytes = coordinator_.get_descriptor(job_.relays[relay], volume);
    if (!bytes) return bytes;
    const auto found = decode_descriptor(*bytes);
    if (!found || found->volume != volume) return fail(Errc::tampered, "descriptor");
    const auto checked = check_descriptor(job_.key, job_.transfer, job_.layout, *found);
    if (!checked) return tl::unexpected(checked.error());
    return bytes;
}

Result<void> Download::read_descriptors(const std::function<void(unsigned)>& waiting) {
    std::vector<Bytes> encoded;
    roots_.clear();
    for (std::uint32_t volume = 0; volume < job_.layout.volumes(); ++volume) {
        auto relay = std::size_t{volume} % job_.relays.size();
        auto bytes = with_retries(
            job_.retry,
            [&] {
                return from_any(relay, [&](std::size_t from) { return descriptor(volume, from); });
            },
            waiting);
        if (!bytes) return tl::unexpected(bytes.error());
        const auto decoded = decode_descriptor(*bytes);
        if (!decoded) return tl::unexpected(decoded.error());
        roots_.insert(roots_.end(), decoded->piece_roots.begin(), decoded->piece_roots.end());
        encoded.push_back(std::move(*bytes));
    }
    if (roots_.size() != job_.layout.pieces()) return fail(Errc::tampered, "piece roots");
    content_root_ = content_root(encoded);
    return {};
}

Result<Hash256> Download::describe() {
    if (content_root_) return *content_root_;
    const auto done = read_descriptors(watcher_.waiting);
    std::deque<std::size_t> liars;
    {
        const std::lock_guard guard{mutex_};
        liars.swap(liars_);
    }
    for (const auto liar : liars) watcher_.relay_lied(liar);
    if (!done) return tl::unexpected(done.error());
    return *content_root_;
}

namespace {

/// Seals what lies in the part files once more: the same bytes at the same place give the same
/// piece (protocol, section 6), so that nothing has to be remembered or hashed while fetching.
class Resealer {
public:
    explicit Resealer(const DownloadJob& job)
        : job_(job), sealer_(job.key, job.transfer, job.header, job.layout.segments()),
          plain_(segment_plain_bytes), sealed_(segment_bytes) {}

    Result<Hash256> root(std::uint64_t piece) {
        const std::uint64_t count = job_.layout.segments_per_piece();
        for (auto segment = piece * count; segment < (piece + 1) * count; ++segment) {
            if (interrupted()) return fail(Errc::canceled, "kept pieces");
            auto read = job_.parts.read(segment * segment_plain_bytes, plain_);
            if (!read) return tl::unexpected(read.error());
            sealer_.seal(segment, plain_, sealed_);
            hasher_.update(sealed_);
        }
        return hasher_.finish();
    }

private:
    const DownloadJob& job_;
    SegmentSealer sealer_;
    PieceHasher hasher_;
    Bytes plain_, sealed_;
};

/// Pieces of an earlier start, but for those whose files have their names: these are their user's.
std::vector<std::uint64_t> kept_pieces(const DownloadJob& job) {
    std::vector<std::uint64_t> kept;
    const auto plain_bytes = job.layout.segments_per_piece() * segment_plain_bytes;
    for (std::uint64_t piece = 0; piece < job.state.pieces.size(); ++piece) {
        const bool counts = job.parts.touches_unnamed(piece * plain_bytes, plain_bytes);
        if (job.state.pieces[piece] && counts) kept.push_back(piece);
    }
    return kept;
}

} // namespace

Result<std::uint64_t> Download::check_kept() {
    const auto kept = kept_pieces(job_);
    std::atomic<std::size_t> next{0};
    std::vector<std::uint64_t> differing; // guarded by mutex_, as failed_ is
    const auto check = [&] {
        try {
            Resealer resealer{job_};
            for (auto at = next++; at < kept.size() && !stop_; at = next++) {
                const auto root = resealer.root(kept[at]);
                if (!root) return stop_with(root.error());
                if (*root == roots_[kept[at]]) continue;
                const std::lock_guard guard{mutex_};
                differing.push_back(kept[at]);
            }
        } catch (const std::exception&) {
            stop_with({Errc::file_unreadable, "kept pieces"});
        }
    };
    std::vector<std::jthread> threads;
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    for (std::size_t number = 0; number < std::min(cores, kept.size()); ++number) {
        threads.emplace_back(check);
    }
    threads.clear();
    if (failed_) return tl::unexpected(*failed_);
    for (const auto piece : differing) job_.state.pieces[piece] = false;
    // At once: whatever ends this start, they are never taken for good again.
    auto saved = differing.empty() ? Result<void>{} : job_.store.save(job_.state);
    return saved.map([&] { return std::uint64_t{differing.size()}; });
}

/// Asked by the line about once a second. Without others to compare with it is the line's own
/// time-out that ends the waiting.
bool Download::stalled(Lane& lane) {
    const auto now = steady_clock::now();
    if (now - lane.window < stall_time || choice_.honest_count() < 2) return false;
    const std::uint64_t all = received_bytes_;
    const auto mine = lane.bytes - lane.window_bytes;
    const auto others = all - lane.window_all_bytes - mine;
    lane.window = now;
    lane.window_bytes = lane.bytes;
    lane.window_all_bytes = all;
    if (mine == 0) return others > 0 || next_ >= pieces_.size();
    if (!lane.first_pass) return false;
    const std::chrono::duration<double> whole = now - begun_, window = stall_time;
    const auto usual = static_cast<double>(all) / job_.lanes * (window / whole);
    return static_cast<double>(mine) < usual / 16;
}

Result<void> Download::fetch_piece(Lane& lane, std::uint64_t piece, std::size_t relay) {
    lane.sink.start(piece);
    lane.window = steady_clock::now();
    lane.window_bytes = lane.bytes;
    lane.window_all_bytes = received_bytes_;
    std::int64_t counted = 0;
    auto got = lane.client.get_piece(
        job_.relays[relay], static_cast<std::uint32_t>(piece / volume_pieces_max),
        static_cast<std::uint32_t>(piece % volume_pieces_max), [&](ByteView bytes) {
            counted += static_cast<std::int64_t>(bytes.size());
            bytes_ += static_cast<std::int64_t>(bytes.size());
            lane.bytes += bytes.size();
            received_bytes_ += bytes.size();
            return !stop_ && lane.sink.take(bytes);
        });
    if (lane.sink.error()) got = tl::unexpected(*lane.sink.error());
    if (got) got = lane.sink.finish();
    if (!got) bytes_ -= counted;
    if (!got && got.error().code == Errc::tampered) {
        complain(relay, static_cast<std::uint32_t>(piece / volume_pieces_max));
    }
    return got;
}

void Download::work(std::size_t number) {
    try {
        Lane lane{PieceClient{job_.line_to(number, settings_), tickets_, job_.transfer, &hedge_},
                  PieceSink{job_}};
        lane.relay = number; // lanes spread over the relays and move on when one fails
        lane.client.watch([&] { return !stop_ && !stalled(lane); });
        lane.client.on_busy([&](unsigned seconds) { note_wait(seconds); });
        while (!stop_) {
            const auto at = next_++;
            if (at >= pieces_.size()) break;
            lane.first_pass = true;
            const auto attempt = [&] {
                auto got = from_any(lane.relay, [&](std::size_t relay) {
                    return fetch_piece(lane, pieces_[at], relay);
                });
                lane.first_pass = false;
                return got;
            };
            auto got =
                with_retries(job_.retry, attempt, [this](unsigned seconds) { note_wait(seconds); });
            if (!got) {
                stop_with(got.error());
                break;
            }
            const std::lock_guard guard{mutex_};
            done_.push_back(pieces_[at]);
            changed_.notify_one();
        }
    } catch (const std::exception&) {
        stop_with({Errc::file_unreadable, "lane"});
    }
    leave();
}

void Download::work_descriptors() {
    try {
        const auto done = read_descriptors([this](unsigned seconds) { note_wait(seconds); });
        if (!done) stop_with(done.error());
    } catch (const std::exception&) {
        stop_with({Errc::file_unreadable, "descriptors"});
    }
    leave();
}

void Download::note_wait(unsigned seconds) {
    const std::lock_guard guard{mutex_};
    waits_.push_back(seconds);
    changed_.notify_one();
}

void Download::leave() {
    const std::lock_guard guard{mutex_};
    --running_;
    changed_.notify_one();
}

Result<void> Download::follow(std::uint64_t before_bytes) {
    PieceLedger ledger{job_.parts, job_.store, job_.state, job_.layout.piece_bytes()};
    for (bool more = true; more;) {
        std::deque<unsigned> waits;
        std::deque<std::size_t> liars;
        {
            std::unique_lock guard{mutex_};
            changed_.wait_for(guard, milliseconds{100},
                              [&] { return running_ == 0 || !done_.empty() || !waits_.empty(); });
            for (const auto piece : std::exchange(done_, {})) ledger.add(piece);
            waits.swap(waits_);
            liars.swap(liars_);
            more = running_ > 0;
        }
        if (!waits.empty()) watcher_.waiting(waits.back());
        for (const auto relay : liars) watcher_.relay_lied(relay);
        watcher_.progress(before_bytes +
                              static_cast<std::uint64_t>(std::max<std::int64_t>(0, bytes_.load())),
                          job_.layout.sealed_bytes());
        auto durable = more ? ledger.flush_if_due() : ledger.flush();
        if (!durable) stop_with(durable.error());
    }
    const std::lock_guard guard{mutex_};
    if (failed_) return tl::unexpected(*failed_);
    return {};
}

Result<Hash256> Download::fetch() {
    pieces_.clear();
    for (std::uint64_t piece = 0; piece < job_.state.pieces.size(); ++piece) {
        if (!job_.state.pieces[piece]) pieces_.push_back(piece);
    }
    const auto before = job_.layout.sealed_bytes() - pieces_.size() * job_.layout.piece_bytes();
    const auto wanted = std::min<std::size_t>(job_.lanes, pieces_.size());
    const bool described = content_root_.has_value();
    begun_ = steady_clock::now();
    running_ = static_cast<unsigned>(wanted) + (described ? 0 : 1);
    std::vector<std::jthread> threads;
    for (std::size_t lane = 0; lane < wanted; ++lane) {
        threads.emplace_back([this, lane] { work(lane); });
    }
    if (!described) threads.emplace_back([this] { work_descriptors(); });
    const auto done = follow(before);
    threads.clear();
    if (!done) return tl::unexpected(done.error());
    return *content_root_;
}

} // namespace plankurier::cli
