#pragma once
/// What the sender must not forget: everything that continuing after a crash needs, written before
/// the step it covers. A private folder per transfer, deleted when the transfer is available.
/// One thread.

#include <plankurier/keys.hpp>
#include <plankurier/source.hpp>

#include <map>
#include <optional>

namespace plankurier::cli {

/// How far a transfer has come. Each step is repeated on resume until the next one is recorded.
enum class SendStep { begun, verified, uploading };

/// The key pair that answers are sealed to (format 3.11).
struct ReturnKey {
    KeySeed seed;
    StanzaType type{StanzaType::hpke_p256};
};

struct UploadState {
    TransferId transfer;
    TransferKey key;
    ManageToken manage;
    SendStep step{SendStep::begun};
    std::string server, authority;
    std::string department, staff, citizen; ///< one of them: who gets it
    std::vector<std::string> also;          ///< more departments and clerks that get it
    std::string recipient;                  ///< all of them, as the receipt names them
    std::string escrow;                     ///< name of the escrow key that opens it too, or empty
    std::string inbox;                      ///< hex; of an answer to a citizen, else empty
    std::string sender_department;          ///< that proves itself by its key, else empty
    std::string session;                    ///< b64url; empty until a verification was begun
    unsigned code_number{};                 ///< of the code mail that was sent last; 0: not known
    std::string email, phone_shared, language, receipt_path;
    std::uint32_t expiry_days{};
    bool notify_fetch{true}, notify_unfetched{}, remind_recipient{};
    std::int64_t begun{}; ///< Unix seconds
    std::vector<FileIdentity> files;
    std::optional<ReturnKey> return_key; ///< nothing for a sender who awaits no answer
    std::optional<LinkSecret> link; ///< of the link that opens it; else a key or a password does
    std::string link_path;          ///< where that link is to be written, or empty
};

[[nodiscard]] std::string encode_upload_state(const UploadState& state);
/// Fails with `malformed`.
[[nodiscard]] Result<UploadState> decode_upload_state(std::string_view json);

/// The folder of one transfer's state.
class UploadStore {
public:
    /// `folder` holds one folder per transfer; this one is made (0700) if needed.
    [[nodiscard]] static Result<UploadStore> open(const std::filesystem::path& folder,
                                                  const TransferId& transfer);
    /// Ids of all transfers that can be continued.
    [[nodiscard]] static std::vector<TransferId> list(const std::filesystem::path& folder);

    /// Deletes what a crash left before the first state was saved (an hour ago or more), and
    /// transfers that nobody continued before their expiry (`now` in Unix seconds): they hold keys
    /// and contact data. A state that cannot be read does not tell its expiry; it goes after
    /// `damaged_days`. Gives those, which the user was never told of.
    [[nodiscard]] static std::vector<TransferId>
    remove_outdated(const std::filesystem::path& folder, std::int64_t now);
    static constexpr std::uint32_t damaged_days = 60; ///< the usual longest term of a service

    /// Both durable on success.
    [[nodiscard]] Result<void> save(const UploadState& state) const;
    [[nodiscard]] Result<void> save_envelope(ByteView envelope) const;
    [[nodiscard]] Result<UploadState> load() const;
    [[nodiscard]] Result<Bytes> load_envelope() const;

    /// Notes the root of a sealed piece. Not synced: a lost note only costs sealing it again.
    [[nodiscard]] Result<void> note_root(std::uint64_t piece, const Hash256& root);
    /// All roots noted; a torn or damaged note is left out.
    [[nodiscard]] std::map<std::uint64_t, Hash256> load_roots() const;

    /// Takes the sole right to work on this transfer. Fails with `conflict` when another process
    /// has it. Given back when the process ends.
    [[nodiscard]] Result<void> lock();
    /// Deletes everything.
    void remove() const noexcept;

    ~UploadStore();
    UploadStore(UploadStore&& other) noexcept;
    UploadStore& operator=(UploadStore&&) = delete;

private:
    explicit UploadStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
    std::filesystem::path folder_;
    int roots_{-1}, lock_{-1};
};

} // namespace plankurier::cli
