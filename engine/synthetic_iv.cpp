#include "engine/synthetic_iv.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>

namespace plankurier {

namespace {

struct FreeHmac {
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
struct FreeGmac {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

constexpr std::size_t gmac_bytes = 16;

/// The nonce of GMAC: u32 last || u64 index.
std::array<std::byte, 12> nonce_of(std::uint64_t index, bool last) noexcept {
    std::array<std::byte, 12> nonce{};
    nonce[3] = last ? std::byte{1} : std::byte{0};
    for (std::size_t i = 0; i < 8; ++i) {
        nonce[4 + i] = static_cast<std::byte>(index >> (56 - 8 * i) & 0xFFU);
    }
    return nonce;
}

} // namespace

struct SyntheticIv::State {
    /// Both are keyed once; each segment starts them anew with the same key.
    std::unique_ptr<EVP_CIPHER_CTX, FreeGmac> gmac{EVP_CIPHER_CTX_new()};
    std::unique_ptr<EVP_MAC_CTX, FreeHmac> hmac;

    State(const TransferKey& key, const TransferId& transfer) {
        crypto::Key256 hash_key;
        derive(key, transfer, "iv-hash", hash_key.reveal_mutable());
        expects(EVP_EncryptInit_ex(gmac.get(), EVP_aes_256_gcm(), nullptr,
                                   raw(hash_key.reveal().data()), nullptr) == 1,
                "GMAC key");
        crypto::Key256 iv_key;
        derive(key, transfer, "iv", iv_key.reveal_mutable());
        EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
        hmac.reset(EVP_MAC_CTX_new(algorithm));
        EVP_MAC_free(algorithm);
        char digest[] = "SHA256";
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_end()};
        expects(EVP_MAC_init(hmac.get(), raw(iv_key.reveal().data()), iv_key.size, parameters) == 1,
                "HMAC key");
    }
};

SyntheticIv::SyntheticIv(const TransferKey& key, const TransferId& transfer)
    : state_(std::make_unique<State>(key, transfer)) {}
SyntheticIv::~SyntheticIv() = default;
SyntheticIv::SyntheticIv(SyntheticIv&&) noexcept = default;
SyntheticIv& SyntheticIv::operator=(SyntheticIv&&) noexcept = default;

std::array<std::byte, 12> SyntheticIv::of(std::uint64_t index, bool last, ByteView plain) {
    EVP_CIPHER_CTX* const gmac = state_->gmac.get();
    EVP_MAC_CTX* const hmac = state_->hmac.get();
    const auto nonce = nonce_of(index, last);
    std::array<std::byte, gmac_bytes> tag{};
    std::array<std::byte, 32> full{};
    int written = 0;
    std::size_t length = 0;
    const bool ok = EVP_EncryptInit_ex(gmac, nullptr, nullptr, nullptr, raw(nonce.data())) == 1 &&
                    EVP_EncryptUpdate(gmac, nullptr, &written, raw(plain.data()),
                                      static_cast<int>(plain.size())) == 1 &&
                    EVP_EncryptFinal_ex(gmac, raw(full.data()), &written) == 1 &&
                    EVP_CIPHER_CTX_ctrl(gmac, EVP_CTRL_AEAD_GET_TAG, gmac_bytes, tag.data()) == 1 &&
                    EVP_MAC_init(hmac, nullptr, 0, nullptr) == 1 &&
                    EVP_MAC_update(hmac, raw(tag.data()), tag.size()) == 1 &&
                    EVP_MAC_final(hmac, raw(full.data()), &length, full.size()) == 1;
    wipe(tag);
    expects(ok, "synthetic IV");
    std::array<std::byte, 12> iv{};
    std::copy_n(full.begin(), iv.size(), iv.begin());
    return iv;
}

} // namespace plankurier
