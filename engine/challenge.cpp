#include "engine/hpke.hpp"

#include <plankurier/challenge.hpp>

namespace plankurier {

namespace {

using Nonce = Secret<32, struct ChallengeNonceTag>;

Bytes info(StanzaType type, const KeyId& kid) {
    Writer out;
    out.text("plankurier/1 challenge").u8(0).u16(static_cast<std::uint16_t>(type));
    return out.bytes(kid).take();
}

Hash256 answer_to(const Nonce& nonce) {
    Bytes text = Writer{}.text("plankurier/1 answer").u8(0).bytes(nonce.reveal()).take();
    const Hash256 answer = sha256(text);
    wipe(text);
    return answer;
}

} // namespace

Result<Challenge> make_challenge(const RecipientPublicKey& key, const Entropy& entropy) {
    if (public_key_bytes(key.type) == 0) return fail(Errc::unsupported, "key type");
    Nonce nonce;
    entropy(nonce.reveal_mutable());
    const KeyId kid = key_id(key);
    const auto sealed = hpke::seal(key, info(key.type, kid), {}, nonce.reveal(), entropy);
    if (!sealed) return tl::unexpected(sealed.error());
    Writer out;
    out.text("PKC1").u16(static_cast<std::uint16_t>(key.type)).bytes(kid);
    return Challenge{out.bytes(sealed->enc).bytes(sealed->ciphertext).take(), answer_to(nonce)};
}

Result<Hash256> answer_challenge(const KeySeed& seed, StanzaType type, ByteView challenge) {
    const auto own = recipient_public_key(seed, type);
    if (!own) return tl::unexpected(own.error());
    Reader in{challenge};
    const std::string_view magic = as_text(in.bytes(4));
    const std::uint16_t wire_type = in.u16();
    const auto kid = in.array<8>();
    if (!in.ok() || magic != "PKC1") return fail(Errc::malformed, "challenge");
    const std::size_t enc_bytes = public_key_bytes(static_cast<StanzaType>(wire_type));
    if (enc_bytes == 0) return fail(Errc::unsupported, "key type");
    const ByteView enc = in.bytes(enc_bytes);
    const ByteView sealed = in.bytes(48);
    if (!in.at_end()) return fail(Errc::malformed, "challenge");
    if (wire_type != static_cast<std::uint16_t>(type) || kid != key_id(*own)) {
        return fail(Errc::wrong_key, "challenge for another key");
    }
    Nonce nonce;
    const auto opened = hpke::open(type, hpke::private_key(type, seed), enc, info(type, kid), {},
                                   sealed, nonce.reveal_mutable());
    if (!opened) return tl::unexpected(opened.error());
    return answer_to(nonce);
}

} // namespace plankurier
