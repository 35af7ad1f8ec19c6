#pragma once
/// The JSON texts of docs/protocol.md as values. Stateless functions; any thread. All parsers fail
/// with `malformed`.

#include <plankurier/directory.hpp>
#include <plankurier/ids.hpp>
#include <plankurier/work.hpp>

#include <map>
#include <optional>

namespace plankurier::cli {

struct RelayAddress {
    RelayId id;
    std::string url; ///< without a slash at the end
};

/// What one department takes.
struct DepartmentLimits {
    std::vector<std::string> types;
    std::uint64_t transfer_bytes_max{};
    std::uint32_t expiry_days_min{}, expiry_days_default{}, expiry_days_max{};
};
/// `GET /v1/service`.
struct Service {
    std::string authority, link_base;
    std::vector<std::string> types;
    std::uint64_t transfer_bytes_max{}, files_max{}, message_bytes_max{};
    std::uint32_t expiry_days_min{}, expiry_days_default{}, expiry_days_max{};
    std::uint32_t remember_days_max{}; ///< 0: no address stays verified
    bool link_allowed{};               ///< a link alone may open a transfer
    /// Of the staff addresses that may be written to; an older service does not say.
    std::optional<std::vector<std::string>> staff_domains;
    std::map<std::string, DepartmentLimits> departments; ///< those with limits of their own
    std::vector<RelayAddress> relays;
    Signature signature{};
};
/// With the limits of the department instead of those for all, if it has its own.
[[nodiscard]] Service for_department(Service service, const std::string& department);
/// With what all of these take.
[[nodiscard]] Service for_departments(const Service& service,
                                      const std::vector<std::string>& departments);
[[nodiscard]] Result<Service> parse_service(std::string_view json);
/// The bytes that the service's signature is over.
[[nodiscard]] std::string relay_list_text(const std::vector<RelayAddress>& relays);

/// `GET /v1/directory`; `root_pub` is optional (the text of the root's public key).
[[nodiscard]] Result<SignedDirectory> parse_directory_answer(std::string_view json);

/// Problem details, as far as they are used.
struct Problem {
    Errc code{Errc::unavailable};
    std::optional<unsigned> attempts_left;
    std::optional<unsigned> retry_after_s;
    std::optional<WorkPuzzle> work; ///< what gets the request through all the same
};
/// True when the text begins and ends like a JSON object: an answer that broke off does not.
[[nodiscard]] bool is_whole_object(std::string_view json) noexcept;
/// Never fails: what cannot be read becomes a code made from the status.
[[nodiscard]] Problem parse_problem(long status, std::string_view json);

struct VerificationBegun {
    std::string session; ///< b64url
    std::uint64_t valid_s{}, resend_s{};
    unsigned number{}; ///< of the code mail; 0: none is awaited
};
/// What `POST /v1/verifications` wants to see of work that was done.
struct WorkDone {
    std::string salt;
    std::vector<std::uint64_t> numbers;
};
[[nodiscard]] std::string encode_verification(std::string_view email, std::string_view language,
                                              const std::optional<WorkDone>& work = {});
/// What `POST /v1/verifications/resend` takes.
[[nodiscard]] std::string encode_code_again(const std::optional<WorkDone>& work);
[[nodiscard]] Result<VerificationBegun> parse_verification(std::string_view json);
[[nodiscard]] std::string encode_code(std::string_view code, unsigned remember_days = 0);

/// What `POST /v1/transfers` asks for.
struct TransferRequest {
    TransferId transfer;
    std::string department, staff, citizen; ///< one of them
    std::vector<std::string> also;          ///< more departments
    std::string inbox;                      ///< hex; with `citizen`: an answer to a return key
    std::uint64_t body_len{};
    std::uint32_t expiry_days{};
    bool notify_fetch{true}, notify_unfetched{}, remind_recipient{};
    std::string language, phone; ///< empty phone: not shared
    Hash256 fetch_sha256{}, manage_sha256{};
    bool by_link{}; ///< its link alone opens it
};
[[nodiscard]] std::string encode_transfer(const TransferRequest& request);

struct TicketAnswer {
    std::string ticket; ///< b64url
    std::int64_t expires{};
    std::vector<RelayAddress> relays;
    std::uint32_t stored_min{1}; ///< relays that must have signed before `finish` succeeds
};
[[nodiscard]] Result<TicketAnswer> parse_ticket(std::string_view json);

[[nodiscard]] std::string encode_receipts(const std::vector<std::string>& receipts,
                                          const Hash256& content_root);
struct Finished {
    std::string state, receipt_number;
    std::int64_t expires{};
    std::optional<LinkId> link{}; ///< of a transfer by link
};
[[nodiscard]] Result<Finished> parse_finished(std::string_view json);

struct TransferStatus {
    std::string state;
    std::int64_t expires{}, fetched_at{}, created{};
    bool fetched{}, is_signed{};
    bool undeliverable{};    ///< the recipient's address took no mail
    std::int64_t body_len{}; ///< bytes with padding
    std::int64_t copies{};   ///< relays that have signed for all of it
    std::int64_t resends_left{};
    bool lost{}; ///< no relay has all of it any more
};
[[nodiscard]] Result<TransferStatus> parse_status(std::string_view json);

/// `POST /v1/transfers/expiry`, `…/resend-notice`, and `GET /v1/transfers/history`.
[[nodiscard]] std::string encode_expiry(std::uint32_t days_from_now);
[[nodiscard]] Result<std::int64_t> parse_expiry(std::string_view json);
[[nodiscard]] Result<std::int64_t> parse_resends_left(std::string_view json);
[[nodiscard]] Result<Bytes> parse_history(std::string_view json);
/// `POST …/revoke`: the last history; empty when it was said before.
[[nodiscard]] Result<Bytes> parse_revoked(std::string_view json);

/// `POST /v1/swarm/certificate`.
struct CertificateAnswer {
    std::string authority, certificate; ///< PEM
    std::int64_t expires{};
};
/// `public_key`: SubjectPublicKeyInfo, DER.
[[nodiscard]] std::string encode_public_key(ByteView public_key);
[[nodiscard]] Result<CertificateAnswer> parse_certificate(std::string_view json);

/// `GET /v1/record`.
[[nodiscard]] Result<Bytes> parse_record(std::string_view json);
[[nodiscard]] std::string encode_report(std::optional<Bytes> report);

/// Answers of the piece plane.
[[nodiscard]] Result<Hash256> parse_piece_answer(std::string_view json);
struct VolumeMap {
    std::uint32_t volume{};
    Bytes durable; ///< bitmap, most significant bit first
    bool descriptor{};
    [[nodiscard]] bool has(std::uint32_t piece) const noexcept;
};
[[nodiscard]] Result<std::vector<VolumeMap>> parse_map(std::string_view json);
[[nodiscard]] Result<std::string> parse_stored(std::string_view json);
/// `POST …/swarm`: the port at which the relay serves the volume.
[[nodiscard]] Result<std::uint16_t> parse_swarm_port(std::string_view json);

/// The host of a URL, without the brackets of an IPv6 address. Empty when there is none.
[[nodiscard]] std::string host_of(std::string_view url);

} // namespace plankurier::cli
