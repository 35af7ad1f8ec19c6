#include "relay/adapters/sealing_box.hpp"

#include <openssl/evp.h>

#include <memory>

namespace plankurier::relay::adapters {

namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

int length(std::size_t bytes) noexcept { return static_cast<int>(bytes); }

/// Key, nonce and purpose; what follows is the text.
bool start(EVP_CIPHER_CTX* context, ByteView key, ByteView nonce, std::string_view purpose,
           bool to_seal) {
    int written = 0;
    return EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nullptr, raw(key.data()),
                             raw(nonce.data()), to_seal ? 1 : 0) == 1 &&
           EVP_CipherUpdate(context, nullptr, &written, raw(as_bytes(purpose).data()),
                            length(purpose.size())) == 1;
}

} // namespace

Bytes box_seal(ByteView key, std::string_view purpose, ByteView plain) {
    Bytes out(nonce_bytes + plain.size() + tag_bytes);
    fill_random(std::span{out}.first(nonce_bytes));
    const Context context{EVP_CIPHER_CTX_new()};
    int written = 0;
    bool ok = start(context.get(), key, ByteView{out}.first(nonce_bytes), purpose, true);
    if (!plain.empty()) {
        ok = ok && EVP_EncryptUpdate(context.get(), raw(out.data() + nonce_bytes), &written,
                                     raw(plain.data()), length(plain.size())) == 1;
    }
    std::byte* const tag = out.data() + nonce_bytes + plain.size();
    ok = ok && EVP_EncryptFinal_ex(context.get(), raw(tag), &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, length(tag_bytes), tag) == 1;
    expects(ok, "sealing at rest");
    return out;
}

Result<Bytes> box_open(ByteView key, std::string_view purpose, ByteView sealed) {
    if (sealed.size() < nonce_bytes + tag_bytes) return fail(Errc::tampered, "at rest");
    Bytes out(sealed.size() - nonce_bytes - tag_bytes);
    const Context context{EVP_CIPHER_CTX_new()};
    int written = 0;
    bool ok = start(context.get(), key, sealed.first(nonce_bytes), purpose, false);
    if (!out.empty()) {
        ok = ok &&
             EVP_DecryptUpdate(context.get(), raw(out.data()), &written,
                               raw(sealed.subspan(nonce_bytes).data()), length(out.size())) == 1;
    }
    Bytes tag{sealed.end() - tag_bytes, sealed.end()};
    std::array<unsigned char, tag_bytes> rest{};
    ok = ok &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, length(tag_bytes), tag.data()) ==
             1 &&
         EVP_DecryptFinal_ex(context.get(), rest.data(), &written) == 1;
    if (!ok) return fail(Errc::tampered, "at rest");
    return out;
}

} // namespace plankurier::relay::adapters
