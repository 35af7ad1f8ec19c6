#pragma once
/// The few primitives everything else is made of, over OpenSSL EVP and libsodium. Internal to the
/// engine. Stateless; any thread.

#include <plankurier/bytes.hpp>
#include <plankurier/secret.hpp>

#include <initializer_list>

namespace plankurier::crypto {

using Key256 = Secret<32, struct Key256Tag>;

/// HMAC-SHA-384 / HMAC-SHA-256 (RFC 2104) over the concatenation of `parts`, truncated to
/// `out.size()`.
void hmac_sha384(ByteView key, std::initializer_list<ByteView> parts, std::span<std::byte> out);
void hmac_sha256(ByteView key, std::initializer_list<ByteView> parts, std::span<std::byte> out);

/// SHA-512 (FIPS 180-4).
[[nodiscard]] std::array<std::byte, 64> sha512(ByteView bytes);

/// AES-256-GCM with a 12-byte nonce; the result is ciphertext then the 16-byte tag.
[[nodiscard]] Bytes gcm_seal(ByteView key, ByteView nonce, ByteView aad, ByteView plain);
/// The inverse into `out` (sealed.size() - 16 bytes). False when the tag does not fit; `out` is
/// then wiped.
[[nodiscard]] bool gcm_open(ByteView key, ByteView nonce, ByteView aad, ByteView sealed,
                            std::span<std::byte> out);

/// What a reader lets somebody else's bytes cost it: at most 10 passes and 1 GiB. Fails with
/// `malformed` (nothing that Argon2id can do) or `too_large`.
[[nodiscard]] Result<void> check_argon2_cost(std::uint32_t passes, std::uint32_t memory_kib);
/// Argon2id v1.3 with p = 1 (RFC 9106). Throws std::bad_alloc when the memory is not to be had.
void argon2id(std::string_view password, std::span<const std::byte, 16> salt, std::uint32_t passes,
              std::uint32_t memory_kib, std::span<std::byte> out);

} // namespace plankurier::crypto

namespace plankurier {

/// Appends big-endian integers and byte strings to a growing byte string.
class Writer {
public:
    Writer& u8(std::uint8_t value) { return number(value, 1); }
    Writer& u16(std::uint16_t value) { return number(value, 2); }
    Writer& u32(std::uint32_t value) { return number(value, 4); }
    Writer& u64(std::uint64_t value) { return number(value, 8); }
    Writer& bytes(ByteView raw) {
        out_.insert(out_.end(), raw.begin(), raw.end());
        return *this;
    }
    Writer& text(std::string_view raw) { return bytes(as_bytes(raw)); }
    [[nodiscard]] const Bytes& view() const noexcept { return out_; }
    [[nodiscard]] Bytes take() noexcept { return std::move(out_); }

private:
    Writer& number(std::uint64_t value, unsigned width) {
        for (unsigned i = width; i-- > 0;) {
            out_.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFFU));
        }
        return *this;
    }
    Bytes out_;
};

/// Takes big-endian integers and byte strings from the front. After running past the end `ok()`
/// is false and everything taken is zero or empty.
class Reader {
public:
    explicit Reader(ByteView bytes) noexcept : rest_(bytes) {}
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    ByteView bytes(std::size_t count) {
        if (count > rest_.size()) {
            ok_ = false;
            return {};
        }
        const ByteView taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }
    /// Copies exactly `N` bytes.
    template <std::size_t N>
    std::array<std::byte, N> array() {
        std::array<std::byte, N> out{};
        const ByteView taken = bytes(N);
        std::copy(taken.begin(), taken.end(), out.begin());
        return out;
    }
    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool at_end() const noexcept { return ok_ && rest_.empty(); }
    [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

private:
    std::uint64_t number(std::size_t width) {
        std::uint64_t value = 0;
        for (const std::byte b : bytes(width))
            value = value << 8 | std::to_integer<std::uint64_t>(b);
        return value;
    }
    ByteView rest_;
    bool ok_{true};
};

} // namespace plankurier
