#pragma once
/// The data plane of the format: segments sealed and opened, piece roots, descriptors
/// (format 3.1-3.3). One object belongs to one thread at a time; no allocation per segment.

#include <plankurier/envelope.hpp>
#include <plankurier/layout.hpp>

#include <memory>

namespace plankurier {

/// Seals segments of one body with a synthetic IV: the same plaintext at the same place gives the
/// same bytes, changed plaintext never reuses a key stream (format 3.2).
class SegmentSealer {
public:
    SegmentSealer(const TransferKey& key, const TransferId& transfer, const FloeHeader& header,
                  std::uint64_t segments);
    ~SegmentSealer();
    SegmentSealer(SegmentSealer&&) noexcept;
    SegmentSealer& operator=(SegmentSealer&&) noexcept;
    /// `plain`: exactly segment_plain_bytes, a private copy that nobody changes meanwhile;
    /// `out`: exactly segment_bytes, not overlapping; `index` < segments.
    void seal(std::uint64_t index, ByteView plain, std::span<std::byte> out);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Opens segments of one body in any order.
class SegmentOpener {
public:
    SegmentOpener(const TransferKey& key, const TransferId& transfer, const FloeHeader& header,
                  std::uint64_t segments);
    ~SegmentOpener();
    SegmentOpener(SegmentOpener&&) noexcept;
    SegmentOpener& operator=(SegmentOpener&&) noexcept;
    /// `sealed`: exactly segment_bytes; `out`: exactly segment_plain_bytes, may not overlap.
    /// Fails with `tampered`; `out` then holds nothing usable (it is wiped).
    [[nodiscard]] Result<void> open(std::uint64_t index, ByteView sealed, std::span<std::byte> out);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// SHA-256 merkle root over 16 KiB blocks of one piece (BEP 52), fed in order while in cache.
class PieceHasher {
public:
    PieceHasher();
    ~PieceHasher();
    PieceHasher(PieceHasher&&) noexcept;
    PieceHasher& operator=(PieceHasher&&) noexcept;
    /// A whole number of blocks.
    void update(ByteView bytes);
    /// The root of what was fed (a power of two of blocks), and a fresh start.
    [[nodiscard]] Hash256 finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What a volume must contain, with the sender's MAC (format 3.3).
struct Descriptor {
    std::uint32_t volume{};
    std::uint64_t length{}; ///< sealed bytes
    Hash256 root{};         ///< BEP 52 root of the volume
    std::vector<Hash256> piece_roots;
    std::array<std::byte, 32> mac{};
    friend bool operator==(const Descriptor&, const Descriptor&) = default;
};
/// The BEP 52 root over piece roots: pairs hashed upward, missing leaves filled with the root of
/// an all-zero piece of `piece_bytes`.
[[nodiscard]] Hash256 volume_root(std::span<const Hash256> piece_roots, std::uint64_t piece_bytes);
/// A descriptor with root and MAC.
[[nodiscard]] Descriptor make_descriptor(const TransferKey& key, const TransferId& transfer,
                                         std::uint32_t volume, std::uint64_t piece_bytes,
                                         std::vector<Hash256> piece_roots);
[[nodiscard]] Bytes encode_descriptor(const Descriptor& descriptor);
/// Fails with `malformed`. Checks no MAC.
[[nodiscard]] Result<Descriptor> decode_descriptor(ByteView bytes);
/// Checks MAC (constant time), length and root against the layout. Fails with `tampered`.
[[nodiscard]] Result<void> check_descriptor(const TransferKey& key, const TransferId& transfer,
                                            const BodyLayout& layout, const Descriptor& descriptor);
/// SHA-256 over the encoded descriptors in volume order.
[[nodiscard]] Hash256 content_root(std::span<const Bytes> encoded_descriptors);

} // namespace plankurier
