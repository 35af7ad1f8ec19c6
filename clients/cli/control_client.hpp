#pragma once
/// The control plane as the client sees it (docs/protocol.md, section 2). Belongs to one thread.

#include <clients/cli/http.hpp>
#include <clients/cli/service_clock.hpp>
#include <clients/cli/wire.hpp>
#include <clients/cli/wire_inbox.hpp>

#include <plankurier/secret.hpp>

#include <chrono>

namespace plankurier::cli {

/// A control plane that restarts is away for some seconds, and its proxy answers 502 meanwhile. A
/// person who waits would rather wait so much longer than begin anew.
inline constexpr std::chrono::seconds control_patience{30};

/// The sender's rights in a transfer.
struct ManageRight {
    TransferId transfer;
    const ManageToken& token;
};
/// The reader's rights in a transfer.
struct FetchRight {
    TransferId transfer;
    const FetchToken& token;
};

/// The right to what an inbox lists.
struct InboxRight {
    TransferId transfer;
    std::string session; ///< b64url
};

/// Every call fails with the code the service named, or `network`, `tls`, `malformed`,
/// `canceled`. All are idempotent.
class ControlClient {
public:
    /// `server`: URL without a slash at the end.
    ControlClient(std::string server, const HttpSettings& settings);

    /// Told the seconds before each new try.
    using Waiting = std::function<void(unsigned seconds)>;
    /// From now on a call that nobody answers (no connection, silence, a proxy's page, half an
    /// answer, 502, 503, 504) is made again, with back-off, until `control_patience` has passed
    /// since the last answer or the first try; then each call is made once until there is an answer
    /// again. `finish` is left to its caller, since there 503 is an answer.
    void be_patient(Waiting waiting);

    [[nodiscard]] const std::string& server() const noexcept { return server_; }
    [[nodiscard]] const ServiceClock& clock() const noexcept { return clock_; }
    /// Told once, as soon as an answer shows that one of both clocks is wrong.
    void on_wrong_clock(std::function<void(const ServiceClock&)> told) {
        wrong_clock_ = std::move(told);
    }

    [[nodiscard]] Result<SignedDirectory> directory();
    /// Checked against the control key of the signed directory. Also fails with `bad_signature`.
    [[nodiscard]] Result<Service> service(const SigningPublicKey& record_key);

    /// Told each time before some seconds of work for a code begin, and when it would be too much.
    void on_work(std::function<void(const WorkPuzzle&)> told) { work_begins_ = std::move(told); }
    /// Works for the code (work.hpp) where the service asks for that. Fails also with
    /// `rate_limited` (no work helps now, or only more than work.hpp allows), `canceled`.
    [[nodiscard]] Result<VerificationBegun> begin_verification(std::string_view email,
                                                               std::string_view language);
    /// The number of the code mail that holds now. Works and fails like that, too.
    [[nodiscard]] Result<unsigned> resend_code(const std::string& session);
    /// `attempts_left` is set when the service says how many are left.
    /// `remember_days`: for so long the session shall stay verified; 0: as long as usual.
    [[nodiscard]] Result<void> check_code(const std::string& session, const SecretText& code,
                                          unsigned remember_days,
                                          std::optional<unsigned>& attempts_left);

    [[nodiscard]] Result<void> create_transfer(const std::string& session,
                                               const TransferRequest& request);
    [[nodiscard]] Result<void> put_envelope(const ManageRight& right, ByteView envelope);
    [[nodiscard]] Result<TicketAnswer> ticket(const ManageRight& right);
    [[nodiscard]] Result<TicketAnswer> ticket(const FetchRight& right);
    [[nodiscard]] Result<Finished> finish(const ManageRight& right,
                                          const std::vector<std::string>& receipts,
                                          const Hash256& content_root);
    [[nodiscard]] Result<TransferStatus> status(const ManageRight& right);
    /// The last history, or nothing when it was revoked before.
    [[nodiscard]] Result<Bytes> revoke(const ManageRight& right);
    /// What happened so far, signed (history.hpp).
    [[nodiscard]] Result<Bytes> history(const ManageRight& right);
    /// The new end, Unix seconds.
    [[nodiscard]] Result<std::int64_t> change_expiry(const ManageRight& right,
                                                     std::uint32_t days_from_now);
    /// How often it still may be sent again.
    [[nodiscard]] Result<std::int64_t> resend_notice(const ManageRight& right);

    /// Challenges for the holder of a key (challenge.hpp), and sessions for the right answers.
    [[nodiscard]] Result<Bytes> department_challenge(std::string_view department, const KeyId& kid);
    [[nodiscard]] Result<std::string> department_session(std::string_view department,
                                                         const Hash256& answer);
    [[nodiscard]] Result<Bytes> inbox_challenge(const RecipientPublicKey& key);
    [[nodiscard]] Result<std::string> inbox_session(const InboxId& inbox, const Hash256& answer);
    [[nodiscard]] Result<std::vector<InboxEntry>> inbox(const std::string& session);

    [[nodiscard]] Result<Bytes> envelope(const LinkId& link);
    [[nodiscard]] Result<Bytes> envelope(const InboxRight& right);
    [[nodiscard]] Result<Bytes> record(const InboxRight& right);
    [[nodiscard]] Result<Bytes> record(const LinkId& link);
    /// A certificate for the swarm over a public key (SubjectPublicKeyInfo, DER).
    [[nodiscard]] Result<CertificateAnswer> swarm_certificate(const FetchRight& right,
                                                              ByteView public_key);
    [[nodiscard]] Result<void> fetched(const FetchRight& right, std::optional<Bytes> report);
    /// From now on nobody reads it.
    [[nodiscard]] Result<void> report(const FetchRight& right);

private:
    template <typename Ask>
    std::invoke_result_t<Ask, std::optional<WorkDone>> with_work(const Ask& ask);
    [[nodiscard]] Result<Bytes> envelope_with(HttpLine::Headers headers);
    [[nodiscard]] Result<std::string> call(std::string_view method, std::string_view path,
                                           HttpLine::Headers headers, ByteView body,
                                           std::string_view type = "application/json");
    [[nodiscard]] Result<HttpAnswer> ask(std::string_view method, const std::string& url,
                                         const HttpLine::Headers& headers, ByteView body);
    void hear(std::int64_t date);
    [[nodiscard]] unsigned silence_for(unsigned tries) const;
    [[nodiscard]] Result<std::string> read(Result<HttpAnswer> answer);

    using Time = std::chrono::steady_clock::time_point;
    std::string server_;
    HttpSettings settings_;
    HttpLine line_;
    std::function<void(const WorkPuzzle&)> work_begins_;
    Waiting waiting_;                  ///< empty: no second try
    std::optional<Time> silent_since_; ///< nobody has answered since then
    ServiceClock clock_;
    std::function<void(const ServiceClock&)> wrong_clock_; ///< empty once told
    Problem problem_;                                      ///< of the last call that failed
};

} // namespace plankurier::cli
