#pragma once
/// The envelope: header, recipient stanzas, header MAC, encrypted manifest (format 3.6, 3.7).
/// Stateless functions; any thread. Argon2id takes about 0.1 s and 64 MiB a call.

#include <plankurier/layout.hpp>
#include <plankurier/manifest.hpp>

#include <variant>

namespace plankurier {

inline constexpr std::size_t envelope_bytes_max = (2u << 20) + 64 * 1'200 + 4'096;
inline constexpr std::size_t stanzas_max = 64;

/// Derives `K(label) = HMAC-SHA-384(TK, "plankurier/1 " label 00 tid 01)[0..32)` into `out`.
void derive(const TransferKey& key, const TransferId& transfer, std::string_view label,
            std::span<std::byte, 32> out);
/// K("fetch").
[[nodiscard]] FetchToken fetch_token(const TransferKey& key, const TransferId& transfer);

/// A FLOE header: params(10) iv(32) tag(32) (C2SP FLOE).
using FloeHeader = std::array<std::byte, 74>;

/// Who can open: the holder of a key, whoever knows the password, whoever holds the link.
struct KeyRecipient {
    RecipientPublicKey key;
    bool anonymous{}; ///< write an all-zero kid
};
struct PasswordRecipient {
    SecretText password; ///< NFC-normalised before use
    Argon2Cost cost{};
};
struct LinkRecipient {
    LinkSecret secret; ///< random, for this transfer only
};
using Recipient = std::variant<KeyRecipient, PasswordRecipient, LinkRecipient>;

/// What an authority's answer has and a citizen's transfer has not.
struct SealOptions {
    /// Signs the manifest: the signing seed of a department (`signing_seed` of its key seed).
    const SigningSeed* signer{};
    bool is_reply{}; ///< flag bit 2: sealed to a return key
};

/// Writes an envelope. The body's FLOE header is made here and read back by `parse_envelope`.
/// Fails with `invalid_argument` (no recipient, two passwords, more than 64), `too_large`,
/// `malformed` (a public key that is no point of its curve).
[[nodiscard]] Result<Bytes> seal_envelope(const TransferKey& key, const Manifest& manifest,
                                          const BodyLayout& layout,
                                          std::span<const Recipient> recipients,
                                          const Entropy& entropy = fill_random);
[[nodiscard]] Result<Bytes> seal_envelope(const TransferKey& key, const Manifest& manifest,
                                          const BodyLayout& layout,
                                          std::span<const Recipient> recipients,
                                          const SealOptions& options,
                                          const Entropy& entropy = fill_random);

/// What can be read without a secret; nothing of it is authenticated yet. Positions index into
/// the parsed bytes.
struct StanzaView {
    std::uint16_t type{};
    KeyId kid{};
    std::size_t body_at{}, body_bytes{};
};
struct EnvelopeView {
    TransferId transfer;
    std::uint64_t body_len{};
    std::uint8_t flags{};
    FloeHeader body_header{}, manifest_header{};
    std::vector<StanzaView> stanzas;
    std::size_t mac_at{}, manifest_at{}, manifest_bytes{};
};
/// Bounds and caps only, before any cryptography. Fails with `malformed`, `unsupported`,
/// `too_large`.
[[nodiscard]] Result<EnvelopeView> parse_envelope(ByteView envelope);

struct OpenedEnvelope {
    TransferKey key;
    BodyLayout layout;
    FloeHeader body_header{};
    Manifest manifest;
    bool is_reply{};                            ///< as the author of the envelope says
    std::optional<ManifestSignature> signature; ///< check it with `check_signer` (signer.hpp)
};
/// Opens with a key seed of a type: stanzas with this key's kid first, then those with kid zero.
/// Strict order: bounds, caps, stanza, header MAC, both FLOE header tags, manifest. Fails with
/// `wrong_key`, `tampered`, and all of parse_envelope and decode_manifest.
[[nodiscard]] Result<OpenedEnvelope> open_envelope(ByteView envelope, const KeySeed& seed,
                                                   StanzaType type);
/// Opens with a password. Fails with `wrong_password`, else as above.
[[nodiscard]] Result<OpenedEnvelope> open_envelope(ByteView envelope, const SecretText& password);
/// Opens with the secret of a link. Fails with `wrong_key`, else as above.
[[nodiscard]] Result<OpenedEnvelope> open_envelope(ByteView envelope, const LinkSecret& secret);
/// Opens with the transfer key itself (the sender, resuming).
[[nodiscard]] Result<OpenedEnvelope> open_envelope(ByteView envelope, TransferKey key);

} // namespace plankurier
