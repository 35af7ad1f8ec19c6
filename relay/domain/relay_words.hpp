#pragma once
/// What relays and the control plane tell each other, and what the control plane makes of it.
/// Values; any thread.

#include "relay/domain/ports.hpp"
#include "relay/domain/relays.hpp"

#include <plankurier/records.hpp>

#include <set>

namespace plankurier::relay {

struct SyncRequest {
    std::int64_t time{};                 ///< that the relay goes by
    std::optional<std::int64_t> clock{}; ///< its own machine's, if it is another and trusts it
    std::int64_t after{};
    std::vector<TransferId> holds;
    std::vector<GoneReceipt> gone; ///< signatures already checked, as with `stored`
    std::vector<StoredReceipt> stored;
    std::optional<RelaySpace> space{};
    std::vector<TransferId> lost{}; ///< signed for by this process, and not stored any more
    std::int64_t generation{};      ///< of the relay's process, drawn by lot; 0: it has not said
    bool all_told{};                ///< this process has signed for all that it stores
    std::optional<RelayHealth> health{};
};
/// What a relay should fetch from others, and its right to do so.
struct WantedCopy {
    TransferId transfer;
    Bytes ticket; ///< role peer
};
struct SyncAnswer {
    std::int64_t now{}, sequence{};
    bool is_time_trusted{}; ///< nothing is deleted because of this time else
    std::vector<TransferId> tombstones, leases;
    std::vector<std::int64_t> lease_ends; ///< one a lease: until then the relay deletes nothing
    std::vector<TransferId> halted;       ///< reported by their recipients: no recipient reads them
    std::vector<WantedCopy> copies;
    std::vector<TransferId> wrong; ///< signed for with other content than the sender's
    bool is_full{}; ///< the relay takes nothing of transfers that it holds nothing of
};
struct CertificateRequest {
    std::int64_t time{}; ///< by the relay's clock
    Bytes public_key;    ///< as for CertificateAuthority::issue
    std::vector<TransferId> transfers;
};
struct IssuedCertificate {
    TransferId transfer;
    std::string pem;
    std::int64_t expires{};
};
/// Of all registered relays and transfers, for `status`.
struct CopyCounts {
    std::int64_t missing{};  ///< transfers to be fetched that too few relays have
    std::int64_t not_gone{}; ///< purges that not every relay has signed
    std::size_t relays_live{}, relays_known{};
};
/// What is known of a registered relay's word and disk.
struct RelayReport {
    RelayRow word;
    RelayHealth health;
};
/// What a relay has room for, by what it last said. Sealed bytes.
struct RelayRoom {
    RelayId relay;
    bool is_known{};                ///< it has said something; else it counts as without limit
    bool is_full{};                 ///< it takes nothing new
    std::uint64_t free_bytes{};     ///< also what unfinished transfers have taken of it already
    std::uint64_t promised_bytes{}; ///< to unfinished uploads, whole, and to copies that fit
    std::uint64_t left_bytes{};     ///< for new transfers
    std::set<TransferId> too_large; ///< copies that it should hold and has no room for
    std::size_t copies_wanted{};    ///< that it should hold and does not, without uploads
};

} // namespace plankurier::relay
