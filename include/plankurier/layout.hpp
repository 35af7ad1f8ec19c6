#pragma once
/// How the body of a transfer is cut: segments, pieces, volumes. Pure arithmetic on sizes
/// (docs/protocol.md "Body"); no I/O. Values; any thread.

#include <plankurier/error.hpp>

#include <cstdint>

namespace plankurier {

/// Bytes of one sealed segment, and of the plaintext in it. 32 bytes are length, IV and tag.
inline constexpr std::uint64_t segment_bytes = 262'144;
inline constexpr std::uint64_t segment_plain_bytes = segment_bytes - 32;
/// Pieces of a volume; only the last volume of a body may have fewer.
inline constexpr std::uint32_t volume_pieces_max = 64;
/// Bytes of one BitTorrent v2 block, the leaf of a piece root (BEP 52).
inline constexpr std::uint64_t block_bytes = 16'384;
/// Largest padded plaintext length of a body: numbers stay exact in JavaScript.
inline constexpr std::uint64_t body_bytes_max = (std::uint64_t{1} << 53) - 1;

/// Padme: rounds a length up so that only its magnitude shows (PURBs, Nikitin et al. 2019,
/// algorithm 1). At most 12 % more, less for larger lengths. `padme(0)` is 1.
[[nodiscard]] std::uint64_t padme(std::uint64_t length) noexcept;

/// The cut of one body. Every body is a whole number of pieces, so the last segment is full too.
class BodyLayout {
public:
    /// For files of `content_bytes` in total (0 allowed: a message alone still has one piece).
    /// Fails with `too_large` when the padded length would exceed `body_bytes_max`.
    [[nodiscard]] static Result<BodyLayout> for_content(std::uint64_t content_bytes);
    /// From the authenticated `body_len` of an envelope. Fails with `malformed` when no content
    /// length could have led to it.
    [[nodiscard]] static Result<BodyLayout> from_body_len(std::uint64_t body_len);

    /// Padded plaintext bytes (`body_len` of the envelope).
    [[nodiscard]] std::uint64_t body_len() const noexcept { return body_len_; }
    /// Sealed bytes: what relays store.
    [[nodiscard]] std::uint64_t sealed_bytes() const noexcept { return segments() * segment_bytes; }
    /// Bytes of one sealed piece: 256 KiB, 1, 4 or 16 MiB. All pieces have this size.
    [[nodiscard]] std::uint64_t piece_bytes() const noexcept { return piece_bytes_; }
    [[nodiscard]] std::uint32_t segments_per_piece() const noexcept {
        return static_cast<std::uint32_t>(piece_bytes_ / segment_bytes);
    }
    [[nodiscard]] std::uint64_t segments() const noexcept {
        return body_len_ / segment_plain_bytes;
    }
    [[nodiscard]] std::uint64_t pieces() const noexcept {
        return segments() / segments_per_piece();
    }
    [[nodiscard]] std::uint32_t volumes() const noexcept {
        return static_cast<std::uint32_t>((pieces() + volume_pieces_max - 1) / volume_pieces_max);
    }
    /// Pieces in volume `volume` (0-based): 64, or fewer in the last one.
    [[nodiscard]] std::uint32_t pieces_in_volume(std::uint32_t volume) const noexcept;
    /// Sealed bytes in volume `volume`.
    [[nodiscard]] std::uint64_t volume_bytes(std::uint32_t volume) const noexcept {
        return pieces_in_volume(volume) * piece_bytes_;
    }
    friend bool operator==(const BodyLayout&, const BodyLayout&) = default;

private:
    BodyLayout(std::uint64_t body_len, std::uint64_t piece_bytes) noexcept
        : body_len_(body_len), piece_bytes_(piece_bytes) {}

    std::uint64_t body_len_;
    std::uint64_t piece_bytes_;
};

} // namespace plankurier
