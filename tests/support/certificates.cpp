#include "tests/support/certificates.hpp"

#include <catch2/catch.hpp>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

namespace plankurier::test {

namespace {

template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

Certificate parsed(const std::string& pem) {
    const std::unique_ptr<BIO, Freed<BIO_free>> in{
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    Certificate out{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
    REQUIRE(out);
    return out;
}

Bytes der_of(EVP_PKEY* key) {
    unsigned char* der = nullptr;
    const int length = i2d_PUBKEY(key, &der);
    REQUIRE(length > 0);
    const auto* begin = reinterpret_cast<const std::byte*>(der);
    Bytes out{begin, begin + length};
    OPENSSL_free(der);
    return out;
}

} // namespace

Bytes ec_public_key(const char* curve) {
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key{EVP_EC_gen(curve)};
    REQUIRE(key);
    return der_of(key.get());
}

SeenCertificate look_at(const std::string& pem) {
    const Certificate certificate = parsed(pem);
    X509* const from = certificate.get();
    SeenCertificate out;
    const std::unique_ptr<BIO, Freed<BIO_free>> text{BIO_new(BIO_s_mem())};
    X509_NAME_print_ex(text.get(), X509_get_subject_name(from), 0, XN_FLAG_ONELINE);
    char* begin = nullptr;
    const long length = BIO_get_mem_data(text.get(), &begin);
    out.subject.assign(begin, static_cast<std::size_t>(length));
    out.alternative_names = X509_get_ext_by_NID(from, NID_subject_alt_name, -1) < 0 ? 0 : 1;
    out.public_key = der_of(X509_get0_pubkey(from));
    out.is_ca = X509_check_ca(from) != 0;
    for (const auto& [bit, word] : {std::pair{KU_DIGITAL_SIGNATURE, "digitalSignature"},
                                    {KU_KEY_CERT_SIGN, "keyCertSign"},
                                    {KU_CRL_SIGN, "cRLSign"},
                                    {KU_KEY_AGREEMENT, "keyAgreement"},
                                    {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
                                    {KU_NON_REPUDIATION, "nonRepudiation"},
                                    {KU_DATA_ENCIPHERMENT, "dataEncipherment"}}) {
        if ((X509_get_key_usage(from) & static_cast<std::uint32_t>(bit)) == 0) continue;
        out.key_usage += (out.key_usage.empty() ? "" : " ") + std::string{word};
    }
    const std::unique_ptr<EXTENDED_KEY_USAGE, Freed<EXTENDED_KEY_USAGE_free>> extended{
        static_cast<EXTENDED_KEY_USAGE*>(
            X509_get_ext_d2i(from, NID_ext_key_usage, nullptr, nullptr))};
    for (int i = 0; extended && i < sk_ASN1_OBJECT_num(extended.get()); ++i) {
        const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(extended.get(), i));
        out.extended_key_usage += (i == 0 ? "" : " ") + std::string{OBJ_nid2sn(nid)};
    }
    const std::unique_ptr<BIGNUM, Freed<BN_free>> serial{
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(from), nullptr)};
    out.serial_bits = BN_num_bits(serial.get());
    char* const hex = BN_bn2hex(serial.get());
    out.serial = hex;
    OPENSSL_free(hex);
    return out;
}

bool is_trusted(const std::string& pem, const std::string& root, std::int64_t now,
                Purpose purpose) {
    const Certificate certificate = parsed(pem);
    const Certificate trusted = parsed(root);
    const std::unique_ptr<X509_STORE, Freed<X509_STORE_free>> store{X509_STORE_new()};
    X509_STORE_add_cert(store.get(), trusted.get());
    const std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>> context{X509_STORE_CTX_new()};
    REQUIRE(X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr) == 1);
    X509_STORE_CTX_set_time(context.get(), 0, now);
    X509_STORE_CTX_set_purpose(context.get(), purpose == Purpose::client ? X509_PURPOSE_SSL_CLIENT
                                                                         : X509_PURPOSE_SSL_SERVER);
    return X509_verify_cert(context.get()) == 1;
}

} // namespace plankurier::test
