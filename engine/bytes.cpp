#include "engine/crypto.hpp"

#include <plankurier/bytes.hpp>
#include <plankurier/secret.hpp>

#include <openssl/evp.h>
#include <sodium.h>

namespace plankurier {

namespace {

/// libsodium's manual: before any other call, since until then it takes its portable code, which is
/// half as fast for Argon2id. Here, because nothing of the engine does without this file, and
/// before `main`, because any thread may be the first.
const bool sodium_started = [] {
    expects(sodium_init() >= 0, "libsodium starts");
    return true;
}();

std::string encode(ByteView bytes, int variant) {
    std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(text.data(), text.size(), raw(bytes.data()), bytes.size(), variant);
    text.pop_back(); // the terminating zero that libsodium writes
    return text;
}

Result<Bytes> decode(std::string_view text, int variant) {
    if (text.empty()) return Bytes{}; // libsodium takes no null pointer
    Bytes bytes(text.size());
    std::size_t length = 0;
    const char* end = nullptr;
    if (sodium_base642bin(raw(bytes.data()), bytes.size(), text.data(), text.size(), nullptr,
                          &length, &end, variant) != 0 ||
        end != text.data() + text.size()) {
        return fail(Errc::malformed, "base64");
    }
    bytes.resize(length);
    // libsodium accepts non-zero spare bits in the last digit; a canonical form has none.
    if (encode(bytes, variant) != text) return fail(Errc::malformed, "base64");
    return bytes;
}

} // namespace

std::string to_hex(ByteView bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte value : bytes) {
        text += digits[std::to_integer<unsigned>(value) >> 4];
        text += digits[std::to_integer<unsigned>(value) & 15U];
    }
    return text;
}

Result<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return fail(Errc::malformed, "hex");
    if (text.empty()) return Bytes{}; // libsodium takes no null pointer
    Bytes bytes(text.size() / 2);
    std::size_t length = 0;
    const char* end = nullptr;
    if (sodium_hex2bin(raw(bytes.data()), bytes.size(), text.data(), text.size(), nullptr, &length,
                       &end) != 0 ||
        length != bytes.size() || end != text.data() + text.size()) {
        return fail(Errc::malformed, "hex");
    }
    return bytes;
}

std::string to_base64url(ByteView bytes) {
    return encode(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
Result<Bytes> from_base64url(std::string_view text) {
    return decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
std::string to_base64(ByteView bytes) { return encode(bytes, sodium_base64_VARIANT_ORIGINAL); }
Result<Bytes> from_base64(std::string_view text) {
    return decode(text, sodium_base64_VARIANT_ORIGINAL);
}

bool equal_constant_time(ByteView a, ByteView b) noexcept {
    return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

std::array<std::byte, 32> sha256(ByteView bytes) {
    std::array<std::byte, 32> digest;
    expects(EVP_Digest(bytes.data(), bytes.size(), raw(digest.data()), nullptr, EVP_sha256(),
                       nullptr) == 1,
            "SHA-256");
    return digest;
}

void fill_random(std::span<std::byte> out) noexcept { randombytes_buf(out.data(), out.size()); }

void wipe(std::span<std::byte> memory) noexcept { sodium_memzero(memory.data(), memory.size()); }

} // namespace plankurier
