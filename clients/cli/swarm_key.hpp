#pragma once
/// The key pair for which a recipient's client asks a swarm certificate. The only part of the
/// client that sees OpenSSL. Stateless; any thread.

#include <plankurier/secret.hpp>

namespace plankurier::cli {

/// EC P-256, fresh for each fetch and kept in memory only.
struct SwarmKey {
    SecretText private_key; ///< PEM, PKCS #8
    Bytes public_key;       ///< SubjectPublicKeyInfo, DER (RFC 5280)
};
/// Throws std::runtime_error when the library fails.
[[nodiscard]] SwarmKey make_swarm_key();

} // namespace plankurier::cli
