#include "engine/swarm/disk.hpp"

namespace plankurier::swarm {

namespace {

lt::storage_error read_error() {
    lt::storage_error error = storage_error(DiskError::broken);
    error.operation = lt::operation_t::file_read;
    return error;
}

} // namespace

void Disk::async_read(lt::storage_index_t storage, const lt::peer_request& request,
                      ReadHandler handler, lt::disk_job_flags_t) {
    DiskVolume& from = volume(storage);
    const auto start = static_cast<std::uint64_t>(request.start);
    const auto length = static_cast<std::uint64_t>(request.length);
    // Ours ask for blocks. What a stranger asks across two segments is refused.
    const bool fits = request.start >= 0 && request.length > 0 &&
                      start % segment_bytes + length <= segment_bytes &&
                      start + length <= from.about.piece_bytes;
    if (!fits || from.closing || from.failed || !from.serves) {
        lt::post(io_, [handler = std::move(handler)] { handler({}, read_error()); });
        return;
    }
    Read read{&from, request, std::move(handler)};
    if (!start_read(read, starved_.empty())) starved_.push_back(std::move(read));
}

/// False when there is no room, or when others wait for room before this one.
bool Disk::start_read(Read& read, bool may_take) {
    DiskVolume& from = *read.volume;
    const std::uint32_t segment =
        static_cast<std::uint32_t>(static_cast<int>(read.request.piece)) *
            from.segments_per_piece() +
        static_cast<std::uint32_t>(static_cast<std::uint64_t>(read.request.start) / segment_bytes);
    Slot slot = from.slots[segment];
    if (slot == no_slot) {
        if (may_take) slot = pool_.take(SegmentPool::State::loading, from, segment);
        if (slot == no_slot) return false;
        ++from.jobs;
        workers_.push({Job::Kind::read, &from, nullptr, segment, slot, pool_.bytes(slot), {}});
    }
    SegmentPool::Entry& entry = pool_.at(slot);
    if (entry.state == SegmentPool::State::loading) {
        entry.waiters.push_back({read.request, std::move(read.handler)});
    } else if (entry.state == SegmentPool::State::filling ||
               entry.state == SegmentPool::State::writing) {
        // A piece that is not here yet; libtorrent does not ask for those.
        lt::post(io_, [handler = std::move(read.handler)] { handler({}, read_error()); });
    } else {
        pool_.lend(slot);
        ready_.push_back({slot, read.request, std::move(read.handler)});
        if (!std::exchange(show_posted_, true)) lt::post(io_, [this] { show_ready(); });
    }
    return true;
}

/// The slot is lent already.
void Disk::show(Slot slot, const lt::peer_request& request, const ReadHandler& handler) {
    auto* const at = reinterpret_cast<char*>(pool_.bytes(slot).data()) +
                     static_cast<std::uint64_t>(request.start) % segment_bytes;
    handler(lt::disk_buffer_holder{*this, at, request.length}, {});
}

void Disk::show_ready() {
    show_posted_ = false;
    showing_.swap(ready_);
    for (const ReadyRead& read : showing_) show(read.slot, read.request, read.handler);
    showing_.clear();
}

void Disk::finish_read(Job& job) {
    waiting_.swap(pool_.at(job.slot).waiters);
    if (job.result && !job.volume->closing) {
        for (std::size_t i = 0; i < waiting_.size(); ++i) pool_.lend(job.slot);
        pool_.loaded(job.slot);
        for (const auto& waiter : waiting_) show(job.slot, waiter.request, waiter.handler);
    } else {
        if (!job.result) fail_volume(*job.volume, job.result.error());
        pool_.release(job.slot);
        for (const auto& waiter : waiting_) waiter.handler({}, read_error());
    }
    waiting_.clear();
}

void Disk::free_disk_buffer(char* buffer) {
    pool_.give_back(pool_.slot_of(buffer));
    if (!starved_.empty()) serve_starved();
}

void Disk::serve_starved() {
    while (!starved_.empty() && start_read(starved_.front(), true)) starved_.pop_front();
}

} // namespace plankurier::swarm
