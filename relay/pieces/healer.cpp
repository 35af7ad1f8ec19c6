#include "relay/pieces/healer.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace plankurier::relay::pieces {

namespace {
/// Between two looks at the same transfer: while it is uploaded, each volume is pushed anyway.
constexpr std::chrono::seconds heal_rest{10};
} // namespace

Healer::Healer(Catalog& catalog, const Relays& relays, Copier& copier,
               std::filesystem::path ca_file, std::uint64_t bytes_per_s)
    : catalog_(catalog), relays_(relays), copier_(copier),
      bytes_per_s_(std::max<std::uint64_t>(1, bytes_per_s)), calls_(std::move(ca_file)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Healer::~Healer() {
    thread_.request_stop();
    changed_.notify_all();
}

void Healer::set(std::vector<Wanted> wanted) {
    if (wanted.size() > wanted_max) wanted.resize(wanted_max);
    {
        const std::scoped_lock lock{mutex_};
        wanted_ = std::move(wanted);
        fresh_ = true;
        // The list goes on from sync to sync: that one is not in this part says nothing. What is
        // whole now and is wanted again has new damage.
        std::erase_if(looked_, [&](const auto& one) {
            return Clock::now() - one.second >= heal_rest || catalog_.complete(one.first);
        });
    }
    changed_.notify_all();
}

std::optional<Healer::Wanted> Healer::due() {
    for (const Wanted& one : wanted_) {
        const auto [at, first] = looked_.try_emplace(one.ticket.transfer);
        if (!first && Clock::now() - at->second < heal_rest) continue;
        at->second = Clock::now();
        return one;
    }
    return std::nullopt;
}

/// Pays for the volume's missing pieces. False when the process stops.
bool Healer::wait_for_pace(const VolumeName& volume, const BodyLayout& layout,
                           const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    changed_.wait_until(lock, stop, next_, [&] { return Clock::now() >= next_; });
    const std::uint64_t bytes =
        catalog_.missing_pieces(volume.transfer, volume.volume, layout) * layout.piece_bytes();
    next_ = std::max(next_, Clock::now()) + std::chrono::milliseconds{bytes * 1'000 / bytes_per_s_};
    return !stop.stop_requested();
}

void Healer::look_for(const Wanted& wanted, const std::stop_token& stop) {
    const TransferId& transfer = wanted.ticket.transfer;
    const auto layout = BodyLayout::from_body_len(wanted.ticket.body_len);
    if (!layout || catalog_.forbidden(transfer)) return;
    std::map<std::uint32_t, std::vector<RelayId>> whole, damaged;
    for (const OtherRelay& relay : relays_.others()) {
        const auto there = calls_.described(relay, wanted.ticket_text, transfer);
        if (!there) continue; // it does not answer, or does not know the transfer
        for (const auto& one : *there) {
            if (one.volume < layout->volumes()) {
                (one.is_whole ? whole : damaged)[one.volume].push_back(relay.id);
            }
        }
    }
    // Where nobody has all of a volume, each may have what the others have lost.
    whole.merge(damaged);
    ++round_;
    for (const auto& [volume, relays] : whole) {
        const auto here = catalog_.is_whole(wanted.ticket, volume);
        if (here && *here) continue;
        CopyJob job;
        job.ticket = wanted.ticket;
        job.ticket_text = wanted.ticket_text;
        job.volume = {transfer, volume};
        job.from = relays[(volume + round_) % relays.size()]; // each gives some
        job.chain = false;
        if (!copier_.has(job.volume) && !wait_for_pace(job.volume, *layout, stop)) return;
        if (!copier_.note(std::move(job))) return; // full: the next look goes on
    }
}

void Healer::run(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (!stop.stop_requested()) {
        const auto one = due();
        if (!one) {
            changed_.wait(lock, stop, [&] { return std::exchange(fresh_, false); });
            continue;
        }
        lock.unlock();
        try {
            look_for(*one, stop);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "pieces: look for copies: %s\n", error.what());
        }
        lock.lock();
    }
}

} // namespace plankurier::relay::pieces
