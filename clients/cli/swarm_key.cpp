#include <clients/cli/swarm_key.hpp>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <stdexcept>

namespace plankurier::cli {

namespace {
struct FreeKey {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeBio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
} // namespace

SwarmKey make_swarm_key() {
    const std::unique_ptr<EVP_PKEY, FreeKey> key{EVP_EC_gen("P-256")};
    // A BIO in secure memory is wiped when it is freed.
    const std::unique_ptr<BIO, FreeBio> pem{BIO_new(BIO_s_secmem())};
    unsigned char* der = nullptr;
    const int der_bytes = key ? i2d_PUBKEY(key.get(), &der) : 0;
    const bool written = key && pem &&
                         PEM_write_bio_PKCS8PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0,
                                                       nullptr, nullptr) == 1;
    char* text = nullptr;
    const auto text_bytes = written ? BIO_get_mem_data(pem.get(), &text) : 0;
    if (der_bytes <= 0 || text_bytes <= 0) throw std::runtime_error("no key for the swarm");
    SwarmKey out;
    out.private_key = SecretText{std::string_view{text, static_cast<std::size_t>(text_bytes)}};
    const auto bytes = std::as_bytes(std::span{der, static_cast<std::size_t>(der_bytes)});
    out.public_key.assign(bytes.begin(), bytes.end());
    OPENSSL_free(der);
    return out;
}

} // namespace plankurier::cli
