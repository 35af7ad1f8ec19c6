#pragma once
/// HPKE base mode, single shot (RFC 9180), with HKDF-SHA256 and AES-256-GCM over the KEMs
/// DHKEM(X25519) and DHKEM(P-256). Internal to the engine. Stateless; any thread.

#include "engine/crypto.hpp"

#include <plankurier/envelope.hpp>

namespace plankurier::hpke {

/// A private key: X25519 scalar or P-256 scalar, 32 bytes.
using PrivateKey = Secret<32, struct HpkePrivateTag>;

/// RFC 9180 section 7.1.3 DeriveKeyPair.
[[nodiscard]] PrivateKey derive_private_key(StanzaType type, ByteView ikm);
/// The private key of a seed (docs/protocol.md "Keys").
[[nodiscard]] PrivateKey private_key(StanzaType type, const KeySeed& seed);
/// The public key of a private key: 32 bytes, or 65 uncompressed.
[[nodiscard]] Bytes public_key(StanzaType type, const PrivateKey& key);

/// Whether this is a public key of that type: a point of its curve, in its one form, that does not
/// lead to an all-zero secret. False for types that are no kind of public key.
[[nodiscard]] bool is_point(StanzaType type, ByteView encoded);

struct Sealed {
    Bytes enc;
    Bytes ciphertext;
};
/// Fails with `malformed` when `recipient` is no valid point, or leads to an all-zero secret.
[[nodiscard]] Result<Sealed> seal(const RecipientPublicKey& recipient, ByteView info, ByteView aad,
                                  ByteView plain, const Entropy& entropy);
/// Opens into `out`. Fails with `wrong_key` when it does not open, `malformed` as above.
[[nodiscard]] Result<void> open(StanzaType type, const PrivateKey& key, ByteView enc, ByteView info,
                                ByteView aad, ByteView ciphertext, std::span<std::byte> out);

/// The KEM's shared secret, for known-answer tests.
[[nodiscard]] Result<crypto::Key256> shared_secret(StanzaType type, const PrivateKey& own,
                                                   ByteView other_public, ByteView enc,
                                                   ByteView recipient_public);

} // namespace plankurier::hpke
