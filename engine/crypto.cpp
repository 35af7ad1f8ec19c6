#include "engine/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <memory>
#include <new>

namespace plankurier::crypto {

namespace {

struct FreeMac {
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

void hmac(const char* digest, ByteView key, std::initializer_list<ByteView> parts,
          std::span<std::byte> out) {
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    std::string name{digest};
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
        OSSL_PARAM_construct_end()};
    const std::unique_ptr<EVP_MAC_CTX, FreeMac> context{EVP_MAC_CTX_new(algorithm)};
    bool ok = EVP_MAC_init(context.get(), raw(key.data()), key.size(), parameters) == 1;
    for (const ByteView part : parts) {
        ok = ok && EVP_MAC_update(context.get(), raw(part.data()), part.size()) == 1;
    }
    std::array<std::byte, 64> full{};
    std::size_t length = 0;
    ok = ok && EVP_MAC_final(context.get(), raw(full.data()), &length, full.size()) == 1;
    expects(ok && out.size() <= length, "HMAC");
    std::copy_n(full.begin(), out.size(), out.begin());
    wipe(full);
}

int length_of(ByteView bytes) noexcept { return static_cast<int>(bytes.size()); }

} // namespace

void hmac_sha384(ByteView key, std::initializer_list<ByteView> parts, std::span<std::byte> out) {
    hmac("SHA384", key, parts, out);
}
void hmac_sha256(ByteView key, std::initializer_list<ByteView> parts, std::span<std::byte> out) {
    hmac("SHA256", key, parts, out);
}

std::array<std::byte, 64> sha512(ByteView bytes) {
    std::array<std::byte, 64> digest;
    expects(EVP_Digest(bytes.data(), bytes.size(), raw(digest.data()), nullptr, EVP_sha512(),
                       nullptr) == 1,
            "SHA-512");
    return digest;
}

Bytes gcm_seal(ByteView key, ByteView nonce, ByteView aad, ByteView plain) {
    expects(key.size() == 32 && nonce.size() == 12, "GCM key and nonce");
    Bytes out(plain.size() + 16);
    const CipherContext context{EVP_CIPHER_CTX_new()};
    int written = 0;
    bool ok =
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(key.data()),
                           raw(nonce.data())) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &written, raw(aad.data()), length_of(aad)) == 1;
    if (!plain.empty()) {
        ok = ok && EVP_EncryptUpdate(context.get(), raw(out.data()), &written, raw(plain.data()),
                                     length_of(plain)) == 1;
    }
    std::byte* const tag = out.data() + plain.size();
    ok = ok && EVP_EncryptFinal_ex(context.get(), raw(tag), &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
    expects(ok, "GCM seal");
    return out;
}

bool gcm_open(ByteView key, ByteView nonce, ByteView aad, ByteView sealed,
              std::span<std::byte> out) {
    expects(key.size() == 32 && nonce.size() == 12, "GCM key and nonce");
    if (sealed.size() < 16 || out.size() != sealed.size() - 16) return false;
    const CipherContext context{EVP_CIPHER_CTX_new()};
    int written = 0;
    bool ok =
        EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(key.data()),
                           raw(nonce.data())) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &written, raw(aad.data()), length_of(aad)) == 1;
    if (!out.empty()) {
        ok = ok && EVP_DecryptUpdate(context.get(), raw(out.data()), &written, raw(sealed.data()),
                                     static_cast<int>(out.size())) == 1;
    }
    std::array<std::byte, 16> tag{};
    std::copy(sealed.end() - 16, sealed.end(), tag.begin());
    std::array<unsigned char, 16> rest{};
    ok = ok && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1 &&
         EVP_DecryptFinal_ex(context.get(), rest.data(), &written) == 1;
    if (!ok) wipe(out);
    return ok;
}

Result<void> check_argon2_cost(std::uint32_t passes, std::uint32_t memory_kib) {
    constexpr std::uint32_t passes_max = 10, memory_kib_min = 8, memory_kib_max = 1U << 20;
    if (passes == 0 || memory_kib < memory_kib_min) return fail(Errc::malformed, "Argon2id cost");
    if (passes > passes_max || memory_kib > memory_kib_max) {
        return fail(Errc::too_large, "Argon2id cost");
    }
    return {};
}

void argon2id(std::string_view password, std::span<const std::byte, 16> salt, std::uint32_t passes,
              std::uint32_t memory_kib, std::span<std::byte> out) {
    if (crypto_pwhash(raw(out.data()), out.size(), password.data(), password.size(),
                      raw(salt.data()), passes, std::size_t{memory_kib} * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        throw std::bad_alloc{};
    }
}

} // namespace plankurier::crypto
