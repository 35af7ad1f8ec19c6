#include "engine/swarm/certificate.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace plankurier::swarm {

namespace {

template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using CertificatePointer = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

struct Memory {
    explicit Memory(std::string_view text)
        : bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))) {}
    std::unique_ptr<BIO, Freed<BIO_free>> bio;
};

CertificatePointer parse(std::string_view pem) {
    const Memory memory{pem};
    return CertificatePointer{PEM_read_bio_X509(memory.bio.get(), nullptr, nullptr, nullptr)};
}

/// libtorrent takes a certificate's name as a prefix of the torrent's: a shorter name, or a second
/// one, would open more than one transfer.
bool named_only(X509* certificate, const std::string& name) {
    X509_NAME* const subject = X509_get_subject_name(certificate);
    if (X509_NAME_entry_count(subject) != 1) return false;
    if (X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) >= 0) return false;
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return false;
    const ASN1_STRING* const value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    const auto* const text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(value));
    return std::string_view(text, static_cast<std::size_t>(ASN1_STRING_length(value))) == name;
}

} // namespace

Result<void> check_certificate(const SwarmCertificate& certificate, const TransferId& transfer) {
    const CertificatePointer authority = parse(certificate.authority);
    const CertificatePointer own = parse(certificate.certificate);
    const Memory memory{certificate.private_key.reveal()};
    const KeyPointer key{PEM_read_bio_PrivateKey(memory.bio.get(), nullptr, nullptr, nullptr)};
    if (!authority || !own || !key || X509_check_private_key(own.get(), key.get()) != 1 ||
        X509_verify(own.get(), X509_get0_pubkey(authority.get())) != 1) {
        return fail(Errc::invalid_argument, "certificate");
    }
    if (!named_only(own.get(), transfer.hex())) {
        return fail(Errc::invalid_argument, "name of a certificate");
    }
    return {};
}

} // namespace plankurier::swarm
