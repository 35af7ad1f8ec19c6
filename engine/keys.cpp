#include "engine/hpke.hpp"

#include <plankurier/keys.hpp>
#include <plankurier/receiving.hpp>

#include <sodium.h>

namespace plankurier {

namespace {

using SigningKey = Secret<64, struct SigningKeyTag>;

constexpr std::size_t key_file_head_bytes = 4 + 2 + 8 + 16 + 4 + 4 + 32 + 12;
constexpr std::size_t sealed_seed_bytes = 48;

Hash256 labeled_hash(std::string_view label, const RecipientPublicKey& key) {
    const auto type = static_cast<std::uint16_t>(key.type);
    return sha256(Writer{}.text(label).u8(0).u16(type).bytes(key.bytes).view());
}

/// The wrapping key of a passphrase, and the commitment to it. A passphrase that is no text fits
/// nothing.
Result<Secret<64, struct WrapTag>> wrap_of(const SecretText& passphrase,
                                           std::span<const std::byte, 16> salt, Argon2Cost cost) {
    auto normal = to_nfc(passphrase.reveal());
    if (!normal) return fail(Errc::wrong_password, "not UTF-8");
    const SecretText text{*normal};
    wipe(std::as_writable_bytes(std::span{*normal}));
    Secret<64, struct WrapTag> wrap;
    crypto::argon2id(text.reveal(), salt, cost.passes, cost.memory_kib, wrap.reveal_mutable());
    return wrap;
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
    std::array<std::byte, 16> salt{};
    std::array<std::byte, 12> nonce{};
    fill_random(salt);
    fill_random(nonce);
    const auto wrap = wrap_of(passphrase, salt, cost);
    if (!wrap) return tl::unexpected(wrap.error());
    Writer out;
    out.text("PKK1").u16(static_cast<std::uint16_t>(type)).bytes(key_id(*key)).bytes(salt);
    out.u32(cost.passes).u32(cost.memory_kib).bytes(wrap->reveal().subspan(32)).bytes(nonce);
    return out.bytes(crypto::gcm_seal(wrap->reveal().first(32), nonce, out.view(), seed.reveal()))
        .take();
}

Result<OpenedKeyFile> open_key_file(ByteView file, const SecretText& passphrase) {
    Reader in{file};
    if (file.size() != key_file_head_bytes + sealed_seed_bytes || as_text(in.bytes(4)) != "PKK1") {
        return fail(Errc::malformed, "key file");
    }
    const auto type = static_cast<StanzaType>(in.u16());
    if (public_key_bytes(type) == 0) return fail(Errc::unsupported, "key file");
    const KeyId kid = in.array<8>();
    const auto salt = in.array<16>();
    const Argon2Cost cost{in.u32(), in.u32()};
    if (auto checked = crypto::check_argon2_cost(cost.passes, cost.memory_kib); !checked) {
        return tl::unexpected(checked.error());
    }
    const ByteView commit = in.bytes(32);
    const ByteView nonce = in.bytes(12);
    const auto wrap = wrap_of(passphrase, salt, cost);
    if (!wrap) return tl::unexpected(wrap.error());
    if (!equal_constant_time(wrap->reveal().subspan(32), commit)) {
        return fail(Errc::wrong_password, "key file");
    }
    OpenedKeyFile out{KeySeed{}, type};
    if (!crypto::gcm_open(wrap->reveal().first(32), nonce, file.first(key_file_head_bytes),
                          in.bytes(sealed_seed_bytes), out.seed.reveal_mutable())) {
        return fail(Errc::tampered, "key file");
    }
    const auto key = recipient_public_key(out.seed, type);
    if (!key || key_id(*key) != kid) return fail(Errc::tampered, "key file of another key");
    return out;
}

} // namespace plankurier
