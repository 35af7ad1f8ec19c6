#include "engine/hpke.hpp"

#include <plankurier/members.hpp>

namespace plankurier {

namespace {

std::uint16_t wire(StanzaType type) noexcept { return static_cast<std::uint16_t>(type); }

Writer head(const MemberWrap& wrap) {
    Writer out;
    out.text("PKM1").u16(wire(wrap.department_type)).bytes(wrap.department);
    out.u16(wire(wrap.member_type)).bytes(wrap.member);
    return out;
}

Bytes info(const MemberWrap& wrap) {
    Writer out;
    out.text("plankurier/1 member").u8(0).u16(wire(wrap.department_type));
    return out.bytes(wrap.department).bytes(wrap.member).take();
}

} // namespace

Result<MemberWrap> wrap_for_member(const KeySeed& department, StanzaType type,
                                   const RecipientPublicKey& member, const Entropy& entropy) {
    const auto own = recipient_public_key(department, type);
    if (!own) return tl::unexpected(own.error());
    if (public_key_bytes(member.type) == 0) return fail(Errc::unsupported, "member key type");
    MemberWrap wrap{type, key_id(*own), member.type, key_id(member), {}, {}};
    auto sealed = hpke::seal(member, info(wrap), head(wrap).view(), department.reveal(), entropy);
    if (!sealed) return tl::unexpected(sealed.error());
    wrap.enc = std::move(sealed->enc);
    std::copy(sealed->ciphertext.begin(), sealed->ciphertext.end(), wrap.sealed.begin());
    return wrap;
}

Result<OpenedKeyFile> unwrap_as_member(const MemberWrap& wrap, const KeySeed& member) {
    const auto own = recipient_public_key(member, wrap.member_type);
    if (!own) return tl::unexpected(own.error());
    if (key_id(*own) != wrap.member) return fail(Errc::wrong_key, "another member's wrap");
    OpenedKeyFile out{KeySeed{}, wrap.department_type};
    const auto opened =
        hpke::open(wrap.member_type, hpke::private_key(wrap.member_type, member), wrap.enc,
                   info(wrap), head(wrap).view(), wrap.sealed, out.seed.reveal_mutable());
    if (!opened) return tl::unexpected(opened.error());
    const auto department = recipient_public_key(out.seed, out.type);
    if (!department) return tl::unexpected(department.error());
    if (key_id(*department) != wrap.department) return fail(Errc::tampered, "member wrap");
    return out;
}

Bytes encode_member_wrap(const MemberWrap& wrap) {
    return head(wrap).bytes(wrap.enc).bytes(wrap.sealed).take();
}

Result<MemberWrap> decode_member_wrap(ByteView bytes) {
    Reader in{bytes};
    if (as_text(in.bytes(4)) != "PKM1") return fail(Errc::malformed, "member wrap");
    MemberWrap wrap;
    wrap.department_type = static_cast<StanzaType>(in.u16());
    wrap.department = in.array<8>();
    wrap.member_type = static_cast<StanzaType>(in.u16());
    wrap.member = in.array<8>();
    if (!in.ok()) return fail(Errc::malformed, "member wrap");
    const std::size_t enc_bytes = public_key_bytes(wrap.member_type);
    if (enc_bytes == 0 || public_key_bytes(wrap.department_type) == 0) {
        return fail(Errc::unsupported, "key type");
    }
    const ByteView enc = in.bytes(enc_bytes);
    wrap.enc.assign(enc.begin(), enc.end());
    wrap.sealed = in.array<48>();
    if (!in.at_end()) return fail(Errc::malformed, "member wrap");
    return wrap;
}

} // namespace plankurier
