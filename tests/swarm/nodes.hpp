#pragma once
/// Swarms that remember their events, volumes of random bytes, and backings that can be watched
/// and broken. Thread safe where the swarm's own threads come in.

#include "tests/support/swarm_certificates.hpp"

#include <plankurier/swarm.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace plankurier::test {

using Kind = SwarmEvent::Kind;

/// A volume of random bytes with its roots.
struct TestVolume {
    SwarmVolume about;
    Bytes bytes;
    explicit TestVolume(std::size_t pieces = 8, std::uint64_t piece_bytes = segment_bytes,
                        std::uint32_t volume = 0, TransferId transfer = TransferId::random());
    [[nodiscard]] std::uint64_t all() const {
        return ~std::uint64_t{0} >> (64 - about.piece_roots.size());
    }
};

/// The bytes of a volume in memory.
class MemoryBacking : public VolumeBacking {
public:
    explicit MemoryBacking(Bytes bytes) : bytes_(std::move(bytes)) {}
    explicit MemoryBacking(const TestVolume& empty) : bytes_(empty.bytes.size()) {}

    Result<void> read(std::uint64_t offset, std::span<std::byte> out) override;
    Result<void> write(std::uint64_t offset, std::span<std::byte> segment) override;
    [[nodiscard]] Bytes bytes() const;
    std::atomic<int> reads{}, writes{};
    std::atomic<int> lies_left{};                   ///< reads that give other bytes
    std::atomic<int> fails_with{-1};                ///< an Errc: of reads and writes
    std::atomic<std::chrono::milliseconds> delay{}; ///< of a write

private:
    mutable std::mutex mutex_; ///< guards bytes_
    Bytes bytes_;
};

/// A swarm and everything it told.
class Node {
public:
    explicit Node(SwarmSettings settings = {});
    Swarm& operator*() { return *swarm_; }
    Swarm* operator->() { return swarm_.get(); }

    /// Waits until such an event was told. False when that takes more than 30 s.
    [[nodiscard]] bool saw(Kind kind, const SwarmVolume& volume);
    [[nodiscard]] std::size_t count(Kind kind, const SwarmVolume& volume) const;
    /// The last such event.
    [[nodiscard]] SwarmEvent last(Kind kind) const;
    /// All of one kind, in order.
    [[nodiscard]] std::vector<SwarmEvent> all(Kind kind) const;
    /// Adds and waits for `ready`.
    [[nodiscard]] bool load(const TestVolume& volume, std::shared_ptr<VolumeBacking> backing,
                            std::uint64_t have, const SwarmCertificate* certificate = nullptr);
    [[nodiscard]] bool connect(const TestVolume& volume, Node& to);

private:
    mutable std::mutex mutex_; ///< guards events_
    mutable std::condition_variable more_;
    std::vector<SwarmEvent> events_;
    std::unique_ptr<Swarm> swarm_; ///< last: it tells until it is gone
};

/// Plain TCP for everybody on this machine.
[[nodiscard]] SwarmSettings plain_settings();
/// Waits until the condition holds. False when that takes more than 30 s.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);
[[nodiscard]] std::vector<Hash256> roots_of(ByteView bytes, std::uint64_t piece_bytes);
[[nodiscard]] std::uint64_t resident_bytes();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

} // namespace plankurier::test
