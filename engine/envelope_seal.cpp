#include "engine/envelope_format.hpp"
#include "engine/hpke.hpp"

#include <plankurier/receiving.hpp>

namespace plankurier {

namespace {

/// HKDF-Expand-SHA-384 with one block: info = "plankurier/1 " label 00 tid.
void expand(ByteView secret, const TransferId& transfer, std::string_view label,
            std::span<std::byte, 32> out) {
    constexpr std::byte zero{0};
    constexpr std::byte one{1};
    crypto::hmac_sha384(secret,
                        {as_bytes("plankurier/1 "), as_bytes(label), ByteView{&zero, 1},
                         ByteView{transfer.bytes}, ByteView{&one, 1}},
                        out);
}

} // namespace

void derive(const TransferKey& key, const TransferId& transfer, std::string_view label,
            std::span<std::byte, 32> out) {
    expand(key.reveal(), transfer, label, out);
}

FetchToken fetch_token(const TransferKey& key, const TransferId& transfer) {
    FetchToken token;
    derive(key, transfer, "fetch", token.reveal_mutable());
    return token;
}

namespace envelope_format {

Bytes manifest_aad(const TransferId& transfer) {
    return Writer{}.text("plankurier/1 manifest").u8(0).bytes(transfer.bytes).take();
}

Bytes stanza_info(StanzaType type, const TransferId& transfer, const KeyId& kid) {
    Writer out;
    out.text(type == StanzaType::hpke_p256 ? "plankurier/1 stanza p256"
                                           : "plankurier/1 stanza x25519");
    return out.u8(0).bytes(transfer.bytes).bytes(kid).take();
}

LinkKeys link_keys(const LinkSecret& secret, const TransferId& transfer) {
    LinkKeys keys;
    expand(secret.reveal(), transfer, "link wrap", keys.wrap.reveal_mutable());
    expand(secret.reveal(), transfer, "link commit", keys.commit);
    return keys;
}

std::array<std::byte, 32> header_mac(const TransferKey& key, const TransferId& transfer,
                                     ByteView before) {
    crypto::Key256 mac_key;
    derive(key, transfer, "header", mac_key.reveal_mutable());
    std::array<std::byte, 32> mac{};
    crypto::hmac_sha384(mac_key.reveal(), {before}, mac);
    return mac;
}

} // namespace envelope_format

namespace {

using namespace envelope_format;

Floe new_floe(const TransferKey& key, const TransferId& transfer, std::string_view label,
              ByteView aad, Floe::Shape shape, const Entropy& entropy) {
    crypto::Key256 floe_key;
    derive(key, transfer, label, floe_key.reveal_mutable());
    std::array<std::byte, 32> iv{};
    entropy(iv);
    return Floe{floe_key.reveal(), aad, iv, shape};
}

Bytes seal_manifest(Floe& floe, ByteView plain, const Entropy& entropy) {
    constexpr std::size_t step = manifest_segment_bytes - 32;
    const std::size_t segments = (plain.size() + step - 1) / step;
    Bytes out(plain.size() + segments * 32);
    for (std::size_t i = 0; i < segments; ++i) {
        const ByteView part = plain.subspan(i * step, std::min(step, plain.size() - i * step));
        std::array<std::byte, 12> iv{};
        entropy(iv);
        floe.seal(i, i + 1 == segments, iv, part,
                  std::span{out}.subspan(i * manifest_segment_bytes, part.size() + 32));
    }
    return out;
}

Writer stanza(StanzaType type, const KeyId& kid, ByteView body) {
    Writer out;
    out.u16(static_cast<std::uint16_t>(type)).u16(static_cast<std::uint16_t>(body.size()));
    out.bytes(kid).bytes(body);
    return out;
}

Result<Bytes> key_stanza(const KeyRecipient& recipient, const TransferKey& key,
                         const TransferId& transfer, ByteView header, const Entropy& entropy) {
    const StanzaType type = recipient.key.type;
    if (public_key_bytes(type) == 0) return fail(Errc::unsupported, "recipient key type");
    const KeyId kid = recipient.anonymous ? KeyId{} : key_id(recipient.key);
    const auto sealed =
        hpke::seal(recipient.key, stanza_info(type, transfer, kid), header, key.reveal(), entropy);
    if (!sealed) return tl::unexpected(sealed.error());
    return stanza(type, kid, Writer{}.bytes(sealed->enc).bytes(sealed->ciphertext).view()).take();
}

Result<Bytes> password_stanza(const PasswordRecipient& recipient, const TransferKey& key,
                              ByteView header, const Entropy& entropy) {
    auto normal = to_nfc(recipient.password.reveal());
    if (!normal) return tl::unexpected(normal.error());
    const SecretText password{*normal};
    wipe(std::as_writable_bytes(std::span{*normal}));
    std::array<std::byte, 16> salt{};
    entropy(salt);
    Secret<64, struct WrapTag> wrap;
    crypto::argon2id(password.reveal(), salt, recipient.cost.passes, recipient.cost.memory_kib,
                     wrap.reveal_mutable());
    Writer body;
    body.bytes(salt).u32(recipient.cost.passes).u32(recipient.cost.memory_kib);
    const Bytes aad = Writer{}.bytes(header).bytes(body.view()).take();
    body.bytes(wrap.reveal().subspan(32));
    body.bytes(crypto::gcm_seal(wrap.reveal().first(32), wrap_nonce, aad, key.reveal()));
    return stanza(StanzaType::password, {}, body.view()).take();
}

Bytes link_stanza(const LinkRecipient& recipient, const TransferKey& key,
                  const TransferId& transfer, ByteView header) {
    const LinkKeys keys = link_keys(recipient.secret, transfer);
    Writer body;
    body.bytes(keys.commit);
    body.bytes(crypto::gcm_seal(keys.wrap.reveal(), wrap_nonce, header, key.reveal()));
    return stanza(StanzaType::link, {}, body.view()).take();
}

Result<Bytes> any_stanza(const Recipient& recipient, const TransferKey& key,
                         const TransferId& transfer, ByteView header, const Entropy& entropy) {
    if (const auto* by_key = std::get_if<KeyRecipient>(&recipient)) {
        return key_stanza(*by_key, key, transfer, header, entropy);
    }
    if (const auto* by_password = std::get_if<PasswordRecipient>(&recipient)) {
        return password_stanza(*by_password, key, header, entropy);
    }
    return link_stanza(std::get<LinkRecipient>(recipient), key, transfer, header);
}

Result<void> check_recipients(std::span<const Recipient> recipients) {
    if (recipients.empty() || recipients.size() > stanzas_max) {
        return fail(Errc::invalid_argument, "recipients");
    }
    unsigned passwords = 0;
    for (const Recipient& recipient : recipients) {
        if (std::holds_alternative<PasswordRecipient>(recipient)) ++passwords;
    }
    if (passwords > 1) return fail(Errc::invalid_argument, "two passwords");
    return {};
}

} // namespace

Result<Bytes> seal_envelope(const TransferKey& key, const Manifest& manifest,
                            const BodyLayout& layout, std::span<const Recipient> recipients,
                            const Entropy& entropy) {
    if (auto ok = check_recipients(recipients); !ok) return tl::unexpected(ok.error());
    auto plain = encode_manifest(manifest);
    if (!plain) return plain;
    const TransferId& transfer = manifest.transfer;
    const Bytes body_aad = Writer{}.text("plankurier/1 body").u8(0).bytes(transfer.bytes).take();
    const Floe body = new_floe(key, transfer, "body", body_aad, {}, entropy);
    Floe inner = new_floe(key, transfer, "manifest", manifest_aad(transfer),
                          {manifest_segment_bytes}, entropy);
    const Bytes sealed = seal_manifest(inner, *plain, entropy);
    wipe(*plain);

    Writer out;
    out.text("PKE1").u8(1).u8(0).u16(static_cast<std::uint16_t>(recipients.size()));
    out.bytes(transfer.bytes).u64(layout.body_len()).bytes(body.header()).bytes(inner.header());
    out.u32(static_cast<std::uint32_t>(sealed.size()));
    const Bytes header = out.view();
    for (const Recipient& recipient : recipients) {
        auto one = any_stanza(recipient, key, transfer, header, entropy);
        if (!one) return one;
        out.bytes(*one);
    }
    out.bytes(header_mac(key, transfer, out.view()));
    out.bytes(sealed);
    return out.take();
}

} // namespace plankurier
