#include "relay/adapters/swarm_authority.hpp"

#include "relay/adapters/files.hpp"

#include <plankurier/secret.hpp>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>

namespace plankurier::relay::adapters {

namespace {

namespace fs = std::filesystem;

template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;

/// OpenSSL's own texts could quote what it was given.
void must(bool done, const char* what) {
    if (done) return;
    ERR_clear_error();
    throw std::runtime_error(std::string{"the swarm's CA: "} + what);
}

std::string text_of(BIO* bio) {
    char* begin = nullptr;
    const long length = BIO_get_mem_data(bio, &begin);
    return {begin, static_cast<std::size_t>(length)};
}

std::string pem_of(X509* certificate) {
    const Bio bio{BIO_new(BIO_s_mem())};
    must(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate) == 1, "encode");
    return text_of(bio.get());
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension{
        X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
    must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

/// Version, serial, names, times and key; extensions and signature are still to come.
Certificate begin_certificate(const std::string& name, EVP_PKEY* key, std::int64_t from,
                              std::int64_t until) {
    Certificate certificate{X509_new()};
    must(certificate != nullptr, "new certificate");
    std::array<std::byte, 16> serial{};
    fill_random(serial);
    serial[0] &= std::byte{0x7F}; // positive (RFC 5280, 4.1.2.2)
    const std::unique_ptr<BIGNUM, Freed<BN_free>> number{
        BN_bin2bn(raw(serial.data()), 16, nullptr)};
    X509* const to = certificate.get();
    must(number != nullptr && X509_set_version(to, X509_VERSION_3) == 1 &&
             BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(to)) != nullptr &&
             X509_NAME_add_entry_by_txt(X509_get_subject_name(to), "CN", MBSTRING_ASC,
                                        raw(as_bytes(name).data()), -1, -1, 0) == 1 &&
             ASN1_TIME_set(X509_getm_notBefore(to), from) != nullptr &&
             ASN1_TIME_set(X509_getm_notAfter(to), until) != nullptr &&
             X509_set_pubkey(to, key) == 1,
         "fill in a certificate");
    return certificate;
}

/// Only a whole, valid key of the one kind, with nothing behind it.
Key client_key(ByteView der) {
    const auto* at = raw(der.data());
    const auto* const end = at + der.size();
    Key key{der.size() > 256 ? nullptr : d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()))};
    std::array<char, 32> group{};
    const bool good =
        key && at == end && EVP_PKEY_is_a(key.get(), "EC") == 1 &&
        EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) == 1 &&
        std::string_view{group.data()} == "prime256v1";
    const std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>> context{
        good ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr};
    if (!context || EVP_PKEY_public_check(context.get()) != 1) key.reset();
    ERR_clear_error();
    return key;
}

void make_files(const fs::path& certificate_file, const fs::path& key_file, std::int64_t now) {
    constexpr std::int64_t day_s = 86'400, years_20_s = 20 * 365 * day_s;
    const Key key{EVP_EC_gen("P-256")};
    must(key != nullptr, "make a key");
    const Certificate certificate =
        begin_certificate("Plankurier swarm", key.get(), now - day_s, now + years_20_s);
    X509* const to = certificate.get();
    must(X509_set_issuer_name(to, X509_get_subject_name(to)) == 1, "issuer");
    add_extension(to, to, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(to, to, NID_key_usage, "critical,keyCertSign");
    add_extension(to, to, NID_subject_key_identifier, "hash");
    must(X509_sign(to, key.get(), EVP_sha256()) > 0, "sign");
    const Bio secret{BIO_new(BIO_s_secmem())};
    must(secret != nullptr && PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr,
                                                            nullptr, 0, nullptr, nullptr) == 1,
         "encode the key");
    char* begin = nullptr;
    const long length = BIO_get_mem_data(secret.get(), &begin);
    const std::string_view text{begin, static_cast<std::size_t>(length)};
    // The key first: without its certificate it has signed nothing and may be made anew.
    write_durably(key_file, as_bytes(text));
    write_durably(certificate_file, as_bytes(pem_of(to)));
}

} // namespace

struct SwarmAuthority::State {
    Key key;
    Certificate certificate;
};

SwarmAuthority::SwarmAuthority(const fs::path& folder, std::int64_t now)
    : state_(std::make_unique<State>()) {
    const fs::path certificate_file = folder / "swarm-ca.pem";
    const fs::path key_file = folder / "swarm-ca.key";
    if (!fs::exists(certificate_file)) make_files(certificate_file, key_file, now);
    const auto certificate = read_file(certificate_file);
    auto key = read_file(key_file);
    if (!certificate || !key) {
        throw std::runtime_error("keys/swarm-ca.key is missing: put it back, or remove "
                                 "keys/swarm-ca.pem to get a new CA");
    }
    pem_ = as_text(*certificate);
    const Bio in{BIO_new_mem_buf(pem_.data(), static_cast<int>(pem_.size()))};
    const Bio key_in{BIO_new_mem_buf(key->data(), static_cast<int>(key->size()))};
    must(in && key_in, "memory");
    state_->certificate.reset(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    state_->key.reset(PEM_read_bio_PrivateKey(key_in.get(), nullptr, nullptr, nullptr));
    wipe(*key);
    must(state_->certificate && state_->key &&
             X509_check_private_key(state_->certificate.get(), state_->key.get()) == 1,
         "keys/swarm-ca.key and keys/swarm-ca.pem do not belong together");
}

SwarmAuthority::~SwarmAuthority() = default;

Result<std::string> SwarmAuthority::issue(const TransferId& transfer, ByteView public_key,
                                          std::int64_t from, std::int64_t until) {
    const Key key = client_key(public_key);
    if (!key) return fail(Errc::malformed, "public key");
    const Certificate certificate = begin_certificate(transfer.hex(), key.get(), from, until);
    X509* const to = certificate.get();
    X509* const issuer = state_->certificate.get();
    must(X509_set_issuer_name(to, X509_get_subject_name(issuer)) == 1, "issuer");
    add_extension(to, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(to, issuer, NID_key_usage, "critical,digitalSignature");
    add_extension(to, issuer, NID_ext_key_usage, "clientAuth,serverAuth");
    add_extension(to, issuer, NID_authority_key_identifier, "keyid");
    must(X509_sign(to, state_->key.get(), EVP_sha256()) > 0, "sign");
    return pem_of(to);
}

} // namespace plankurier::relay::adapters
