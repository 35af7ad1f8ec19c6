#include <clients/cli/upload.hpp>

#include <clients/cli/upload_lane.hpp>

#include <thread>

namespace plankurier::cli {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

/// While others can stand in for a relay, it is not waited for longer than this.
constexpr unsigned tries_with_others = 3;
constexpr seconds patience_with_others{15};

/// Failures that another relay may not have: all but what happens on this computer. `give_up` asks
/// the service for a ticket before it believes that only a relay has one. What is there and differs
/// may come from an earlier start whose file was another one (`tampered`).
bool of_the_relay(Errc code, bool resumed) {
    switch (code) {
    case Errc::file_changed:
    case Errc::file_unreadable:
    case Errc::canceled: return false;
    case Errc::tampered: return !resumed;
    default: return true;
    }
}

/// A body up to here begins with one line, since shaking hands costs more than it brings; others
/// join as long as there is something left.
constexpr std::uint64_t small_bytes = 64u << 20;
constexpr milliseconds lane_rest{100};

/// A relay that keeps silent must not hold a lane for the usual minute when there are others.
HttpSettings settings_for(HttpSettings settings, std::size_t relays, unsigned silence_seconds) {
    if (relays > 1) settings.silence_seconds = std::min(settings.silence_seconds, silence_seconds);
    return settings;
}

} // namespace

/// What one lane's thread owns.
struct Upload::Lane {
    PieceStream stream;
    PieceClient client;
    explicit Lane(Upload& upload)
        : stream(upload.job_.key, upload.job_.transfer, upload.job_.header, upload.job_.layout,
                 upload.job_.source),
          client(upload.settings_, upload.tickets_, upload.job_.transfer, &upload.hedge_) {
        client.watch([&upload] { return !upload.stop_.load(); });
        client.on_busy([&upload](unsigned wait) { upload.note_wait(wait); });
    }

    /// One attempt to send one piece.
    Result<Hash256> send(Upload& upload, const UploadPlan::Task& task) {
        stream.start(task.piece);
        const auto volume = static_cast<std::uint32_t>(task.piece / volume_pieces_max);
        const auto in_volume = static_cast<std::uint32_t>(task.piece % volume_pieces_max);
        std::int64_t counted = 0;
        const auto uncount = [&] { upload.flying_bytes_ -= std::exchange(counted, 0); };
        auto answer = client.put_piece(
            upload.job_.relays[task.relay], volume, in_volume, upload.job_.layout.piece_bytes(),
            [&](std::span<std::byte> out) -> std::size_t {
                if (upload.stop_) return 0;
                const auto bytes = stream.produce(out);
                counted += static_cast<std::int64_t>(bytes);
                upload.flying_bytes_ += static_cast<std::int64_t>(bytes);
                return bytes;
            },
            [&] {
                uncount();
                stream.start(task.piece);
            });
        if (stream.error()) answer = tl::unexpected(*stream.error());
        if (answer && *answer != stream.root()) answer = fail(Errc::tampered, "piece root");
        // The relay has not noticed yet that an earlier line broke; or it has no such transfer, for
        // which we have a ticket.
        if (!answer &&
            (answer.error().code == Errc::conflict || answer.error().code == Errc::not_found)) {
            answer.error().code = Errc::unavailable;
        }
        uncount();
        return answer;
    }
};

Upload::Upload(UploadJob job, const HttpSettings& settings, TicketBox& tickets, Watcher watcher)
    : job_(std::move(job)), settings_(settings_for(settings, job_.relays.size(), 20)),
      tickets_(tickets), watcher_(std::move(watcher)), hedge_(urls_of(job_.relays), settings),
      coordinator_(settings_, tickets, job_.transfer, &hedge_),
      asker_(settings_for(settings, job_.relays.size(), 5), tickets, job_.transfer, &hedge_),
      roots_(job_.store.load_roots()), plan_(job_.layout, job_.relays.size()) {
    for (const auto& [piece, root] : roots_) plan_.know_root(piece);
}

Upload::~Upload() = default;

RetryRule Upload::patience() const noexcept {
    // Of several relays one with a full disk is left out; a single one is waited for.
    return {several() ? std::min(job_.retry.retries, tries_with_others) : job_.retry.retries,
            !several()};
}

void Upload::stop_with(Error error) {
    const std::lock_guard guard{mutex_};
    if (!failed_) failed_ = std::move(error);
    stop_ = true;
}

void Upload::note_wait(unsigned wait) {
    const std::lock_guard guard{mutex_};
    waits_.push_back(wait);
    changed_.notify_one();
}

/// True when the upload goes on without this relay.
bool Upload::give_up(std::size_t relay, const Error& error) {
    // Without a ticket no relay can be judged.
    if (!several() || !of_the_relay(error.code, job_.resumed) || !tickets_.header()) return false;
    const std::lock_guard guard{mutex_};
    const bool was_alive = plan_.alive(relay);
    if (!plan_.lose(relay)) return false;
    if (was_alive) lost_.push_back(relay);
    return true;
}

Result<Hash256> Upload::send_patiently(Lane& lane, const UploadPlan::Task& task) {
    const auto begun = steady_clock::now();
    const auto rule = patience();
    for (unsigned attempt = 1;; ++attempt) {
        auto root = lane.send(*this, task);
        if (root || stop_ || !rule.may_cure(root.error().code) || attempt > rule.retries) {
            return root;
        }
        if (several()) {
            if (steady_clock::now() - begun > patience_with_others) return root;
            const std::lock_guard guard{mutex_};
            if (!plan_.alive(task.relay) || hedge_.is_stuck(job_.relays[task.relay].url))
                return root;
        }
        const auto wait = RetryRule::wait_seconds(attempt);
        if (root.error().code == Errc::no_space) no_room_ = true;
        note_wait(wait);
        if (!pause_for(seconds{wait})) return fail(Errc::canceled, "retry");
    }
}

void Upload::work() {
    try {
        Lane lane{*this};
        const auto take = [&] {
            const std::lock_guard guard{mutex_};
            return stop_ ? std::nullopt : plan_.take();
        };
        for (auto task = take(); task; task = take()) {
            auto root = send_patiently(lane, *task);
            if (!root && !give_up(task->relay, root.error())) stop_with(root.error());
            const std::lock_guard guard{mutex_};
            if (root) {
                plan_.received(*task);
                sent_.push_back({task->piece, *root});
            } else {
                plan_.give_back(*task);
            }
            changed_.notify_one();
        }
    } catch (const std::exception&) {
        stop_with({Errc::file_unreadable, "lane"});
    }
    const std::lock_guard guard{mutex_};
    --running_;
    changed_.notify_one();
}

Result<void> Upload::take_results() {
    std::deque<Sent> sent;
    std::deque<unsigned> waits;
    std::deque<std::size_t> lost;
    std::uint64_t arrived = 0;
    {
        const std::lock_guard guard{mutex_};
        sent.swap(sent_);
        waits.swap(waits_);
        lost.swap(lost_);
        arrived = plan_.arrived_pieces() * job_.layout.piece_bytes();
    }
    for (const auto& [piece, root] : sent) {
        if (const auto old = roots_.find(piece); old != roots_.end() && old->second != root) {
            return changed(piece, "root");
        }
        if (auto noted = job_.store.note_root(piece, root); !noted) return noted;
        roots_[piece] = root;
    }
    if (no_room_.exchange(false) && watcher_.no_room) watcher_.no_room();
    if (!waits.empty()) watcher_.waiting(waits.back());
    for (const auto relay : lost) watcher_.relay_lost(relay);
    const auto flying = static_cast<std::uint64_t>(std::max<std::int64_t>(0, flying_bytes_.load()));
    watcher_.progress(std::min(arrived + flying, job_.layout.sealed_bytes()),
                      job_.layout.sealed_bytes());
    return {};
}

unsigned Upload::lanes_at_once() const noexcept {
    return job_.layout.sealed_bytes() <= small_bytes ? 1 : job_.lanes;
}

/// As long as there is work for one more.
void Upload::add_lane(std::vector<std::jthread>& lanes) {
    const std::lock_guard guard{mutex_};
    if (stop_ || lanes.size() >= job_.lanes || (!lanes.empty() && !plan_.has_task())) return;
    ++running_;
    lanes.emplace_back([this] { work(); });
}

Result<void> Upload::send_round() {
    std::vector<std::jthread> lanes;
    for (unsigned lane = 0; lane < lanes_at_once(); ++lane) add_lane(lanes);
    auto looked = steady_clock::now(), added = looked;
    for (bool more = true; more;) {
        if (steady_clock::now() - added >= lane_rest) {
            add_lane(lanes);
            added = steady_clock::now();
        }
        {
            std::unique_lock guard{mutex_};
            changed_.wait_for(guard, milliseconds{100},
                              [&] { return running_ == 0 || !sent_.empty() || !waits_.empty(); });
            more = running_ > 0;
        }
        if (auto taken = take_results(); !taken) stop_with(taken.error());
        if (stop_ || steady_clock::now() - looked < milliseconds{50}) continue;
        looked = steady_clock::now();
        // While lanes run, trouble with the line is theirs too: they report it.
        auto followed = follow_durable();
        if (!followed && !of_the_relay(followed.error().code, job_.resumed)) {
            stop_with(followed.error());
        }
    }
    lanes.clear();
    if (auto taken = take_results(); !taken) stop_with(taken.error());
    const std::lock_guard guard{mutex_};
    plan_.nothing_flies();
    stop_ = false;
    if (failed_) return tl::unexpected(*std::exchange(failed_, std::nullopt));
    return {};
}

} // namespace plankurier::cli
