#pragma once
/// The memory of a swarm: slots of one segment each, used for what is read and what arrives, all
/// volumes together. Belongs to libtorrent's network thread, but for `held_bytes` (any thread) and
/// the bytes of a slot that a worker was given.

#include "engine/swarm/disk_volume.hpp"

#include <atomic>

namespace plankurier::swarm {

using Slot = std::uint32_t;
inline constexpr Slot no_slot = ~Slot{0};

class SegmentPool {
public:
    /// Fails (std::runtime_error) for less than 4 MiB, or when there is no memory.
    explicit SegmentPool(std::uint64_t bytes_max);
    ~SegmentPool();
    SegmentPool(const SegmentPool&) = delete;
    SegmentPool& operator=(const SegmentPool&) = delete;

    enum class State : std::uint8_t {
        free,
        loading, ///< a worker reads it
        shown,   ///< read, and lent to send buffers
        cached,  ///< read; the next who needs room takes the longest unused
        filling, ///< blocks arrive
        writing  ///< a worker hashes and writes it
    };
    struct Waiter {
        lt::peer_request request;
        ReadHandler handler;
    };
    struct Entry {
        State state{State::free};
        DiskVolume* owner{}; ///< none: its volume is gone, but send buffers still show it
        std::uint32_t segment{};
        std::uint32_t lent{}; ///< send buffers that point into it
        Slot before{no_slot}, after{no_slot};
        std::uint16_t present{};     ///< filling: the blocks that are there
        std::vector<Waiter> waiters; ///< loading: those who asked
        std::array<WriteHandler, segment_blocks> handlers;
    };

    [[nodiscard]] Entry& at(Slot slot) noexcept { return entries_[slot]; }
    [[nodiscard]] std::span<std::byte> bytes(Slot slot) const noexcept {
        return {memory_ + slot * segment_bytes, segment_bytes};
    }
    /// The slot into which a pointer points.
    [[nodiscard]] Slot slot_of(const char* pointer) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::uint64_t held_bytes() const noexcept {
        return held_.load(std::memory_order_relaxed) * segment_bytes;
    }

    /// A slot to read into (`loading`) or to fill (`filling`), noted in `owner`; `no_slot` when
    /// that kind has its share. Each kind may hold three quarters, so that neither starves.
    [[nodiscard]] Slot take(State purpose, DiskVolume& owner, std::uint32_t segment);
    /// A worker has read it.
    void loaded(Slot slot);
    void lend(Slot slot);
    void give_back(Slot slot);
    /// Makes a slot free, or leaves it to the send buffers that still show it.
    void release(Slot slot);
    /// Gives the pages back to the system when no slot is in use.
    void trim();

private:
    void unlink(Slot slot);
    void link_newest(Slot slot);
    void set_free(Slot slot);
    void rest(Slot slot);

    std::byte* memory_{};
    std::vector<Entry> entries_;
    std::vector<Slot> free_;
    Slot oldest_{no_slot}, newest_{no_slot};
    std::size_t share_max_, reading_{}, writing_{};
    std::atomic<std::uint64_t> held_{};
};

} // namespace plankurier::swarm
