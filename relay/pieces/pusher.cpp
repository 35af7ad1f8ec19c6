#include "relay/pieces/pusher.hpp"

#include <algorithm>
#include <cstdio>

namespace plankurier::relay::pieces {

namespace {
constexpr unsigned tries_max = 4;
/// A relay that does not answer costs the others one time-out, not one for each volume, and rests
/// longer each time.
constexpr std::chrono::seconds away_time{3}, away_time_max{48};
constexpr std::chrono::milliseconds retry_rest{500};
} // namespace

Pusher::Pusher(const Relays& relays, std::filesystem::path ca_file)
    : relays_(relays), calls_(std::move(ca_file)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Pusher::~Pusher() {
    thread_.request_stop();
    changed_.notify_all();
}

void Pusher::push(const VolumeName& volume, const std::string& ticket, ByteView descriptor) {
    const auto note =
        std::make_shared<const Note>(Note{volume, ticket, {descriptor.begin(), descriptor.end()}});
    {
        const std::scoped_lock lock{mutex_};
        for (OtherRelay& relay : relays_.holders(volume.transfer)) {
            if (relay.id == relays_.self()) continue;
            if (queue_.size() >= queued_max) break; // the syncs name it, too
            queue_.push_back({note, std::move(relay), 0, Clock::now()});
        }
    }
    changed_.notify_all();
}

std::optional<Pusher::Push> Pusher::next(std::unique_lock<std::mutex>& lock,
                                         const std::stop_token& stop) {
    const auto first = [&] { return std::ranges::min_element(queue_, {}, &Push::not_before); };
    while (!stop.stop_requested()) {
        const auto best = first();
        if (best == queue_.end()) {
            changed_.wait(lock, stop, [&] { return !queue_.empty(); });
            continue;
        }
        const Clock::time_point due = best->not_before;
        if (due <= Clock::now()) {
            Push out = std::move(*best);
            queue_.erase(best);
            return out;
        }
        changed_.wait_until(lock, stop, due, [&] { return first()->not_before < due; });
    }
    return std::nullopt;
}

void Pusher::run(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (auto push = next(lock, stop)) {
        const auto away = away_.find(push->to.id);
        const bool skip = away != away_.end() && Clock::now() < away->second.until;
        Result<void> told = fail(Errc::network, "away");
        if (!skip) {
            lock.unlock();
            try {
                const Note& note = *push->note;
                told = calls_.copy(push->to, note.ticket, note.volume, relays_.self(),
                                   note.descriptor);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "pieces: tell of a volume: %s\n", error.what());
            }
            lock.lock();
        }
        if (told) {
            away_.erase(push->to.id);
            continue;
        }
        const Errc code = told.error().code;
        const bool silent = code == Errc::network || code == Errc::tls;
        if (silent && !skip) {
            Away& rest = away_[push->to.id];
            rest.time = std::clamp<std::chrono::seconds>(2 * rest.time, away_time, away_time_max);
            rest.until = Clock::now() + rest.time;
        }
        // Not found: that relay has yet to hear of us. All else is no matter of time.
        const bool later = silent || code == Errc::unavailable || code == Errc::not_found;
        if (!later || ++push->tries >= tries_max) continue;
        push->not_before = silent ? away_[push->to.id].until : Clock::now() + retry_rest;
        queue_.push_back(std::move(*push));
    }
}

} // namespace plankurier::relay::pieces
