#pragma once
/// The control plane's rules: verification, transfers, mails, expiry, purge. Knows no HTTP, SQL or
/// cryptography library. One thread at a time: the caller holds one mutex around every call.
/// Unknown, foreign and ended things all answer `not_found` where a stranger could be asking.

#include "relay/domain/notices.hpp"
#include "relay/domain/pepper.hpp"
#include "relay/domain/policy.hpp"
#include "relay/domain/ports.hpp"
#include "relay/domain/relay_words.hpp"
#include "relay/domain/relays.hpp"
#include "relay/domain/service_time.hpp"
#include "relay/domain/sessions.hpp"
#include "relay/domain/tally.hpp"

#include <plankurier/directory.hpp>
#include <plankurier/history.hpp>
#include <plankurier/records.hpp>
#include <plankurier/secret.hpp>
#include <plankurier/work.hpp>

#include <map>
#include <set>

namespace plankurier::relay {

struct VerificationBegun {
    SessionToken session;
    std::int64_t valid_s{}, resend_s{};
    std::int64_t number{}; ///< of the code mail, as its subject has it; 0: none is awaited
};
/// For the holder of a private key to answer (challenge.hpp).
struct KeyChallenge {
    Bytes bytes;
    std::int64_t valid_s{};
};
/// A transfer that waits to be fetched.
struct InboxEntry {
    TransferId transfer;
    TransferState state{};
    std::int64_t created{}, expires{};
    std::uint64_t body_len{};
};
inline constexpr std::int64_t resends_max = 3; ///< of a notice, by the sender's wish
/// All departments that a transfer goes to.
[[nodiscard]] std::vector<std::string> departments_of(const TransferRow& row);
struct TransferRequest {
    TransferId transfer;
    /// One of the three. What says department in this file is also a registered clerk, by id.
    std::string department, staff, citizen;
    std::vector<std::string> also; ///< more departments, with `department`
    std::optional<InboxId> inbox;  ///< with `citizen`: an answer to this return key
    std::uint64_t body_len{};
    std::int64_t expiry_days{};
    bool notify_fetch{true}, notify_unfetched{}, remind_recipient{};
    std::string language, phone;
    Hash256 fetch_hash{}, manage_hash{};
    bool by_link{}; ///< its link alone opens it; with `staff`, or `citizen` without `inbox`
};
/// Of one address: uploads that it may have open at a time.
struct Quota {
    std::size_t open_max{}, open_left{};
};
struct TransferCreated {
    std::int64_t upload_until{};
    std::optional<Quota> quota{}; ///< of a new one
};
/// Codes that the whole site may send an hour, and how many have not been asked for yet.
struct CodeBudget {
    std::size_t max{}, left{};
    std::int64_t reset_s{}; ///< until one more may be sent
};
/// What somebody has worked out; see WorkPuzzle.
struct WorkDone {
    std::string salt;
    std::vector<std::uint64_t> numbers;
};
struct CodeWish {
    /// Not empty: the same request with the same key gets the same session, and no second mail.
    /// Nobody else may be able to guess it.
    std::string request_key{};
    std::optional<WorkDone> work{};
};
struct TicketAnswer {
    Bytes ticket;
    std::int64_t expires{};
    std::vector<KnownRelay> relays; ///< where it is of use, in this order
    std::size_t stored_min{};       ///< how many must store it before `finish`; put only
};
struct Finished {
    std::int64_t expires{};
    std::string receipt_number;
    std::optional<LinkId> link{}; ///< of a transfer by link, for its sender to pass on
};
struct TransferStatus {
    TransferState state{};
    std::int64_t expires{}, created{}, fetched{};
    bool fetch_signed{};
    bool undeliverable{}; ///< the recipient's address took no mail
    std::uint64_t body_len{};
    std::int64_t copies{};       ///< relays that have signed for all of it
    std::int64_t resends_left{}; ///< of the notice
    bool lost{};                 ///< no relay has all of it any more
};
/// A mail on its way to the mailer.
struct DueMail {
    OutboxRow row; ///< without owner: the last notice of a purged transfer, in memory only
    Mail mail;
};

class Relay {
public:
    Relay(Ports ports, Policy policy, SigningSeed control_key, Pepper pepper,
          std::vector<KnownRelay> relays);

    /// Replaces the registered relays. Who is new counts as dead before its first sync.
    void set_relays(std::vector<KnownRelay> relays);
    /// Departments that may be addressed; replaced when a new directory is installed.
    void set_directory(Directory directory);

    /// Sends a code if the address may have one; the answer is the same either way.
    /// Fails with `invalid_argument`, `rate_limited` (the site's codes of this hour are used up;
    /// `code_work` says what helps).
    Result<VerificationBegun> begin_verification(std::string_view email, std::string_view language,
                                                 const CodeWish& wish = {});
    /// What gets the address a code all the same; nothing when nobody gets one.
    std::optional<WorkPuzzle> code_work(std::string_view email);
    /// The same for whoever asks for a code again.
    std::optional<WorkPuzzle> code_work(const SessionToken& session);
    /// The number of the code mail that holds now, 0 when none is awaited. Fails with `too_early`,
    /// `code_expired`, `not_verified`, `rate_limited` (see above).
    Result<std::int64_t> resend(const SessionToken& session,
                                const std::optional<WorkDone>& work = {});
    /// The right code, the first time, keeps the address verified for `remember_days` (0: as long
    /// as every session). Fails with `wrong_code`, `code_expired`, `too_many_attempts`; sets what
    /// is left. `malformed` (it cannot be a code) and `invalid_argument` (days) cost no attempt.
    Result<void> check_code(const SessionToken& session, const SecretText& code,
                            std::int64_t& attempts_left, std::int64_t remember_days = 0);
    [[nodiscard]] CodeBudget code_budget();
    /// Puts the address that the token of its code mail was made for on the list of those who get
    /// no mail. Idempotent. Fails with `not_found`.
    Result<void> never_again(const SecretText& token);

    /// What the holder of a department's key answers to get a session. A department or key that is
    /// not in the directory, or not now, gets a challenge that nobody can answer.
    Result<KeyChallenge> department_challenge(std::string_view department, const KeyId& kid);
    /// The same for a citizen's return key. Fails with `malformed` (the key is not that of the
    /// inbox, or no point of its curve), `unsupported`.
    Result<KeyChallenge> inbox_challenge(const InboxId& inbox, const RecipientPublicKey& key);
    /// Each challenge opens one session at most; the same answer again gets the same session, while
    /// the challenge is valid. Fails with `not_verified`.
    Result<SessionToken> open_key_session(const KeyHolder& holder, const Hash256& answer);
    /// Of the session's department or inbox, newest first, at most 500. Fails with `not_verified`.
    Result<std::vector<InboxEntry>> inbox(const SessionToken& session);

    /// The session is that of a verified address, or of a department's key. Only departments and
    /// staff may write to citizens: to any address that is not the authority's.
    /// Fails with `not_verified`, `unknown_department`, `address_not_allowed`, `too_large`,
    /// `invalid_argument` (recipient, expiry, phone), `conflict` (id taken), `quota_exceeded` (the
    /// sender's), `no_space` (too few relays have room for it), `link_not_allowed`.
    Result<TransferCreated> create_transfer(const SessionToken& session,
                                            const TransferRequest& request);
    /// A transfer by link has a link stanza and no other; no other transfer has one.
    /// Fails with `not_found`, `conflict`, `link_not_allowed` and all of parse_envelope.
    Result<void> put_envelope(const TransferId& transfer, const ManageToken& token,
                              ByteView envelope);
    /// Names relays that live.
    Result<TicketAnswer> put_ticket(const TransferId& transfer, const ManageToken& token);
    /// Names relays that have signed that they store everything. Fails with `not_found`, `lost`.
    Result<TicketAnswer> get_ticket(const TransferId& transfer, const FetchToken& token);
    /// Makes the transfer available once enough relays signed that they store everything, here or
    /// in their syncs; the notice is in the outbox in the same transaction. Enough are two, or one
    /// where no two live, or one ten minutes after the first call. `content_root` is what the
    /// sender has sealed: a receipt for something else does not count. Fails with `bad_signature`
    /// (no relay signed), `tampered` (all signed for something else), `unavailable` (not enough
    /// yet), `conflict`, `not_found`.
    Result<Finished> finish(const TransferId& transfer, const ManageToken& token,
                            const std::vector<Bytes>& receipts, const Hash256& content_root);
    Result<TransferStatus> status(const TransferId& transfer, const ManageToken& token);
    /// With the history that ends with it; without one when it is said again.
    Result<Bytes> revoke(const TransferId& transfer, const ManageToken& token);
    /// What happened so far, signed (history.hpp).
    Result<Bytes> history(const TransferId& transfer, const ManageToken& token);
    /// Ends the transfer so many days from now; returns that time. Sooner always, later only where
    /// the policy allows it. Fails with `invalid_argument`, `conflict` (not available).
    Result<std::int64_t> change_expiry(const TransferId& transfer, const ManageToken& token,
                                       std::int64_t days_from_now);
    /// The notice goes out again; returns how often it still may. Fails with `too_early`,
    /// `too_many_attempts`, `conflict` (not available).
    Result<std::int64_t> resend_notice(const TransferId& transfer, const ManageToken& token);
    /// The recipient will have nothing to do with it: nobody reads it any more. Idempotent.
    Result<void> report(const TransferId& transfer, const FetchToken& token);
    /// A mail whose id begins with these 16 digits came back for good.
    void bounced(std::string_view mail_start);

    Result<Bytes> envelope(const LinkId& link);
    Result<Bytes> verified_record(const LinkId& link);
    /// The same for what `inbox` lists. Fails with `not_verified`, `not_found`.
    Result<Bytes> envelope(const SessionToken& session, const TransferId& transfer);
    Result<Bytes> verified_record(const SessionToken& session, const TransferId& transfer);
    /// `report` empty: reported, unsigned. Fails with `not_found`, `bad_signature`.
    Result<void> fetched(const TransferId& transfer, const FetchToken& token, const Bytes& report);

    /// What a relay has done, and what it has to do. Fails with `not_found` for a relay that is not
    /// registered, `expired` when the times differ by more than five minutes (an old request?).
    Result<SyncAnswer> sync(const RelayId& relay, const SyncRequest& request);
    /// For the relay's side of the swarm; of transfers that do not live nothing is said. Fails as
    /// `sync`, and with `malformed` (public key).
    Result<std::vector<IssuedCertificate>> relay_certificates(const RelayId& relay,
                                                              const CertificateRequest& request);
    /// For a recipient's client, at most until the transfer's end. Fails with `not_found`,
    /// `malformed`.
    Result<IssuedCertificate> swarm_certificate(const TransferId& transfer, const FetchToken& token,
                                                ByteView public_key);
    /// The certificate that all of these are checked by, PEM.
    [[nodiscard]] const std::string& swarm_authority() { return ports_.authority.certificate(); }
    [[nodiscard]] CopyCounts copy_counts();
    /// Of all registered relays, in order of their ids.
    [[nodiscard]] std::vector<RelayReport> relay_reports();
    /// Of all registered relays, in order of their ids.
    [[nodiscard]] std::vector<RelayRoom> rooms();

    /// Does all that time causes: unfinished uploads, expiry, purge, mails. A caller that shares
    /// the relay takes the four steps below itself, and delivers without holding its mutex: a
    /// mail server may be slow.
    void tick();
    void tick_expiry();
    /// The mails that are due now, at most 50.
    std::vector<DueMail> due_mails();
    /// What became of one of them. A mail whose transfer ended meanwhile is forgotten.
    void mail_done(DueMail mail, Delivery delivery);
    /// The administrator says that the wall clock is right.
    void accept_clock() { ports_.clock.accept(); }
    /// While the clock is not trusted nothing is deleted because of the time.
    [[nodiscard]] bool is_clock_trusted() { return ports_.clock.is_trusted(); }
    /// How far it is ahead of what was to be expected; less than 0: behind.
    [[nodiscard]] std::int64_t clock_ahead_s() { return ports_.clock.ahead_s(); }
    /// Purges everything that has ended, and all transfers when `all`.
    void purge_now(bool all);

    /// What rows say instead of an inbox.
    [[nodiscard]] std::string inbox_hash(const InboxId& inbox) const;
    [[nodiscard]] const Policy& policy() const noexcept { return policy_; }
    /// All that are registered, in order of their ids.
    [[nodiscard]] const KnownRelays& relays() const noexcept { return relays_; }
    [[nodiscard]] Signature sign_as_control(ByteView message) const {
        return sign(control_key_, message);
    }

private:
    struct Sender {
        std::string email;
        std::string department;  ///< by its key; or empty
        std::int64_t verified{}; ///< when the address, or the key's session
        bool is_authority{};
    };
    struct Addressee {
        std::string email, department;
    };
    enum class MailKind { code, notice, other };
    Result<Sender> sender_of(const SessionToken& session);
    Result<Addressee> addressee_of(const Sender& sender, const TransferRequest& request) const;
    [[nodiscard]] std::optional<std::string> notice_address(const std::string& id) const;
    [[nodiscard]] Result<std::string> department_mail(const Sender& sender,
                                                      const std::string& department) const;
    [[nodiscard]] Result<void> check_also(const Sender& sender,
                                          const TransferRequest& request) const;
    std::vector<std::string> notice_addresses(const TransferRow& row);
    [[nodiscard]] bool is_signed_fetch(const TransferRow& row, ByteView report) const;
    [[nodiscard]] Result<void> check_wishes(const TransferRequest& request) const;
    Finished finished(const TransferRow& row);
    TransferRow new_row(const Sender& sender, const Addressee& addressee,
                        const TransferRequest& request);
    Result<VerificationRow> session_row(const SessionToken& session);
    const KeyHolder* key_holder(const SessionToken& session);
    [[nodiscard]] StanzaType decoy_type() const;
    Result<TransferRow> listed(const SessionToken& session, const TransferId& transfer);
    Result<Bytes> envelope_of(const Result<TransferRow>& row);
    Result<Bytes> record_of(const Result<TransferRow>& row);
    Result<TransferRow> managed(const TransferId& transfer, const ManageToken& token);
    Result<TransferRow> linked(const LinkId& link);
    /// Quarantined ones only for who says so.
    Result<TransferRow> fetchable(const TransferId& transfer, const FetchToken& token,
                                  bool also_quarantined = false);
    Bytes history_of(const TransferRow& row);
    void note(TransferRow& row, HistoryEvent event, std::uint64_t detail = 0);
    Result<Quota> quota_for(const Sender& sender, std::uint64_t bytes);
    [[nodiscard]] std::string tally_hash(const std::string& sender_hash) const;
    [[nodiscard]] std::string tombstone_manage(const std::string& manage_hash) const;
    RelayRoom room_at(const RelayId& relay);
    Result<void> room_for(const TransferId& transfer, std::uint64_t body_len);
    std::vector<KnownRelay> takers(const TransferId& transfer);
    [[nodiscard]] std::string sender_hash(std::string_view email) const;
    [[nodiscard]] std::string never_token(std::string_view email) const;
    bool is_never(std::string_view email);
    bool may_mail(std::string_view email, MailKind kind);
    void tell_sender(const TransferRow& row, Notice notice);
    NoticeFacts recipients_facts(const TransferRow& row);
    void queue_reminder(TransferRow& row);
    void send_reminders();
    void undeliverable(TransferRow& row);
    void notice_failed(const OutboxRow& mail);
    [[nodiscard]] std::int64_t session_end(const VerificationRow& row) const;
    [[nodiscard]] std::int64_t delete_at(const TransferRow& row) const;
    [[nodiscard]] Bytes ticket(const TransferRow& row, TicketRole role, std::int64_t expires);
    [[nodiscard]] std::vector<KnownRelay> holders(const TransferId& transfer);
    Result<void> enough_copies(TransferRow& row, const std::vector<Bytes>& receipts);
    Result<void> take_receipts(const TransferRow& row, const std::vector<Bytes>& receipts);
    [[nodiscard]] std::vector<TransferId> take_statements(const RelayId& relay,
                                                          const SyncRequest& request);
    bool take_stored(const RelayId& relay, const StoredReceipt& stored, std::int64_t generation);
    void take_generation(const RelayId& relay, const SyncRequest& request);
    void count_lie(const RelayId& relay, const TransferId& transfer);
    void look_for_lost();
    std::vector<WantedCopy> wanted_copies(const RelayRoom& room);
    [[nodiscard]] Result<void> check_caller(const RelayId& relay, std::int64_t time);
    [[nodiscard]] std::int64_t code_number(const VerificationRow& row) const;
    [[nodiscard]] std::string code_hash(const std::string& session, std::string_view code) const;
    bool may_send_code(std::string_view email);
    Result<void> may_ask_code(std::string_view email, const std::optional<WorkDone>& work);
    bool take_work(std::string_view email, const WorkDone& work);
    bool codes_are_out();
    [[nodiscard]] std::size_t codes_asked() const;
    [[nodiscard]] std::string work_salt(std::string_view email, std::int64_t made) const;
    [[nodiscard]] WorkPuzzle puzzle(std::string salt) const;
    [[nodiscard]] SessionToken session_token(std::string_view email,
                                             std::string_view request_key) const;
    void send_code(VerificationRow& row, const std::string& email);
    bool queue_mail(const std::string& owner, Slot slot, Mail mail, MailKind kind,
                    bool is_wanted = true);
    void queue_notice(TransferRow& row);
    std::string opened_text(Slot slot, std::string_view purpose, const Bytes& sealed);
    void drop_old_verifications(std::int64_t now);
    void drop_verification(const VerificationRow& row);
    void forget_strangers();
    void purge(TransferRow row);
    void finish_purges();
    void drop_mails(const std::string& owner);

    Ports ports_;
    Policy policy_;
    SigningSeed control_key_;
    Pepper pepper_;
    KnownRelays relays_;
    std::set<std::pair<RelayId, TransferId>> lies_counted_; ///< a bounded number of them
    /// When a relay said that it does not store a transfer any more; a bounded number of them.
    std::map<std::pair<RelayId, TransferId>, std::int64_t> lost_told_;
    std::map<RelayId, TransferId> copies_seen_; ///< where each relay's list of copies goes on
    Directory directory_;
    KeySessions key_sessions_;
    Tally tally_;
    bool scrub_due_{true}; ///< also after a start: the last process may have died before it
    struct Purged {
        std::int64_t at{};
        std::string department;
        unsigned size_log2{};
    };
    std::vector<Purged> not_audited_;
    std::vector<DueMail>
        last_notices_; ///< at most one for each transfer purged since the last tick
};

} // namespace plankurier::relay
