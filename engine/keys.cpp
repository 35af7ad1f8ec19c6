#include "engine/hpke.hpp"

#include <plankurier/keys.hpp>
#include <plankurier/receiving.hpp>

#include <sodium.h>

namespace plankurier {

namespace {

using SigningKey = Secret<64, struct SigningKeyTag>;

constexpr std::uint32_t passes_max = 10;
constexpr std::uint32_t memory_kib_max = 1U << 20;
constexpr std::size_t key_file_bytes = 4 + 2 + 16 + 4 + 4 + 32 + 12 + 48;

unsigned char* raw(std::byte* at) noexcept { return reinterpret_cast<unsigned char*>(at); }
const unsigned char* raw(const std::byte* at) noexcept {
    return reinterpret_cast<const unsigned char*>(at);
}

Hash256 labeled_hash(std::string_view label, const RecipientPublicKey& key) {
    const auto type = static_cast<std::uint16_t>(key.type);
    return sha256(Writer{}.text(label).u8(0).u16(type).bytes(key.bytes).view());
}

/// The aad of a key file ends with the public key, which follows from the seed inside. GCM is
/// counter mode, so sealing the ciphertext gives the seed back; sealing that seed again must then
/// give the very bytes of the file.
Result<OpenedKeyFile> open_wrapped_seed(ByteView file, StanzaType type, ByteView wrap_key,
                                        ByteView nonce) {
    const ByteView head = file.first(key_file_bytes - 48);
    const ByteView sealed = file.last(48);
    Bytes candidate = crypto::gcm_seal(wrap_key, nonce, {}, sealed.first(32));
    OpenedKeyFile out{KeySeed{ByteView{candidate}.first(32)}, type};
    wipe(candidate);
    const auto key = recipient_public_key(out.seed, type);
    if (!key) return tl::unexpected(key.error());
    const Bytes aad = Writer{}.bytes(head).bytes(key->bytes).take();
    if (!equal_constant_time(crypto::gcm_seal(wrap_key, nonce, aad, out.seed.reveal()), sealed)) {
        return fail(Errc::tampered, "key file");
    }
    return out;
}

std::pair<SigningPublicKey, SigningKey> expand_seed(const SigningSeed& seed) {
    SigningPublicKey public_key{};
    SigningKey secret;
    crypto_sign_seed_keypair(raw(public_key.data()), raw(secret.reveal_mutable().data()),
                             raw(seed.reveal().data()));
    return {public_key, std::move(secret)};
}

} // namespace

KeyId key_id(const RecipientPublicKey& key) {
    KeyId id{};
    std::copy_n(labeled_hash("plankurier/1 kid", key).begin(), id.size(), id.begin());
    return id;
}

InboxId inbox_id(const RecipientPublicKey& key) {
    InboxId id;
    std::copy_n(labeled_hash("plankurier/1 inbox", key).begin(), id.bytes.size(), id.bytes.begin());
    return id;
}

Result<RecipientPublicKey> recipient_public_key(const KeySeed& seed, StanzaType type) {
    if (public_key_bytes(type) == 0) return fail(Errc::unsupported, "key type");
    return RecipientPublicKey{type, hpke::public_key(type, hpke::private_key(type, seed))};
}

SigningSeed signing_seed(const KeySeed& seed) {
    SigningSeed out;
    crypto::hmac_sha256(seed.reveal(), {as_bytes("plankurier/1 sign")}, out.reveal_mutable());
    return out;
}

SigningPublicKey signing_public_key(const SigningSeed& seed) { return expand_seed(seed).first; }

Signature sign(const SigningSeed& seed, ByteView message) {
    const auto [public_key, secret] = expand_seed(seed);
    Signature signature{};
    crypto_sign_detached(raw(signature.data()), nullptr, raw(message.data()), message.size(),
                         raw(secret.reveal().data()));
    return signature;
}

bool verify(const SigningPublicKey& key, ByteView message, const Signature& signature) noexcept {
    return crypto_sign_verify_detached(raw(signature.data()), raw(message.data()), message.size(),
                                       raw(key.data())) == 0;
}

Result<Bytes> seal_key_file(const KeySeed& seed, StanzaType type, const SecretText& passphrase,
                            Argon2Cost cost) {
    const auto key = recipient_public_key(seed, type);
    if (!key) return tl::unexpected(key.error());
    const auto normal = to_nfc(passphrase.reveal());
    if (!normal) return tl::unexpected(normal.error());
    std::array<std::byte, 16> salt{};
    std::array<std::byte, 12> nonce{};
    fill_random(salt);
    fill_random(nonce);
    Secret<64, struct WrapTag> wrap;
    crypto::argon2id(SecretText{*normal}.reveal(), salt, cost.passes, cost.memory_kib,
                     wrap.reveal_mutable());
    Writer out;
    out.text("PKK1").u16(static_cast<std::uint16_t>(type)).bytes(salt);
    out.u32(cost.passes).u32(cost.memory_kib).bytes(wrap.reveal().subspan(32)).bytes(nonce);
    const Bytes aad = Writer{}.bytes(out.view()).bytes(key->bytes).take();
    return out.bytes(crypto::gcm_seal(wrap.reveal().first(32), nonce, aad, seed.reveal())).take();
}

Result<OpenedKeyFile> open_key_file(ByteView file, const SecretText& passphrase) {
    if (file.size() != key_file_bytes) return fail(Errc::malformed, "key file");
    Reader in{file};
    if (as_text(in.bytes(4)) != "PKK1") return fail(Errc::malformed, "key file");
    const auto type = static_cast<StanzaType>(in.u16());
    const auto salt = in.array<16>();
    const std::uint32_t passes = in.u32();
    const std::uint32_t memory_kib = in.u32();
    if (public_key_bytes(type) == 0 || passes == 0 || passes > passes_max || memory_kib < 8 ||
        memory_kib > memory_kib_max) {
        return fail(Errc::unsupported, "key file");
    }
    const ByteView commit = in.bytes(32);
    const ByteView nonce = in.bytes(12);
    const auto normal = to_nfc(passphrase.reveal());
    if (!normal) return tl::unexpected(normal.error());
    Secret<64, struct WrapTag> wrap;
    crypto::argon2id(SecretText{*normal}.reveal(), salt, passes, memory_kib, wrap.reveal_mutable());
    if (!equal_constant_time(wrap.reveal().subspan(32), commit)) {
        return fail(Errc::wrong_password, "key file");
    }
    return open_wrapped_seed(file, type, wrap.reveal().first(32), nonce);
}

} // namespace plankurier
