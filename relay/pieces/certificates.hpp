#pragma once
/// This process's leave to take part in the swarms of single transfers: one key pair that lives in
/// memory only, and certificates that the control plane issues for it.
/// Thread safe: one mutex; a call to the control plane is waited for.

#include "relay/pieces/control_calls.hpp"
#include "relay/pieces/lease.hpp"

#include <plankurier/swarm.hpp>

#include <map>

namespace plankurier::relay::pieces {

class Certificates {
public:
    /// A certificate is asked for anew when it ends within an hour.
    static constexpr std::int64_t rest_seconds_min = 3'600;

    Certificates(ControlCalls& control, const Lease& lease);

    struct Issued {
        SwarmCertificate certificate;
        std::int64_t expires{};
    };
    /// Fails with `not_found` (no live transfer), `network`, `tls`, `unavailable`, `malformed`.
    [[nodiscard]] Result<Issued> get(const TransferId& transfer);
    [[nodiscard]] bool end_soon(std::int64_t expires) const {
        return lease_.now() >= expires - rest_seconds_min;
    }
    void forget(const TransferId& transfer);

private:
    struct Cached {
        std::string authority, certificate;
        std::int64_t expires{};
    };
    [[nodiscard]] Result<Cached> ask(const TransferId& transfer);
    [[nodiscard]] Issued with_key(const Cached& cached) const;

    ControlCalls& control_;
    const Lease& lease_;
    SecretText private_key_; ///< PEM
    std::string public_key_; ///< SPKI, DER, base64url
    std::mutex mutex_;       ///< guards cache_
    std::map<TransferId, Cached> cache_;
};

} // namespace plankurier::relay::pieces
