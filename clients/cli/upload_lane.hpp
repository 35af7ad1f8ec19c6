#pragma once
/// One lane of an upload: seals a piece two segments at a time (a piece has one segment or an even
/// number), straight into libcurl's buffer where they fit. Internal to the upload; belongs to one
/// thread.

#include <clients/cli/upload.hpp>

namespace plankurier::cli {

/// Gives the sealed bytes of one piece in order and hashes them on the way.
class PieceStream {
public:
    PieceStream(const TransferKey& key, const TransferId& transfer, const FloeHeader& header,
                const BodyLayout& layout, const BodySource& source);

    /// Starts with the first byte of this piece.
    void start(std::uint64_t piece);
    /// The next bytes; 0 when the source failed (see `error`) or the piece is complete.
    std::size_t produce(std::span<std::byte> out);
    /// The root of the piece; only after all its bytes were produced.
    [[nodiscard]] Hash256 root() { return hasher_.finish(); }
    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }
    /// Bytes produced since `start`.
    [[nodiscard]] std::uint64_t produced() const noexcept { return produced_; }

private:
    /// Segments that are read, sealed and handed over together.
    [[nodiscard]] std::size_t step_segments() const noexcept;
    [[nodiscard]] bool seal_next(std::span<std::byte> out);

    BodyLayout layout_;
    const BodySource& source_;
    SegmentSealer sealer_;
    PieceHasher hasher_;
    Bytes plain_, sealed_;
    std::size_t sealed_at_{};
    std::uint64_t next_segment_{}, end_segment_{}, produced_{};
    std::optional<Error> error_;
};

} // namespace plankurier::cli
