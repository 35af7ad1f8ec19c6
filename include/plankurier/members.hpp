#pragma once
/// How the members of a department share its key (format 3.10). Each member has a key pair of the
/// own, in a key file (keys.hpp). The department has one seed an epoch; it is wrapped for every
/// member. Who joins gets it wrapped by any member; when one leaves, a new epoch begins.
/// Stateless functions; any thread.

#include <plankurier/keys.hpp>

namespace plankurier {

/// A department seed of one epoch, sealed to one member. Public: it opens with the member's seed
/// only. It does not tell who made it; see `unwrap_as_member`.
struct MemberWrap {
    StanzaType department_type{};
    KeyId department{}; ///< kid of the department's key of that epoch
    StanzaType member_type{};
    KeyId member{}; ///< kid of the member's key
    Bytes enc;      ///< 32 or 65 bytes, by the member's type
    std::array<std::byte, 48> sealed{};
    friend bool operator==(const MemberWrap&, const MemberWrap&) = default;
};

/// HPKE base mode (RFC 9180) to `member`, info = "plankurier/1 member" 00 type kid_department
/// kid_member, aad = the encoding up to `enc`. Fails with `unsupported` (a type that is no kind of
/// public key), `malformed` (a public key that is no point of its curve, or a weak one).
[[nodiscard]] Result<MemberWrap> wrap_for_member(const KeySeed& department, StanzaType type,
                                                 const RecipientPublicKey& member,
                                                 const Entropy& entropy = fill_random);
/// The department's seed, checked against `wrap.department`. Whoever knows the member's public key
/// can make a wrap, of any seed: use what comes out only for a department of the directory that
/// lists `wrap.department`. Fails with `wrong_key` (another member's), `malformed`, `unsupported`,
/// `tampered` (the seed inside is not that of `wrap.department`).
[[nodiscard]] Result<OpenedKeyFile> unwrap_as_member(const MemberWrap& wrap, const KeySeed& member);

/// "PKM1" | department type u16 | kid_department 8 | member type u16 | kid_member 8 | enc | ct 48.
[[nodiscard]] Bytes encode_member_wrap(const MemberWrap& wrap);
/// The strict inverse. Opens nothing. Fails with `malformed`, `unsupported`.
[[nodiscard]] Result<MemberWrap> decode_member_wrap(ByteView bytes);

} // namespace plankurier
