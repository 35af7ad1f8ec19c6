#pragma once
/// The signed directory: root signs signer, signer signs directory (format 3.9). Signatures are
/// minisign files, so that the ceremony needs nothing but the stock tool.
/// Stateless functions; any thread. Times are Unix seconds.

#include <plankurier/keys.hpp>

#include <optional>
#include <string>
#include <vector>

namespace plankurier {

/// A minisign public key: key id 8 and Ed25519 key 32.
struct MinisignPublicKey {
    std::array<std::byte, 8> id{};
    SigningPublicKey key{};
    friend bool operator==(const MinisignPublicKey&, const MinisignPublicKey&) = default;
};
/// From the text of a `.pub` file, or its second line alone. Fails with `malformed`.
[[nodiscard]] Result<MinisignPublicKey> parse_minisign_public_key(std::string_view text);
/// The base64 line of a `.pub` file.
[[nodiscard]] std::string to_text(const MinisignPublicKey& key);
/// SHA-256 over id and key as groups of hexadecimal, for people to compare.
[[nodiscard]] std::string fingerprint(const MinisignPublicKey& key);
/// Checks a `.minisig` (legacy "Ed" and prehashed "ED") with its trusted comment; returns that
/// comment. Fails with `malformed` or `bad_signature`.
[[nodiscard]] Result<std::string> check_minisign(const MinisignPublicKey& key, ByteView message,
                                                 std::string_view signature_text);

struct DepartmentKey {
    KeyId kid{};
    RecipientPublicKey key;
    std::int64_t from{}, until{};
};
struct DepartmentSigningKey {
    KeyId kid{};
    SigningPublicKey key{};
    std::int64_t from{}, until{};
};
/// Who can be written to by a key: a department, or a clerk who is registered with an address.
struct Department {
    std::string id, name, group, hint;
    std::vector<DepartmentKey> keys;
    std::vector<DepartmentSigningKey> signing_keys;
    std::string address{}; ///< of a clerk; empty for departments
};
/// A key that opens what goes to departments and clerks besides them; senders are told.
struct Escrow {
    std::string name, hint;
    std::vector<DepartmentKey> keys;
};
struct Directory {
    std::string authority;
    std::uint64_t serial{};
    std::int64_t issued{}, expires{};
    SigningPublicKey record_key{}; ///< the control plane's key for records and tickets
    std::vector<Department> departments;
    std::vector<Department> clerks; ///< openly listed; each with an address
    std::optional<Escrow> escrow{};
    std::vector<KeyId> revoked;
    /// Of the authority's page, for those who check it. Only written: readers here pass it over.
    std::vector<Hash256> page_hashes{};

    /// The department or clerk of that id; nullptr when there is none.
    [[nodiscard]] const Department* find(std::string_view id) const noexcept;
    /// By address, whatever the case of its ASCII letters; nullptr when there is none.
    [[nodiscard]] const Department* find_clerk(std::string_view address) const noexcept;
};

/// A new id of a clerk: "clerk-" and 16 hex digits, random. It stands where the address must not:
/// in databases, logs and metrics.
[[nodiscard]] std::string random_clerk_id();
/// True for ids of that form: no department has one, and every clerk.
[[nodiscard]] bool is_clerk_id(std::string_view id) noexcept;

/// The texts that `GET /v1/directory` serves.
struct SignedDirectory {
    std::string signer_pub, signer_minisig, directory_json, directory_minisig;
    /// The root's public key, for people who compare its fingerprint. Trust never comes from here.
    std::string root_pub{};
};

/// What a client remembers of an authority.
struct TrustAnchor {
    MinisignPublicKey root;
    std::uint64_t highest_serial{};
};

/// Checks the whole chain: root -> signer (trusted comment `expires:YYYY-MM-DD`, at most 400
/// days) -> directory (trusted comment `serial:N expires:YYYY-MM-DD`, at most 35 days), times,
/// serial. Fails with `untrusted_root`, `bad_signature`, `expired`, `rolled_back`, `malformed`.
[[nodiscard]] Result<Directory> open_directory(const SignedDirectory& bundle,
                                               const TrustAnchor& trust, std::int64_t now);
/// Parses directory JSON without checking a signature (the relay's own tools). Members that it does
/// not know are passed over. Fails with `malformed` (also when an id or address is there twice),
/// `too_large`, `unsupported`.
[[nodiscard]] Result<Directory> parse_directory(std::string_view json);
/// The JSON text of a directory.
[[nodiscard]] std::string encode_directory(const Directory& directory);

/// The key to seal to now: of those inside from/until and not revoked the newest epoch, that is the
/// latest `from`, then the latest `until`. Epochs overlap, and a new one may begin early because a
/// member left; older keys of the record serve to open what was sealed before. Fails with
/// `expired`, or `unsupported` when there are only keys of a later kind.
[[nodiscard]] Result<DepartmentKey> usable_key(const Directory& directory,
                                               const Department& department, std::int64_t now);
/// The same of the escrow key; `not_found` when the directory has none.
[[nodiscard]] Result<DepartmentKey> usable_escrow_key(const Directory& directory, std::int64_t now);
/// True for each key that the directory lists as an escrow key, also a revoked or older one.
[[nodiscard]] bool is_escrow_key(const Directory& directory, const KeyId& kid) noexcept;

/// The public record a department or clerk hands over (JSON, one line), and its inverse.
/// `malformed`.
[[nodiscard]] std::string encode_department(const Department& department);
[[nodiscard]] Result<Department> parse_department(std::string_view json);
/// The same of an escrow key: `{"escrow":{…}}`.
[[nodiscard]] std::string encode_escrow(const Escrow& escrow);
[[nodiscard]] Result<Escrow> parse_escrow(std::string_view json);

} // namespace plankurier
