#pragma once
/// Checks a certificate before libtorrent gets it, which says nothing when it is of no use.
/// Stateless; any thread.

#include <plankurier/swarm.hpp>

namespace plankurier::swarm {

/// Whether the certificate is signed by `authority`, fits its private key, and has exactly the one
/// name that it must have. Its dates are for the peers to check. Fails with `invalid_argument`.
[[nodiscard]] Result<void> check_certificate(const SwarmCertificate& certificate,
                                             const TransferId& transfer);

} // namespace plankurier::swarm
