#include "tests/support/swarm_certificates.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace plankurier::test {

namespace {

struct Free {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
    void operator()(X509_EXTENSION* extension) const noexcept { X509_EXTENSION_free(extension); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

void must(bool good) {
    if (!good) throw std::runtime_error("a test certificate cannot be made");
}

Owned<EVP_PKEY> new_key() {
    Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
    must(key != nullptr);
    return key;
}

template <typename Write>
std::string pem_of(Write write) {
    const Owned<BIO> bio{BIO_new(BIO_s_mem())};
    must(write(bio.get()) == 1);
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

std::string pem_of(X509* certificate) {
    return pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

void extend(X509* certificate, int kind, const std::string& value) {
    const Owned<X509_EXTENSION> extension{
        X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str())};
    must(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

Owned<X509> new_certificate(const CertificateAuthority::Wish& wish, EVP_PKEY* key) {
    static std::atomic<long> serial{1};
    Owned<X509> made{X509_new()};
    must(X509_set_version(made.get(), X509_VERSION_3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), static_cast<long>(wish.from.count()));
    X509_gmtime_adj(X509_getm_notAfter(made.get()), static_cast<long>(wish.until.count()));
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1,
                                    -1, 0) == 1);
    must(X509_set_pubkey(made.get(), key) == 1);
    if (!wish.other_name.empty()) {
        extend(made.get(), NID_subject_alt_name, "DNS:" + wish.other_name);
    }
    return made;
}

} // namespace

struct CertificateAuthority::State {
    Owned<EVP_PKEY> key{new_key()};
    Owned<X509> certificate;
    std::string pem;
};

CertificateAuthority::CertificateAuthority() : state_(std::make_unique<State>()) {
    state_->certificate = new_certificate({"test authority"}, state_->key.get());
    X509* const own = state_->certificate.get();
    extend(own, NID_basic_constraints, "critical,CA:TRUE");
    extend(own, NID_key_usage, "critical,keyCertSign");
    must(X509_set_issuer_name(own, X509_get_subject_name(own)) == 1);
    must(X509_sign(own, state_->key.get(), EVP_sha256()) > 0);
    state_->pem = pem_of(own);
}
CertificateAuthority::~CertificateAuthority() = default;
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;

const std::string& CertificateAuthority::certificate() const noexcept { return state_->pem; }

SwarmCertificate CertificateAuthority::issue(const Wish& wish) const {
    const Owned<EVP_PKEY> key = new_key();
    const Owned<X509> made = new_certificate(wish, key.get());
    must(X509_set_issuer_name(made.get(), X509_get_subject_name(state_->certificate.get())) == 1);
    must(X509_sign(made.get(), state_->key.get(), EVP_sha256()) > 0);
    SwarmCertificate out;
    out.authority = state_->pem;
    out.certificate = pem_of(made.get());
    out.private_key = SecretText{pem_of([&](BIO* bio) {
        return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    })};
    return out;
}

} // namespace plankurier::test
