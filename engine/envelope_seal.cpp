#include "engine/envelope_format.hpp"
#include "engine/hpke.hpp"
#include "engine/manifest_format.hpp"

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

constexpr std::size_t manifest_step = manifest_segment_bytes - 32;

/// One IV for each segment of a manifest of so many plaintext bytes.
using Ivs = std::vector<std::array<std::byte, 12>>;
Ivs manifest_ivs(std::size_t plain_bytes, const Entropy& entropy) {
    Ivs ivs((plain_bytes + manifest_step - 1) / manifest_step);
    for (auto& iv : ivs) entropy(iv);
    return ivs;
}

Bytes seal_manifest(Floe& floe, ByteView plain, const Ivs& ivs) {
    Bytes out(plain.size() + ivs.size() * 32);
    for (std::size_t i = 0; i < ivs.size(); ++i) {
        const std::size_t at = i * manifest_step;
        const ByteView part = plain.subspan(at, std::min(manifest_step, plain.size() - at));
        floe.seal(i, i + 1 == ivs.size(), ivs[i], part,
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

/// Header and stanzas: everything before the MAC, which is also what a signature covers.
Result<Writer> write_front(const TransferKey& key, const TransferId& transfer, Writer header,
                           std::span<const Recipient> recipients, const Entropy& entropy) {
    const Bytes aad = header.view();
    for (const Recipient& recipient : recipients) {
        auto one = any_stanza(recipient, key, transfer, aad, entropy);
        if (!one) return tl::unexpected(one.error());
        header.bytes(*one);
    }
    return header;
}

Bytes signed_frame(const SigningSeed* signer, ByteView front, std::string_view json_text,
                   std::size_t plain_bytes) {
    if (signer == nullptr) return manifest_format::frame(json_text, nullptr, plain_bytes);
    const Signature signature = sign(*signer, manifest_format::statement(front, json_text));
    return manifest_format::frame(json_text, &signature, plain_bytes);
}

} // namespace

Result<Bytes> seal_envelope(const TransferKey& key, const Manifest& manifest,
                            const BodyLayout& layout, std::span<const Recipient> recipients,
                            const SealOptions& options, const Entropy& entropy) {
    if (auto ok = check_recipients(recipients); !ok) return tl::unexpected(ok.error());
    auto json = manifest_format::encode_json(manifest);
    if (!json) return tl::unexpected(json.error());
    const auto plain_bytes = manifest_format::framed_bytes(json->size(), options.signer != nullptr);
    if (!plain_bytes) return tl::unexpected(plain_bytes.error());
    const TransferId& transfer = manifest.transfer;
    const Floe body = new_floe(key, transfer, "body", body_aad(transfer), {}, entropy);
    Floe inner = new_floe(key, transfer, "manifest", manifest_aad(transfer),
                          {manifest_segment_bytes}, entropy);
    const Ivs ivs = manifest_ivs(*plain_bytes, entropy);

    Writer header;
    header.text("PKE1").u8(1).u8(options.is_reply ? flag_is_reply : 0);
    header.u16(static_cast<std::uint16_t>(recipients.size()));
    header.bytes(transfer.bytes).u64(layout.body_len()).bytes(body.header()).bytes(inner.header());
    header.u32(static_cast<std::uint32_t>(*plain_bytes + ivs.size() * 32));
    auto out = write_front(key, transfer, std::move(header), recipients, entropy);
    if (!out) return tl::unexpected(out.error());
    Bytes plain = signed_frame(options.signer, out->view(), *json, *plain_bytes);
    wipe(std::as_writable_bytes(std::span{*json}));
    out->bytes(header_mac(key, transfer, out->view()));
    out->bytes(seal_manifest(inner, plain, ivs));
    wipe(plain);
    return out->take();
}

Result<Bytes> seal_envelope(const TransferKey& key, const Manifest& manifest,
                            const BodyLayout& layout, std::span<const Recipient> recipients,
                            const Entropy& entropy) {
    return seal_envelope(key, manifest, layout, recipients, SealOptions{}, entropy);
}

} // namespace plankurier
