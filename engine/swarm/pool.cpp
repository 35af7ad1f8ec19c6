#include "engine/swarm/pool.hpp"

#include <sys/mman.h>

#include <stdexcept>

namespace plankurier::swarm {

DiskVolume::DiskVolume(const SwarmVolume& volume, std::uint64_t number,
                       std::shared_ptr<VolumeBacking> from, std::uint64_t here)
    : about(volume), load(number), serves(from->serves()), backing(std::move(from)),
      slots(volume.bytes() / segment_bytes, no_slot), pieces(volume.piece_roots.size()),
      have(here) {}

SegmentPool::SegmentPool(std::uint64_t bytes_max)
    : entries_(bytes_max / segment_bytes), share_max_(entries_.size() / 4 * 3) {
    if (entries_.size() < 16) throw std::runtime_error("a swarm needs at least 4 MiB of memory");
    void* const memory = ::mmap(nullptr, entries_.size() * segment_bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no memory for the swarm");
    memory_ = static_cast<std::byte*>(memory);
    // The slot that was used last is used next: it is still in the cache, and has its pages.
    for (std::size_t i = entries_.size(); i-- > 0;) free_.push_back(static_cast<Slot>(i));
}

SegmentPool::~SegmentPool() { ::munmap(memory_, entries_.size() * segment_bytes); }

Slot SegmentPool::slot_of(const char* pointer) const noexcept {
    const auto* const at = reinterpret_cast<const std::byte*>(pointer);
    return static_cast<Slot>(static_cast<std::size_t>(at - memory_) / segment_bytes);
}

Slot SegmentPool::take(State purpose, DiskVolume& owner, std::uint32_t segment) {
    std::size_t& used = purpose == State::loading ? reading_ : writing_;
    if (used >= share_max_) return no_slot;
    if (free_.empty() && oldest_ != no_slot) release(oldest_);
    if (free_.empty()) return no_slot;
    const Slot slot = free_.back();
    free_.pop_back();
    held_.fetch_add(1, std::memory_order_relaxed);
    ++used;
    Entry& entry = entries_[slot];
    entry.state = purpose;
    entry.owner = &owner;
    entry.segment = segment;
    entry.present = 0;
    owner.slots[segment] = slot;
    return slot;
}

void SegmentPool::loaded(Slot slot) {
    Entry& entry = entries_[slot];
    entry.state = State::shown;
    if (entry.lent == 0) rest(slot);
}

void SegmentPool::lend(Slot slot) {
    Entry& entry = entries_[slot];
    if (entry.state == State::cached) {
        unlink(slot);
        entry.state = State::shown;
        ++reading_;
    }
    ++entry.lent;
}

void SegmentPool::give_back(Slot slot) {
    Entry& entry = entries_[slot];
    if (--entry.lent == 0 && entry.state == State::shown) rest(slot);
}

void SegmentPool::rest(Slot slot) {
    Entry& entry = entries_[slot];
    --reading_;
    if (entry.owner == nullptr) {
        set_free(slot);
        trim();
        return;
    }
    entry.state = State::cached;
    link_newest(slot);
}

void SegmentPool::release(Slot slot) {
    Entry& entry = entries_[slot];
    if (entry.owner != nullptr) entry.owner->slots[entry.segment] = no_slot;
    entry.owner = nullptr;
    entry.waiters.clear();
    if (entry.state == State::shown && entry.lent != 0) return;
    if (entry.state == State::cached) {
        unlink(slot);
    } else if (entry.state == State::loading || entry.state == State::shown) {
        --reading_;
    } else {
        --writing_;
    }
    set_free(slot);
}

void SegmentPool::set_free(Slot slot) {
    entries_[slot].state = State::free;
    free_.push_back(slot);
    held_.fetch_sub(1, std::memory_order_relaxed);
}

void SegmentPool::trim() {
    if (held_bytes() == 0) ::madvise(memory_, entries_.size() * segment_bytes, MADV_DONTNEED);
}

void SegmentPool::link_newest(Slot slot) {
    Entry& entry = entries_[slot];
    entry.before = newest_;
    entry.after = no_slot;
    (newest_ == no_slot ? oldest_ : entries_[newest_].after) = slot;
    newest_ = slot;
}

void SegmentPool::unlink(Slot slot) {
    const Entry& entry = entries_[slot];
    (entry.before == no_slot ? oldest_ : entries_[entry.before].after) = entry.after;
    (entry.after == no_slot ? newest_ : entries_[entry.after].before) = entry.before;
}

} // namespace plankurier::swarm
