#pragma once
/// Looks at X.509 certificates with OpenSSL alone, not with the code that makes them.
/// Stateless; any thread.

#include <plankurier/bytes.hpp>

#include <string>

namespace plankurier::test {

/// SubjectPublicKeyInfo (DER) of a fresh key on the curve.
[[nodiscard]] Bytes ec_public_key(const char* curve);

struct SeenCertificate {
    std::string subject; ///< "CN = …"; further names would follow
    int alternative_names{};
    Bytes public_key; ///< SubjectPublicKeyInfo, DER
    bool is_ca{};
    std::string key_usage, extended_key_usage; ///< OpenSSL's short names, joined by blanks
    std::string serial;
    int serial_bits{};
};
/// Fails the test when it is no certificate.
[[nodiscard]] SeenCertificate look_at(const std::string& pem);

enum class Purpose { client, server };
/// What a TLS server (of its client) or client (of its server) finds at the time, trusting `root`
/// alone.
[[nodiscard]] bool is_trusted(const std::string& pem, const std::string& root, std::int64_t now,
                              Purpose purpose);

} // namespace plankurier::test
