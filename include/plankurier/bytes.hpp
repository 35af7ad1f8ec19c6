#pragma once
/// Byte strings and their text forms. Free functions; any thread.

#include <plankurier/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plankurier {

/// An owned byte string that holds nothing secret (secrets: secret.hpp).
using Bytes = std::vector<std::byte>;
/// A view of bytes that somebody else owns for at least the duration of the call.
using ByteView = std::span<const std::byte>;

/// The bytes of a text, without copying. The text must outlive the view.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span{text.data(), text.size()});
}
/// The text that lies in bytes, without copying or checking. The bytes must outlive the view.
[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Bytes as OpenSSL and libsodium take them.
[[nodiscard]] inline unsigned char* raw(std::byte* at) noexcept {
    return reinterpret_cast<unsigned char*>(at);
}
[[nodiscard]] inline const unsigned char* raw(const std::byte* at) noexcept {
    return reinterpret_cast<const unsigned char*>(at);
}

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(ByteView bytes);
/// The bytes of an even number of hexadecimal digits. Fails with `malformed`.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);
/// URL-safe base64 without padding (RFC 4648, section 5).
[[nodiscard]] std::string to_base64url(ByteView bytes);
/// The strict inverse: no padding, no white space, canonical last digit. Fails with `malformed`.
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);
/// Standard base64 with padding (RFC 4648, section 4), as minisign files use it.
[[nodiscard]] std::string to_base64(ByteView bytes);
/// The strict inverse of to_base64. Fails with `malformed`.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);

/// True when both have the same length and content. Takes the same time for equal lengths,
/// whatever the contents are; only the lengths may leak.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b) noexcept;

/// SHA-256 (FIPS 180-4).
[[nodiscard]] std::array<std::byte, 32> sha256(ByteView bytes);

/// Fills the span with bytes from the operating system's generator (libsodium randombytes).
void fill_random(std::span<std::byte> out) noexcept;

} // namespace plankurier
