#pragma once
/// Proof that somebody holds the private half of a department key or of a citizen's return key.
/// Such keys cannot sign, so the control plane seals random bytes to the public key and asks for
/// what only its holder can read. Stateless functions; any thread.

#include <plankurier/keys.hpp>

namespace plankurier {

struct Challenge {
    /// "PKC1" | type u16 | kid 8 | enc 32 or 65 | sealed nonce 48. Not secret.
    Bytes bytes;
    /// What the holder will answer. Whoever knows it can answer: the control plane keeps it to
    /// itself, for one answer and a short time, and compares in constant time.
    Hash256 answer{};
};

/// A random 32-byte nonce under HPKE base mode (RFC 9180) with info = "plankurier/1 challenge" 00
/// type kid and no associated data; the answer is SHA-256("plankurier/1 answer" 00 nonce). Fails
/// with `unsupported` (a type that is no kind of public key), `malformed` (no point of its curve,
/// or a weak one).
[[nodiscard]] Result<Challenge> make_challenge(const RecipientPublicKey& key,
                                               const Entropy& entropy = fill_random);
/// The holder's answer. Reveals nothing but a hash of bytes that were sealed as a challenge: other
/// ciphertexts for the same key do not open here. Fails with `wrong_key` (made for another key, or
/// changed), `malformed`, `unsupported`.
[[nodiscard]] Result<Hash256> answer_challenge(const KeySeed& seed, StanzaType type,
                                               ByteView challenge);

} // namespace plankurier
