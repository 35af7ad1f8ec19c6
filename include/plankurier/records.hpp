#pragma once
/// Small signed statements: tickets, stored receipts, verified-address records, fetched reports.
/// Each is a fixed byte string under an Ed25519 signature with its own context string.
/// Stateless functions; any thread. Times are Unix seconds.

#include <plankurier/keys.hpp>
#include <plankurier/layout.hpp>

namespace plankurier {

enum class TicketRole : std::uint8_t { put = 1, get = 2, peer = 3 };

/// Leave to use the piece plane for one transfer, checked off line by relays.
struct Ticket {
    TransferId transfer;
    TicketRole role{TicketRole::get};
    std::uint64_t body_len{}; ///< padded plaintext bytes: the relay derives layout and space
    std::int64_t not_before{};
    std::int64_t expires{};   ///< at most 15 minutes after not_before
    std::int64_t delete_at{}; ///< the relay deletes at this time by itself, whatever happens
    friend bool operator==(const Ticket&, const Ticket&) = default;
};
inline constexpr std::int64_t ticket_seconds_max = 900;
/// "PKT1" | tid | role | body_len | not_before | expires | delete_at | signature 64.
[[nodiscard]] Bytes mint_ticket(const Ticket& ticket, const SigningSeed& control_key);
/// Fails with `malformed`, `bad_signature`, `expired` (also when not yet valid, 60 s tolerance).
[[nodiscard]] Result<Ticket> check_ticket(ByteView bytes, const SigningPublicKey& control_key,
                                          std::int64_t now);

/// A relay's statement that it holds every piece of a transfer, verified and durable.
struct StoredReceipt {
    RelayId relay;
    TransferId transfer;
    Hash256 content_root{};
    std::uint64_t body_len{};
    std::int64_t time{};
    friend bool operator==(const StoredReceipt&, const StoredReceipt&) = default;
};
/// "PKS1" | relay | tid | content root | body_len | time | signature 64.
[[nodiscard]] Bytes sign_stored(const StoredReceipt& receipt, const SigningSeed& relay_key);
/// What it says, for who does not know the relay's key: nothing of it is proved. Fails with
/// `malformed`.
[[nodiscard]] Result<StoredReceipt> read_stored(ByteView bytes);
[[nodiscard]] Result<StoredReceipt> check_stored(ByteView bytes, const SigningPublicKey& relay_key);

/// The control plane's statement which address was verified for an envelope.
struct VerifiedRecord {
    TransferId transfer;
    Hash256 envelope_sha256{};
    std::string email;
    std::int64_t time{};
};
/// "PKV1" | tid | envelope hash | time | u16 length | email | signature 64.
[[nodiscard]] Bytes sign_verified(const VerifiedRecord& record, const SigningSeed& control_key);
[[nodiscard]] Result<VerifiedRecord> check_verified(ByteView bytes,
                                                    const SigningPublicKey& control_key);

/// The recipient's statement that the last piece was verified.
struct FetchedReport {
    TransferId transfer;
    Hash256 envelope_sha256{};
    Hash256 content_root{};
    std::int64_t time{};
};
/// "PKF1" | tid | envelope hash | content root | time | signature 64.
[[nodiscard]] Bytes sign_fetched(const FetchedReport& report, const SigningSeed& department_key);
[[nodiscard]] Result<FetchedReport> check_fetched(ByteView bytes,
                                                  const SigningPublicKey& department_key);

/// A relay's statement that it holds nothing of a transfer any more.
struct GoneReceipt {
    RelayId relay;
    TransferId transfer;
    std::int64_t time{};
};
/// "PKG1" | relay | tid | time | signature 64.
[[nodiscard]] Bytes sign_gone(const GoneReceipt& receipt, const SigningSeed& relay_key);
[[nodiscard]] Result<GoneReceipt> check_gone(ByteView bytes, const SigningPublicKey& relay_key);

} // namespace plankurier
