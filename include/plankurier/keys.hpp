#pragma once
/// Key pairs of departments, staff and replies, and the public records made from them
/// (docs/protocol.md "Keys"). Stateless functions; any thread.

#include <plankurier/ids.hpp>
#include <plankurier/secret.hpp>

#include <functional>
#include <optional>

namespace plankurier {

/// Stanza types on the wire (format 3.7); those of HPKE name kinds of public keys too.
enum class StanzaType : std::uint16_t { hpke_x25519 = 1, password = 2, link = 3, hpke_p256 = 5 };

/// Bytes of a public key of this type: 32 or 65. 0 for types that are no kind of public key.
[[nodiscard]] constexpr std::size_t public_key_bytes(StanzaType type) noexcept {
    return type == StanzaType::hpke_x25519 ? 32 : type == StanzaType::hpke_p256 ? 65 : 0;
}

/// Where random bytes come from; vectors give fixed ones. Called with the span to fill.
using Entropy = std::function<void(std::span<std::byte>)>;

/// A key that a transfer can be sealed to. `bytes`: 32 (X25519) or 65 (P-256, uncompressed).
struct RecipientPublicKey {
    StanzaType type{StanzaType::hpke_p256};
    Bytes bytes;
    friend bool operator==(const RecipientPublicKey&, const RecipientPublicKey&) = default;
};

/// kid = SHA-256("plankurier/1 kid" 00 type pk)[0..8).
[[nodiscard]] KeyId key_id(const RecipientPublicKey& key);

/// inbox = SHA-256("plankurier/1 inbox" 00 type pk)[0..16) (format 3.11).
[[nodiscard]] InboxId inbox_id(const RecipientPublicKey& key);

/// The public key for a seed. KEM keys derive by RFC 9180 DeriveKeyPair with
/// ikm = HMAC-SHA-256(seed, "plankurier/1 kem"). Fails with `unsupported` for other types.
[[nodiscard]] Result<RecipientPublicKey> recipient_public_key(const KeySeed& seed, StanzaType type);
/// The signing seed that belongs to a key seed: HMAC-SHA-256(seed, "plankurier/1 sign").
[[nodiscard]] SigningSeed signing_seed(const KeySeed& seed);

/// An Ed25519 public key (RFC 8032).
using SigningPublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;
[[nodiscard]] SigningPublicKey signing_public_key(const SigningSeed& seed);
[[nodiscard]] Signature sign(const SigningSeed& seed, ByteView message);
[[nodiscard]] bool verify(const SigningPublicKey& key, ByteView message,
                          const Signature& signature) noexcept;

/// Argon2id cost. `memory_kib` in KiB. Transfers use the default. Key files use 6 / 131072:
/// as dear to guess as 3 passes over 256 MiB, and fetching stays under 256 MiB of memory.
struct Argon2Cost {
    std::uint32_t passes{3};
    std::uint32_t memory_kib{65'536};
};

/// A key file: magic "PKK1" | type u16 | kid 8 | salt 16 | t u32 | m u32 | commit 32 | nonce 12 |
/// AES-256-GCM(seed, aad = all before) 48. The passphrase is NFC-normalised.
[[nodiscard]] Result<Bytes> seal_key_file(const KeySeed& seed, StanzaType type,
                                          const SecretText& passphrase,
                                          Argon2Cost cost = {6, 131'072});
struct OpenedKeyFile {
    KeySeed seed;
    StanzaType type{};
};
/// Fails with `malformed`, `unsupported` (type), `too_large` (costs above t 10, m 1 GiB),
/// `wrong_password`, or `tampered` (also when the seed's key is not that of the kid).
[[nodiscard]] Result<OpenedKeyFile> open_key_file(ByteView file, const SecretText& passphrase);

/// Six words of the German diceware list (13 bits each, 78 bits), joined by "-". `word_list` is the
/// text of the list, one "number<tab>word" or "word" a line. Fails with `invalid_argument` when it
/// has fewer than 8192 words.
[[nodiscard]] Result<SecretText> generate_password(std::string_view word_list, unsigned words = 6);

} // namespace plankurier
