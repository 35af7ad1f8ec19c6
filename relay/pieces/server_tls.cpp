#include "relay/pieces/server_tls.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <unistd.h>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

constexpr std::size_t tls_buffer_bytes = 65'536;
constexpr const char* way_out =
    ": put the certificate of this host (PEM, the issuers' below it) and its key there, or name "
    "other files in pieces.certificate and pieces.private_key";

void expect_readable(const std::filesystem::path& file, const char* what) {
    if (::access(file.c_str(), R_OK) == 0) return;
    const bool there = std::filesystem::exists(file);
    throw std::runtime_error(there ? std::string{"the "} + what + " " + file.string() +
                                         " cannot be read by this user: see its owner and rights"
                                   : std::string{"there is no "} + what + " " + file.string() +
                                         way_out);
}

[[noreturn]] void refuse(const std::string& why) {
    ERR_clear_error();
    throw std::runtime_error(why + way_out);
}

} // namespace

ServerTls server_tls(const std::filesystem::path& certificate,
                     const std::filesystem::path& private_key) {
    expect_readable(certificate, "TLS certificate");
    expect_readable(private_key, "TLS key");
    ServerTls context{SSL_CTX_new(TLS_server_method())};
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Else each record costs two reads: one of five bytes, one of the rest.
    SSL_CTX_set_read_ahead(raw, 1);
    SSL_CTX_set_default_read_buffer_len(raw, tls_buffer_bytes);
    // AES-128 first: the content is under AES-256 already, and it is cheaper here.
    const bool good = SSL_CTX_set_ciphersuites(raw, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                                    "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
                      SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:!aNULL") == 1;
    if (!good) throw std::runtime_error("OpenSSL offers no usable TLS suite");
    if (SSL_CTX_use_certificate_chain_file(raw, certificate.c_str()) != 1) {
        refuse(certificate.string() + " is no certificate in PEM");
    }
    if (SSL_CTX_use_PrivateKey_file(raw, private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
        refuse(private_key.string() + " is no key in PEM without a passphrase, or not the key of " +
               certificate.string());
    }
    return context;
}

std::optional<std::string> server_tls_problem(const std::filesystem::path& certificate,
                                              const std::filesystem::path& key) {
    try {
        const ServerTls context = server_tls(certificate, key);
        const X509* const shown = SSL_CTX_get0_certificate(context.get());
        if (X509_cmp_current_time(X509_get0_notAfter(shown)) < 0) {
            return "the TLS certificate " + certificate.string() +
                   " has ended, clients refuse it: put a new one there and restart";
        }
        if (X509_cmp_current_time(X509_get0_notBefore(shown)) > 0) {
            return "the TLS certificate " + certificate.string() +
                   " does not hold yet: is this machine's clock right?";
        }
        return std::nullopt;
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

bool server_tls_is_for(const std::filesystem::path& certificate, const std::filesystem::path& key,
                       const std::string& host) {
    const ServerTls context = server_tls(certificate, key);
    X509* const shown = SSL_CTX_get0_certificate(context.get());
    return X509_check_host(shown, host.c_str(), host.size(), 0, nullptr) == 1 ||
           X509_check_ip_asc(shown, host.c_str(), 0) == 1;
}

} // namespace plankurier::relay::pieces
