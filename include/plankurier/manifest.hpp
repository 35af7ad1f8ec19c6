#pragma once
/// The encrypted inside of an envelope: who, what, which files (format 3.8). Values; any thread.

#include <plankurier/keys.hpp>

#include <string>
#include <vector>

namespace plankurier {

/// A file of a transfer. `name` is display data as the sender gave it; pass it through
/// `clean_file_name` (receiving.hpp) before anything touches a disk or terminal.
struct ManifestFile {
    std::string name;
    std::uint64_t size_bytes{};
    std::string type;     ///< media type, e.g. "application/pdf"
    std::int64_t mtime{}; ///< Unix seconds
    friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

/// Contact data as the sender gave them. Only the e-mail is verified, and only by the control
/// plane's record (records.hpp).
struct Contact {
    std::string name, phone, email, reference, clerk, institution;
    friend bool operator==(const Contact&, const Contact&) = default;
};

struct Manifest {
    TransferId transfer;
    std::int64_t created{}; ///< Unix seconds, sender's clock
    std::uint32_t expiry_days{};
    Contact from;
    std::string department; ///< id in the directory; empty when addressed to a staff address
    std::uint64_t directory_serial{};
    std::vector<KeyId> recipient_keys;
    std::string subject, message;
    std::vector<ManifestFile> files; ///< contiguous in this order from body offset 0
    bool notify_fetch{true};
    /// The sender's return key: answers are sealed to it and listed under its `inbox_id`. Nothing
    /// when the sender gave none, or one of a type that this program does not know.
    std::optional<RecipientPublicKey> reply_key;
    friend bool operator==(const Manifest&, const Manifest&) = default;

    [[nodiscard]] std::uint64_t content_bytes() const noexcept;
};

inline constexpr std::size_t manifest_bytes_max = 2u << 20;
inline constexpr std::size_t files_max = 1'000;
inline constexpr std::size_t file_name_bytes_max = 1'024;

/// An Ed25519 signature over a manifest (format 3.8), as it stands in an envelope. It says nothing
/// until `check_signer` (signer.hpp) has found its key in the directory.
struct ManifestSignature {
    /// What is signed: "plankurier/1 manifest sig" 00, SHA-512 of the envelope up to the end of its
    /// stanzas, SHA-512 of the JSON text.
    Bytes statement;
    Signature value{};
};

/// Plaintext bytes: u32 len | JSON | u8 has_sig | sig 64 (if has_sig), zero-padded to Padme with a
/// minimum of 4 KiB; without a signature (an envelope is signed by `seal_envelope`). Fails with
/// `too_large`, `too_many_files`, `invalid_argument` (text that is not UTF-8, a reply key that is
/// no point of its curve, or of low order).
[[nodiscard]] Result<Bytes> encode_manifest(const Manifest& manifest);
/// The strict inverse: caps first, padding must be zero, sizes must add up below body_bytes_max, a
/// reply key must be a point and fit its inbox. A signature and unknown members are passed over.
/// Fails with `malformed`, `unsupported`, `too_large`.
[[nodiscard]] Result<Manifest> decode_manifest(ByteView plain);

} // namespace plankurier
