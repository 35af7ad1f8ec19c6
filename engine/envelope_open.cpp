#include "engine/envelope_format.hpp"
#include "engine/hpke.hpp"
#include "engine/manifest_format.hpp"

#include <plankurier/receiving.hpp>

#include <algorithm>
#include <optional>

namespace plankurier {

namespace {

using namespace envelope_format;

/// The fixed body length of a stanza type; nothing for types this program does not know.
std::optional<std::size_t> body_bytes_of(std::uint16_t type) noexcept {
    switch (type) {
    case 1: return 32 + 48;
    case 2: return password_body_bytes;
    case 3: return link_body_bytes;
    case 4: return password_body_bytes;
    case 5: return 65 + 48;
    case 6: return 1'120 + 48;
    default: return std::nullopt;
    }
}

Result<StanzaView> read_stanza(Reader& in, std::size_t total) {
    StanzaView stanza;
    stanza.type = in.u16();
    stanza.body_bytes = in.u16();
    stanza.kid = in.array<8>();
    stanza.body_at = total - in.left();
    in.bytes(stanza.body_bytes);
    if (!in.ok()) return fail(Errc::malformed, "stanza");
    const auto expected = body_bytes_of(stanza.type);
    if (expected && *expected != stanza.body_bytes) return fail(Errc::malformed, "stanza length");
    return stanza;
}

Result<void> check_caps(ByteView envelope, const EnvelopeView& view) {
    unsigned passwords = 0;
    for (const StanzaView& stanza : view.stanzas) {
        if (stanza.type != 2 && stanza.type != 4) continue;
        if (++passwords > 1) return fail(Errc::malformed, "two password stanzas");
        Reader in{envelope.subspan(stanza.body_at, stanza.body_bytes)};
        in.bytes(16);
        const std::uint32_t passes = in.u32();
        const std::uint32_t memory_kib = in.u32();
        if (auto cost = crypto::check_argon2_cost(passes, memory_kib); !cost) return cost;
    }
    return {};
}

/// What the flags promise of the stanzas is true.
Result<void> check_flags(const EnvelopeView& view) {
    const auto any_of = [&](std::initializer_list<std::uint16_t> types) {
        return std::ranges::any_of(view.stanzas, [&](const StanzaView& stanza) {
            return std::ranges::find(types, stanza.type) != types.end();
        });
    };
    if ((view.flags & flag_all_hybrid) != 0 && any_of({1, 5})) {
        return fail(Errc::malformed, "a stanza that is not hybrid");
    }
    if ((view.flags & flag_is_reply) != 0 && any_of({2, 3, 4})) {
        return fail(Errc::malformed, "an answer that no key opens");
    }
    return {};
}

Result<TransferKey> open_with_seed(ByteView envelope, const EnvelopeView& view, const KeySeed& seed,
                                   StanzaType type) {
    const auto own = recipient_public_key(seed, type);
    if (!own) return tl::unexpected(own.error());
    const auto private_key = hpke::private_key(type, seed);
    const std::size_t enc_bytes = own->bytes.size();
    for (const KeyId& kid : {key_id(*own), KeyId{}}) {
        for (const StanzaView& stanza : view.stanzas) {
            if (stanza.type != static_cast<std::uint16_t>(type) || stanza.kid != kid) continue;
            const ByteView body = envelope.subspan(stanza.body_at, stanza.body_bytes);
            TransferKey key;
            const auto opened = hpke::open(
                type, private_key, body.first(enc_bytes), stanza_info(type, view.transfer, kid),
                envelope.first(header_bytes), body.subspan(enc_bytes), key.reveal_mutable());
            if (opened) return key;
            if (opened.error().code == Errc::malformed) return tl::unexpected(opened.error());
        }
    }
    return fail(Errc::wrong_key, "no stanza opens");
}

Result<TransferKey> open_with_password(ByteView envelope, const EnvelopeView& view,
                                       const SecretText& password) {
    auto normal = to_nfc(password.reveal());
    if (!normal) return fail(Errc::wrong_password, "not UTF-8");
    const SecretText text{*normal};
    wipe(std::as_writable_bytes(std::span{*normal}));
    for (const StanzaView& stanza : view.stanzas) {
        if (stanza.type != static_cast<std::uint16_t>(StanzaType::password)) continue;
        const ByteView body = envelope.subspan(stanza.body_at, stanza.body_bytes);
        Reader in{body};
        const auto salt = in.array<16>();
        const std::uint32_t passes = in.u32();
        const std::uint32_t memory_kib = in.u32();
        Secret<64, struct WrapTag> wrap;
        crypto::argon2id(text.reveal(), salt, passes, memory_kib, wrap.reveal_mutable());
        if (!equal_constant_time(wrap.reveal().subspan(32), in.bytes(32))) break;
        const Bytes aad = Writer{}.bytes(envelope.first(header_bytes)).bytes(body.first(24)).take();
        TransferKey key;
        if (crypto::gcm_open(wrap.reveal().first(32), wrap_nonce, aad, in.bytes(48),
                             key.reveal_mutable())) {
            return key;
        }
        return fail(Errc::tampered, "password stanza");
    }
    return fail(Errc::wrong_password, "no stanza opens");
}

Result<TransferKey> open_with_link(ByteView envelope, const EnvelopeView& view,
                                   const LinkSecret& secret) {
    const LinkKeys keys = link_keys(secret, view.transfer);
    for (const StanzaView& stanza : view.stanzas) {
        if (stanza.type != static_cast<std::uint16_t>(StanzaType::link)) continue;
        const ByteView body = envelope.subspan(stanza.body_at, stanza.body_bytes);
        if (!equal_constant_time(keys.commit, body.first(32))) continue;
        TransferKey key;
        if (crypto::gcm_open(keys.wrap.reveal(), wrap_nonce, envelope.first(header_bytes),
                             body.subspan(32), key.reveal_mutable())) {
            return key;
        }
        return fail(Errc::tampered, "link stanza");
    }
    return fail(Errc::wrong_key, "no stanza opens");
}

Result<Bytes> open_manifest(Floe& floe, ByteView sealed) {
    const std::size_t segments =
        (sealed.size() + manifest_segment_bytes - 1) / manifest_segment_bytes;
    if (sealed.size() < segments * 32) return fail(Errc::tampered, "manifest length");
    Bytes plain(sealed.size() - segments * 32);
    std::size_t at = 0;
    for (std::size_t i = 0; i < segments; ++i) {
        const std::size_t from = i * manifest_segment_bytes;
        const ByteView segment = sealed.subspan(
            from, std::min<std::size_t>(manifest_segment_bytes, sealed.size() - from));
        if (segment.size() < 32) return fail(Errc::tampered, "manifest length");
        const auto opened = floe.unseal(i, i + 1 == segments, segment,
                                        std::span{plain}.subspan(at, segment.size() - 32));
        if (!opened) return tl::unexpected(opened.error());
        at += segment.size() - 32;
    }
    return plain;
}

/// Fills in the manifest and its signature. `front`: the envelope up to the end of its stanzas.
Result<void> read_manifest(ByteView plain, ByteView front, OpenedEnvelope& out) {
    const auto frame = manifest_format::unframe(plain);
    if (!frame) return tl::unexpected(frame.error());
    auto manifest = manifest_format::decode_json(frame->json);
    if (!manifest) return tl::unexpected(manifest.error());
    out.manifest = std::move(*manifest);
    if (frame->signature) {
        out.signature = {manifest_format::statement(front, frame->json), *frame->signature};
    }
    return {};
}

/// Everything after the key is known, in the one order that shows nothing unauthenticated.
Result<OpenedEnvelope> open_rest(ByteView envelope, const EnvelopeView& view, TransferKey key) {
    const auto mac = header_mac(key, view.transfer, envelope.first(view.mac_at));
    if (!equal_constant_time(mac, envelope.subspan(view.mac_at, 32))) {
        return fail(Errc::tampered, "header MAC");
    }
    const auto layout = BodyLayout::from_body_len(view.body_len);
    if (!layout) return tl::unexpected(layout.error());
    crypto::Key256 body_key;
    derive(key, view.transfer, "body", body_key.reveal_mutable());
    const auto body = Floe::open(body_key.reveal(), body_aad(view.transfer), view.body_header, {});
    if (!body) return tl::unexpected(body.error());
    crypto::Key256 manifest_key;
    derive(key, view.transfer, "manifest", manifest_key.reveal_mutable());
    auto inner = Floe::open(manifest_key.reveal(), manifest_aad(view.transfer),
                            view.manifest_header, {manifest_segment_bytes});
    if (!inner) return tl::unexpected(inner.error());
    auto plain = open_manifest(*inner, envelope.subspan(view.manifest_at, view.manifest_bytes));
    if (!plain) return tl::unexpected(plain.error());
    OpenedEnvelope opened{std::move(key), *layout, view.body_header, {}, false, std::nullopt};
    opened.is_reply = (view.flags & flag_is_reply) != 0;
    const auto read = read_manifest(*plain, envelope.first(view.mac_at), opened);
    wipe(*plain);
    if (!read) return tl::unexpected(read.error());
    const Manifest& manifest = opened.manifest;
    if (manifest.transfer != view.transfer || manifest.content_bytes() > layout->body_len()) {
        return fail(Errc::tampered, "manifest does not fit the header");
    }
    return opened;
}

} // namespace

Result<EnvelopeView> parse_envelope(ByteView envelope) {
    if (envelope.size() > envelope_bytes_max) return fail(Errc::too_large, "envelope");
    Reader in{envelope};
    EnvelopeView view;
    if (as_text(in.bytes(4)) != "PKE1") return fail(Errc::malformed, "envelope");
    const std::uint8_t suite = in.u8();
    view.flags = in.u8();
    const std::size_t stanzas = in.u16();
    view.transfer.bytes = in.array<16>();
    view.body_len = in.u64();
    view.body_header = in.array<74>();
    view.manifest_header = in.array<74>();
    view.manifest_bytes = in.u32();
    if (!in.ok()) return fail(Errc::malformed, "envelope header");
    if (suite != 1) return fail(Errc::unsupported, "suite");
    if ((view.flags & ~unsigned{flag_all_hybrid | flag_is_reply}) != 0)
        return fail(Errc::unsupported, "flags");
    if (stanzas == 0 || stanzas > stanzas_max) return fail(Errc::malformed, "stanza count");
    if (view.manifest_bytes > manifest_bytes_max) return fail(Errc::too_large, "manifest");
    if (auto layout = BodyLayout::from_body_len(view.body_len); !layout) {
        return tl::unexpected(layout.error());
    }
    for (std::size_t i = 0; i < stanzas; ++i) {
        const auto stanza = read_stanza(in, envelope.size());
        if (!stanza) return tl::unexpected(stanza.error());
        view.stanzas.push_back(*stanza);
    }
    view.mac_at = envelope.size() - in.left();
    in.bytes(32);
    view.manifest_at = view.mac_at + 32;
    in.bytes(view.manifest_bytes);
    if (!in.at_end() || view.manifest_bytes == 0) return fail(Errc::malformed, "envelope length");
    if (auto caps = check_caps(envelope, view); !caps) return tl::unexpected(caps.error());
    if (auto flags = check_flags(view); !flags) return tl::unexpected(flags.error());
    return view;
}

Result<OpenedEnvelope> open_envelope(ByteView envelope, const KeySeed& seed, StanzaType type) {
    const auto view = parse_envelope(envelope);
    if (!view) return tl::unexpected(view.error());
    auto key = open_with_seed(envelope, *view, seed, type);
    if (!key) return tl::unexpected(key.error());
    return open_rest(envelope, *view, std::move(*key));
}

Result<OpenedEnvelope> open_envelope(ByteView envelope, const SecretText& password) {
    const auto view = parse_envelope(envelope);
    if (!view) return tl::unexpected(view.error());
    auto key = open_with_password(envelope, *view, password);
    if (!key) return tl::unexpected(key.error());
    return open_rest(envelope, *view, std::move(*key));
}

Result<OpenedEnvelope> open_envelope(ByteView envelope, const LinkSecret& secret) {
    const auto view = parse_envelope(envelope);
    if (!view) return tl::unexpected(view.error());
    auto key = open_with_link(envelope, *view, secret);
    if (!key) return tl::unexpected(key.error());
    return open_rest(envelope, *view, std::move(*key));
}

Result<OpenedEnvelope> open_envelope(ByteView envelope, TransferKey key) {
    const auto view = parse_envelope(envelope);
    if (!view) return tl::unexpected(view.error());
    return open_rest(envelope, *view, std::move(key));
}

} // namespace plankurier
