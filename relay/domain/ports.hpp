#pragma once
/// The doors of the domain: everything it needs from the outside world, with the contract in prose.
/// Times are Unix seconds. Implementations say which threads may use them; the domain calls them
/// from one thread at a time.

#include "relay/domain/time_judge.hpp"

#include <plankurier/ids.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace plankurier::relay {

/// Time. Two clocks, so that a jump of the wall clock can be told from time passing.
class Clock {
public:
    virtual ~Clock() = default;
    /// Wall clock, seconds since 1970.
    virtual std::int64_t now() = 0;
    /// Seconds since the machine started; never jumps, also counts sleep.
    virtual std::int64_t monotonic() = 0;
    /// Both, and what there is to judge them by.
    virtual ClockReading read() = 0;
};
class ServiceTime;

/// Keeps the last trusted time beyond the process.
class TimeMemory {
public:
    virtual ~TimeMemory() = default;
    /// What was saved last; nothing when nothing ever was. What cannot be read comes back as a time
    /// that explains no clock.
    virtual std::optional<TrustedTime> load() = 0;
    /// Durable on return where the disk allows it; a full disk stops nothing.
    virtual void save(const TrustedTime& time) = 0;
};

/// A finished mail. `id` is fixed per outbox row, so that a second delivery is recognisable.
struct Mail {
    std::string id, to, reply_to, subject, text;
};
enum class Delivery { done, later, refused };
/// Hands mails on. Never throws for what a mail server may do; `later` asks to be called again.
class Mailer {
public:
    virtual ~Mailer() = default;
    virtual Delivery deliver(const Mail& mail) = 0;
    /// Removes whatever copy of the mail this relay still holds. Idempotent.
    virtual void forget(const std::string& id) = 0;
    /// Removes the copies of all other mails (after a crash between two steps).
    virtual void keep_only(const std::vector<std::string>& /*ids*/) {}
};

/// Index of a key in the vault.
using Slot = std::uint32_t;
/// One key per transfer or verification, in a file that is erased in place (design: format 3.12).
class Vault {
public:
    virtual ~Vault() = default;
    /// A fresh random key, durable on return.
    virtual Slot allocate() = 0;
    /// Overwrites the key in place, durable on return. Idempotent: the slot is not given out again
    /// before `keep_only` says that no row refers to it, so that saying it again harms nobody.
    virtual void erase(Slot slot) = 0;
    /// Seals bytes under the slot's key. `purpose` keeps uses apart.
    virtual Bytes seal(Slot slot, std::string_view purpose, ByteView plain) = 0;
    /// The inverse. Fails with `tampered`.
    virtual Result<Bytes> open(Slot slot, std::string_view purpose, ByteView sealed) = 0;
    /// Erases and frees every slot that is not listed.
    virtual void keep_only(const std::vector<Slot>& used) = 0;
};

/// Envelopes at rest, already sealed by the vault; one file each, durable on return.
class EnvelopeStore {
public:
    virtual ~EnvelopeStore() = default;
    virtual void put(const TransferId& transfer, ByteView sealed) = 0;
    virtual std::optional<Bytes> get(const TransferId& transfer) = 0;
    virtual void remove(const TransferId& transfer) = 0;
};

/// An address being verified. Keyed by the SHA-256 of the session token (hex).
struct VerificationRow {
    std::string session;
    Slot slot{};
    Bytes sealed_email;
    std::string code_hash;                      ///< keyed hash, hex; empty once used
    std::int64_t created{}, sent{}, verified{}; ///< `sent`: last asked for
    std::int64_t code_made{};
    std::int64_t attempts{};
    std::string language;
    std::int64_t remembered_until{}; ///< 0: as long as every session
};

/// The numbers stand in the database.
enum class TransferState {
    uploading = 0,
    available = 1,
    fetched = 2,
    expired = 3,
    revoked = 4,
    quarantined = 5 ///< its recipient reported it: nobody reads it any more
};
/// Under way or to be fetched: relays keep its pieces.
[[nodiscard]] constexpr bool is_open(TransferState state) noexcept {
    return state <= TransferState::fetched || state == TransferState::quarantined;
}
/// "Sent" for the citizen: its recipient may read it.
[[nodiscard]] constexpr bool is_readable(TransferState state) noexcept {
    return state == TransferState::available || state == TransferState::fetched;
}
/// A transfer. Personal columns are sealed by the vault.
struct TransferRow {
    TransferId transfer;
    Slot slot{};
    TransferState state{TransferState::uploading};
    std::string department;        ///< that it goes to; or empty
    std::vector<std::string> also; ///< more of them
    std::string sender_department; ///< that it comes from; or empty
    bool to_citizen{};
    Bytes sealed_sender, sealed_recipient, sealed_phone;
    std::uint64_t body_len{};
    std::int64_t expiry_days{};
    bool notify_fetch{true};
    std::string language;
    std::string fetch_hash, manage_hash, link_hash, envelope_hash; ///< SHA-256, hex
    std::string receipt_number;
    std::int64_t created{}, verified{}, ends{}; ///< `ends`: of the upload, then of the files
    std::int64_t fetched{};
    bool fetch_signed{};
    bool notify_unfetched{}, remind_recipient{}; ///< wanted and not done yet
    bool undeliverable{};                        ///< the recipient's address took no mail
    std::int64_t available{};                    ///< since when
    std::int64_t resends{}, resent{};            ///< of the notice
    Bytes sealed_link, sealed_history;
    std::string sender_hash;         ///< keyed; to count what one address sends
    std::string inbox_hash;          ///< keyed; of an answer to a citizen's return key; or empty
    std::int64_t waits_for_copies{}; ///< since when its sender asks for more than one copy; or 0
    bool by_link{};                  ///< its link, which the sender passes on, opens it
    std::string content_root;        ///< hex; what the sender says that relays store
    std::int64_t no_copy_since{};    ///< since when no relay has all of it; or 0
    std::int64_t lost{};             ///< since when it counts as lost; or 0
    std::int64_t reported{};         ///< when its recipient reported it; or 0
};

/// A relay has signed that it stores everything of a transfer.
struct CopyRow {
    TransferId transfer;
    RelayId relay;
    std::int64_t time{};       ///< when we heard of it
    std::int64_t generation{}; ///< of the relay's process that said so; 0: unknown
    std::string content_root;  ///< hex
};
/// What became of a relay's word.
struct RelayRow {
    RelayId relay;
    std::int64_t generation{};  ///< of the newest process that has told all that it stores
    std::int64_t told{};        ///< when it had
    std::int64_t copies_lost{}; ///< that it had signed for and did not have any more
    std::int64_t lies{};        ///< receipts for other content than the sender's
};

/// A mail to be delivered, sealed by the vault slot of its owner.
struct OutboxRow {
    std::string id;
    std::string owner; ///< session hash, or tid as hex
    Slot slot{};
    Bytes sealed;
    bool is_notice{};                ///< to the recipient, not to the sender
    std::int64_t attempts{}, next{}; ///< next == 0: delivered or refused, only kept for `forget`
};

/// How often something was asked for, or how much was sent; see Tally.
struct CountRow {
    std::int64_t kind{};
    std::string who; ///< keyed hash, or empty
    std::int64_t at{}, amount{};
};

/// What was purged, so that no copy can come back. No personal data.
struct TombstoneRow {
    std::int64_t sequence{};
    TransferId transfer;
    std::int64_t at{};
    bool gone{}; ///< all relays that were registered have signed
};

/// Rows. Every write is durable when the surrounding `transaction` returns.
class Store {
public:
    virtual ~Store() = default;
    /// Runs `work` in one transaction; an exception rolls it back.
    virtual void transaction(const std::function<void()>& work) = 0;

    virtual void put(const VerificationRow& row) = 0; ///< insert or replace
    virtual std::optional<VerificationRow> verification(const std::string& session) = 0;
    virtual std::vector<VerificationRow> verifications_before(std::int64_t created) = 0;
    virtual void remove_verification(const std::string& session) = 0;

    virtual void put(const TransferRow& row) = 0;
    virtual std::optional<TransferRow> transfer(const TransferId& transfer) = 0;
    virtual std::optional<TransferRow> transfer_by_link(const std::string& link_hash) = 0;
    /// To be fetched by a department, or, when that is empty, by the owner of an inbox; newest
    /// first.
    virtual std::vector<TransferRow> readable_transfers(const std::string& department,
                                                        const std::string& inbox_hash,
                                                        std::int64_t now,
                                                        std::size_t count_max) = 0;
    /// Those whose `ends` is at or before `now`, and those in an ended state.
    virtual std::vector<TransferRow> ended_transfers(std::int64_t now) = 0;
    /// Available ones that end soon and whose recipient or sender wants to hear of it.
    struct RemindQuery {
        std::int64_t now{};
        std::int64_t recipient_until{}, sender_until{}; ///< their ends, at the latest
        std::int64_t available_until{};                 ///< available since then at least
        std::size_t rows_max{};
    };
    virtual std::vector<TransferRow> transfers_to_remind(const RemindQuery& query) = 0;
    /// Uploads of the sender that are not finished.
    virtual std::size_t count_uploading(const std::string& sender_hash) = 0;
    /// Live transfers of which the relay has not signed that it stores everything: unfinished
    /// uploads first, then the others in order of their ids.
    struct ToCome {
        TransferId transfer;
        std::uint64_t body_len{};
        bool is_upload{};
    };
    virtual std::vector<ToCome> to_come(const RelayId& relay, std::int64_t now) = 0;
    /// With its copies.
    virtual void remove_transfer(const TransferId& transfer) = 0;

    virtual void put(const CopyRow& row) = 0; ///< insert or replace
    virtual void remove_copy(const TransferId& transfer, const RelayId& relay) = 0;
    /// Who has signed, also relays that are not registered any more.
    virtual std::vector<RelayId> copies_of(const TransferId& transfer) = 0;
    virtual std::vector<CopyRow> copy_rows(const TransferId& transfer) = 0;
    /// Of all other processes than this one. Gives how many of them were of transfers to be
    /// fetched.
    virtual std::int64_t remove_copies_before(const RelayId& relay, std::int64_t generation) = 0;
    virtual void put(const RelayRow& row) = 0; ///< insert or replace
    /// Empty but for its id when nothing is known.
    virtual RelayRow relay(const RelayId& relay) = 0;
    /// Transfers to be fetched that none of these relays has, and that do not count as lost.
    virtual std::vector<TransferRow> without_copy(const std::vector<RelayId>& relays,
                                                  std::size_t rows_max) = 0;
    /// A part of the live transfers with an envelope, in order of their ids.
    struct MissingCopies {
        std::vector<TransferId> transfers; ///< those for which the relay has not signed
        std::optional<TransferId> last;    ///< where this part ends; nothing: there is no more
    };
    /// Looks at the next `rows_max` transfers after `after`, whatever the relay has of them.
    virtual MissingCopies missing_copies(const RelayId& relay,
                                         const std::optional<TransferId>& after,
                                         std::size_t rows_max, std::int64_t now) = 0;
    /// Transfers to be fetched for which fewer than `count` of these relays have signed.
    virtual std::int64_t count_short_of_copies(const std::vector<RelayId>& relays,
                                               std::size_t count) = 0;

    /// Transfers that their recipients have reported, the latest first.
    virtual std::vector<TransferId> latest_reported(std::size_t rows_max) = 0;

    virtual void put(const OutboxRow& row) = 0;
    virtual std::vector<OutboxRow> due_mails(std::int64_t now, std::size_t count_max) = 0;
    virtual std::vector<OutboxRow> mails_of(const std::string& owner) = 0;
    /// The mail whose id begins with these digits, also a delivered one.
    virtual std::optional<OutboxRow> mail_that_begins(const std::string& id_start) = 0;
    virtual void remove_mail(const std::string& id) = 0;

    /// Who wants no mail, by keyed hash. Idempotent.
    virtual void add_never(const std::string& hash, std::int64_t at) = 0;
    virtual bool is_never(const std::string& hash) = 0;
    virtual void remove_never(const std::string& hash) = 0;

    /// Adds the amount to that of the row with the same kind, `who` and time, if there is one.
    virtual void add_count(const CountRow& row) = 0;
    virtual std::vector<CountRow> count_rows() = 0;
    /// Removes all but those later than `after` and not later than `until`; true if there were any.
    virtual bool keep_counts(std::int64_t after, std::int64_t until) = 0;

    /// `manage`: keyed hash of what its sender manages it with. Idempotent.
    virtual void add_tombstone(const TransferId& transfer, std::int64_t at,
                               const std::string& manage) = 0;
    virtual bool is_tombstoned(const TransferId& transfer) = 0;
    /// Empty when there is no tombstone, or one from before this was kept.
    virtual std::string tombstone_manage(const TransferId& transfer) = 0;
    virtual std::vector<TombstoneRow> tombstones_after(std::int64_t sequence,
                                                       std::size_t count_max) = 0;
    /// The relay has signed that it holds nothing of a tombstoned transfer; once all of
    /// `registered` have, the tombstone is confirmed for good. Idempotent; nothing happens without
    /// tombstone.
    virtual void mark_gone(const TransferId& transfer, const RelayId& relay,
                           const std::vector<RelayId>& registered) = 0;
    /// Open tombstones up to `sequence` that the relay was told and has not signed for: it, or what
    /// it knew, was lost before it could say so.
    virtual std::vector<TransferId> unsigned_tombstones(const RelayId& relay, std::int64_t sequence,
                                                        std::size_t count_max) = 0;
    /// Open tombstones that the relay has not signed for.
    virtual std::int64_t count_unsigned(const RelayId& relay) = 0;
    /// Tombstones that one of these relays has not signed.
    virtual std::int64_t count_not_gone(const std::vector<RelayId>& registered) = 0;

    /// Slots that rows refer to.
    virtual std::vector<Slot> used_slots() = 0;
    /// Writes freed pages over and empties the log, so that deleted rows are in no file.
    virtual void scrub() = 0;
    /// Counts for `status` and metrics.
    struct Counts {
        std::int64_t uploading{}, available{}, tombstones{}, mails_due{}, quarantined{};
        std::int64_t without_copy{}; ///< no relay has all of them; those that are lost included
        std::int64_t lost{};
    };
    virtual Counts counts() = 0;
};

/// The authority's own CA for its swarm: who has no certificate of it takes part in nothing.
class CertificateAuthority {
public:
    virtual ~CertificateAuthority() = default;
    /// The certificate that everybody checks the others by, PEM.
    virtual const std::string& certificate() = 0;
    /// A certificate, PEM, for the owner of the key, which names the transfer and nothing else.
    /// `public_key`: SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), DER, a point on P-256. Valid from
    /// `from` to `until`. Fails with `malformed`.
    virtual Result<std::string> issue(const TransferId& transfer, ByteView public_key,
                                      std::int64_t from, std::int64_t until) = 0;
};

/// Lines for the audit: no personal data, no transfer id.
class Audit {
public:
    virtual ~Audit() = default;
    virtual void record(std::int64_t at, std::string_view event, std::string_view department,
                        unsigned size_log2) = 0;
};

/// The doors, handed in once.
struct Ports {
    ServiceTime& clock;
    Mailer& mailer;
    Vault& vault;
    EnvelopeStore& envelopes;
    Store& store;
    Audit& audit;
    CertificateAuthority& authority;
};

} // namespace plankurier::relay
