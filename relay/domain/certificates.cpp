// Who may take part in the swarm of a transfer, and for how long.
#include "relay/domain/relay.hpp"

#include <algorithm>

namespace plankurier::relay {

namespace {

constexpr std::int64_t hour_s = 3'600;
/// The other side's clock may be slow.
constexpr std::int64_t backdated_s = 300;

} // namespace

Result<std::vector<IssuedCertificate>>
Relay::relay_certificates(const RelayId& relay, const CertificateRequest& request) {
    constexpr std::int64_t valid_s = 12 * hour_s;
    if (auto ok = check_caller(relay, request.time); !ok) return tl::unexpected(ok.error());
    const std::int64_t now = ports_.clock.now();
    std::vector<IssuedCertificate> out;
    for (const TransferId& transfer : request.transfers) {
        const auto row = ports_.store.transfer(transfer);
        if (!row || !is_open(row->state) || ports_.clock.latest() >= row->ends) continue;
        auto pem =
            ports_.authority.issue(transfer, request.public_key, now - backdated_s, now + valid_s);
        if (!pem) return tl::unexpected(pem.error());
        out.push_back({transfer, std::move(*pem), now + valid_s});
    }
    return out;
}

Result<IssuedCertificate> Relay::swarm_certificate(const TransferId& transfer,
                                                   const FetchToken& token, ByteView public_key) {
    constexpr std::int64_t valid_s = 4 * hour_s;
    const auto row = fetchable(transfer, token);
    if (!row) return tl::unexpected(row.error());
    const std::int64_t now = ports_.clock.now();
    const std::int64_t until = std::min(now + valid_s, row->ends);
    auto pem = ports_.authority.issue(transfer, public_key, now - backdated_s, until);
    if (!pem) return tl::unexpected(pem.error());
    return IssuedCertificate{transfer, std::move(*pem), until};
}

} // namespace plankurier::relay
