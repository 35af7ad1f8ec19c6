#include "relay/pieces/committer.hpp"

#include <plankurier/fault.hpp>

#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <set>
#include <system_error>

namespace plankurier::relay::pieces {

namespace {
constexpr std::uint64_t group_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t waiting_bytes_max = std::uint64_t{256} << 20;
constexpr std::chrono::milliseconds group_time{50};
} // namespace

Committer::Committer(Catalog& catalog)
    : catalog_(catalog), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Committer::~Committer() {
    thread_.request_stop();
    changed_.notify_all();
}

void Committer::expect() {
    const std::scoped_lock lock{mutex_};
    ++expected_;
}

void Committer::no_longer_expect() {
    {
        const std::scoped_lock lock{mutex_};
        --expected_;
    }
    changed_.notify_all();
}

void Committer::add(Written piece) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return waiting_bytes_ < waiting_bytes_max; });
    waiting_bytes_ += piece.bytes;
    --expected_;
    queue_.push_back(std::move(piece));
    lock.unlock();
    changed_.notify_all();
}

void Committer::flush(std::vector<Written>& group) {
    // A file is opened anew for each piece; syncing one descriptor syncs the whole inode.
    std::set<std::pair<TransferId, std::uint32_t>> synced;
    PK_FAULT("pieces.before_fdatasync");
    for (const Written& one : group) {
        if (!synced.emplace(one.place.transfer, one.place.volume).second) continue;
        sync_file(*one.file);
    }
    PK_FAULT("pieces.after_fdatasync");
    catalog_.commit(group);
}

void Committer::run(const std::stop_token& stop) {
    for (;;) {
        std::vector<Written> group;
        std::uint64_t bytes = 0;
        {
            std::unique_lock lock{mutex_};
            if (!changed_.wait(lock, stop, [&] { return !queue_.empty(); })) return;
            // Nobody waits longer than it takes the pieces that are on their way.
            changed_.wait_for(lock, stop, group_time,
                              [&] { return expected_ == 0 || waiting_bytes_ >= group_bytes; });
            group.swap(queue_);
            bytes = waiting_bytes_;
        }
        bool durable = false;
        try {
            flush(group);
            durable = true;
        } catch (const std::exception& error) {
            // After a failed sync the kernel may have dropped the pages: nothing of this group is
            // acknowledged, the senders write it again.
            std::fprintf(stderr, "pieces: %s\n", error.what());
            for (const Written& one : group) catalog_.abandon(one.place);
        }
        for (const Written& one : group) {
            if (one.settled) one.settled(durable);
        }
        {
            const std::scoped_lock lock{mutex_};
            waiting_bytes_ -= bytes;
        }
        changed_.notify_all();
    }
}

} // namespace plankurier::relay::pieces
