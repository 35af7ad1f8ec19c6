#pragma once
/// A whole control plane in a folder: real SQLite, real vault file, real signatures; only time and
/// mail are fakes. Its keys are fixed, so that another process can open the same folder.
/// One thread at a time.

#include "relay/adapters/local.hpp"
#include "relay/adapters/mailers.hpp"
#include "relay/adapters/sqlite_store.hpp"
#include "relay/adapters/swarm_authority.hpp"
#include "relay/adapters/vault_file.hpp"
#include "relay/domain/relay.hpp"

#include "tests/support/fakes.hpp"

#include <plankurier/envelope.hpp>

#include <filesystem>

namespace plankurier::test {

inline constexpr const char* citizen = "erika.mustermann@buerger.example";
inline constexpr const char* clerk = "anna.gruen@amt.example";
inline constexpr const char* department_mail = "bauamt@amt.example";
inline constexpr std::int64_t hour_s = 3'600, day_s = 86'400;

/// 32 bytes that are the same in every process.
template <typename SecretType>
SecretType fixed_secret(std::string_view name) {
    return SecretType{ByteView{sha256(as_bytes(name))}};
}
/// The seed of a relay's or department's signing key.
[[nodiscard]] SigningSeed relay_seed(std::size_t number);
[[nodiscard]] SigningSeed control_seed();
[[nodiscard]] SigningSeed department_seed();
/// With the department "bauamt", whose key pair is of the seed "bauamt".
[[nodiscard]] Directory usual_directory();
[[nodiscard]] relay::KnownRelay known_relay(std::size_t number);

/// What a sender's client knows of its transfer.
struct Sending {
    TransferId id = TransferId::random();
    TransferKey key = TransferKey::random();
    ManageToken manage = ManageToken::random();
    BodyLayout layout = BodyLayout::for_content(100'000).value();

    [[nodiscard]] FetchToken fetch() const { return fetch_token(key, id); }
    /// To the department "bauamt" for 14 days.
    [[nodiscard]] relay::TransferRequest request() const;
    [[nodiscard]] Bytes envelope() const;
    [[nodiscard]] Bytes envelope(const std::vector<Recipient>& recipients) const;
    /// What relay `number` signs once it stores everything.
    [[nodiscard]] StoredReceipt receipt(std::size_t number = 0) const;
    [[nodiscard]] Bytes signed_receipt(std::size_t number = 0) const;
    /// What it has sealed.
    [[nodiscard]] Hash256 content() const { return sha256(as_bytes("content")); }
};

class Control {
public:
    struct Options {
        std::size_t relays{1};
        bool secure_delete{true};
        bool folder_mailer{}; ///< the mails are written to FOLDER/mail, too
        std::string pepper{"pepper"};
    };
    /// Lets a test ask for a transfer that differs from the usual one.
    using Change = std::function<void(relay::TransferRequest&)>;

    Control(const std::filesystem::path& where, Options chosen);
    explicit Control(const std::filesystem::path& where) : Control(where, Options{}) {}

    /// The process ends …
    void stop() { plane_.reset(); }
    /// … and starts again.
    void restart();
    relay::Relay& relay() { return *plane_->relay; }
    relay::Store& store() { return plane_->store; }
    relay::Vault& vault() { return plane_->vault; }
    relay::CertificateAuthority& authority() { return plane_->authority; }
    [[nodiscard]] std::string audit() const;

    /// Ends with the code's mail delivered.
    SessionToken asked_session(std::string_view email = citizen);
    /// The code in the newest mail to the address. Fails the test when there is none.
    [[nodiscard]] SecretText code_for(std::string_view email = citizen) const;
    SessionToken verified_session(std::string_view email = citizen);
    /// Created, with envelope.
    Sending uploading(const Change& change = {});
    /// A session of the department "bauamt".
    SessionToken department_session();
    /// A session of the citizen's return key of this seed.
    SessionToken inbox_session(const KeySeed& seed);
    /// Of that session, until it is available.
    Sending sent(const SessionToken& session, const Change& change);
    Sending available(const Change& change = {});
    /// What a department's client reports after fetching.
    [[nodiscard]] FetchedReport fetched_report(const Sending& sending);
    /// A relay's sync that says nothing but the time.
    [[nodiscard]] relay::SyncRequest news();
    /// Relay `number` syncs; the test fails when it may not.
    relay::SyncAnswer sync(std::size_t number, const relay::SyncRequest& request);
    relay::SyncAnswer sync(std::size_t number) { return sync(number, news()); }
    /// The next of these comes from a session of its own.
    void new_sender() { session_.reset(); }
    /// The link in the newest mail to the address. Fails the test when there is none.
    [[nodiscard]] LinkId link_for(std::string_view email = department_mail) const;

    std::filesystem::path folder;
    Options options;
    FakeClock clock;
    FakeTimeMemory time_memory; ///< outlives `restart`
    FakeMailer mails;
    relay::Policy policy;

private:
    struct Plane {
        explicit Plane(Control& world);
        std::unique_ptr<relay::adapters::FolderMailer> folder_mailer;
        relay::ServiceTime time;
        relay::adapters::Db db;
        relay::adapters::SqliteStore store;
        relay::adapters::VaultFile vault;
        relay::adapters::EnvelopeFiles envelopes;
        relay::adapters::AuditFile audit;
        relay::adapters::SwarmAuthority authority;
        std::unique_ptr<relay::Relay> relay;
    };
    std::unique_ptr<Plane> plane_;
    std::unique_ptr<SessionToken> session_; ///< of `uploading`, while it is verified
};

/// The code of a result, or nothing when it holds a value: for comparisons that print well.
template <typename T>
std::string why(const Result<T>& result) {
    return result ? std::string{"value"} : std::string{name(result.error().code)};
}

} // namespace plankurier::test
