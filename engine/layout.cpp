#include <plankurier/layout.hpp>

#include <algorithm>
#include <bit>

namespace plankurier {

namespace {

/// Bytes of a piece for a body of this length. The same thresholds serve the content length and
/// the padded length: Padme never lifts a length over one of them (docs/protocol.md "Body").
std::uint64_t piece_bytes_for(std::uint64_t length) noexcept {
    if (length < std::uint64_t{64} << 20) return segment_bytes;
    if (length < std::uint64_t{1} << 30) return segment_bytes * 4;
    if (length < std::uint64_t{256} << 30) return segment_bytes * 16;
    return segment_bytes * 64;
}

} // namespace

std::uint64_t padme(std::uint64_t length) noexcept {
    if (length < 2) return 1;
    const auto exponent = static_cast<unsigned>(std::bit_width(length) - 1);
    const auto significant = static_cast<unsigned>(std::bit_width(exponent));
    if (exponent <= significant) return length;
    const std::uint64_t mask = (std::uint64_t{1} << (exponent - significant)) - 1;
    return (length + mask) & ~mask;
}

Result<BodyLayout> BodyLayout::for_content(std::uint64_t content_bytes) {
    if (content_bytes > body_bytes_max) return fail(Errc::too_large, "content");
    const std::uint64_t padded = padme(content_bytes);
    const std::uint64_t piece_bytes = piece_bytes_for(padded);
    const std::uint64_t piece_plain = piece_bytes / segment_bytes * segment_plain_bytes;
    const std::uint64_t body_len = (padded + piece_plain - 1) / piece_plain * piece_plain;
    if (body_len > body_bytes_max) return fail(Errc::too_large, "body");
    return BodyLayout{body_len, piece_bytes};
}

Result<BodyLayout> BodyLayout::from_body_len(std::uint64_t body_len) {
    if (body_len == 0 || body_len > body_bytes_max) return fail(Errc::malformed, "body length");
    const std::uint64_t piece_bytes = piece_bytes_for(body_len);
    const std::uint64_t piece_plain = piece_bytes / segment_bytes * segment_plain_bytes;
    if (body_len % piece_plain != 0) return fail(Errc::malformed, "body length");
    return BodyLayout{body_len, piece_bytes};
}

std::uint32_t BodyLayout::pieces_in_volume(std::uint32_t volume) const noexcept {
    const std::uint64_t first = std::uint64_t{volume} * volume_pieces_max;
    if (first >= pieces()) return 0;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(volume_pieces_max, pieces() - first));
}

} // namespace plankurier
