#include <plankurier/challenge.hpp>
#include <plankurier/directory.hpp>
#include <plankurier/envelope.hpp>
#include <plankurier/members.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::members_test {

namespace {

constexpr std::int64_t now = 1'800'000'000;
constexpr std::int64_t day = 86'400;
constexpr std::array both_types{StanzaType::hpke_p256, StanzaType::hpke_x25519};

RecipientPublicKey public_of(const KeySeed& seed, StanzaType type) {
    return recipient_public_key(seed, type).value();
}

/// A point of order 8 on Curve25519 (RFC 7748 section 6.1 asks to notice what it leads to).
RecipientPublicKey weak_point() {
    return {StanzaType::hpke_x25519,
            from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800").value()};
}

} // namespace

TEST_CASE("a department seed opens for the member it was wrapped for, and nobody else") {
    const auto department = KeySeed::random(), member = KeySeed::random(),
               other = KeySeed::random();
    for (const StanzaType type : both_types) {
        for (const StanzaType member_type : both_types) {
            const MemberWrap wrap =
                wrap_for_member(department, type, public_of(member, member_type)).value();
            CHECK(wrap.department == key_id(public_of(department, type)));
            CHECK(wrap.member == key_id(public_of(member, member_type)));
            const auto opened = unwrap_as_member(wrap, member);
            REQUIRE(opened.has_value());
            CHECK(opened->seed.matches(department.reveal()));
            CHECK(opened->type == type);
            CHECK(unwrap_as_member(wrap, other).error().code == Errc::wrong_key);
        }
    }
}

TEST_CASE("a member who holds the department seed wraps it for the next one") {
    const auto department = KeySeed::random(), first = KeySeed::random(), next = KeySeed::random();
    const auto type = StanzaType::hpke_p256;
    const auto held =
        unwrap_as_member(wrap_for_member(department, type, public_of(first, type)).value(), first);
    const auto wrap = wrap_for_member(held->seed, held->type, public_of(next, type)).value();
    CHECK(unwrap_as_member(wrap, next)->seed.matches(department.reveal()));
    CHECK(unwrap_as_member(wrap, first).error().code == Errc::wrong_key);
}

TEST_CASE("no changed byte of a member wrap goes unnoticed") {
    const auto department = KeySeed::random(), member = KeySeed::random();
    for (const StanzaType type : both_types) {
        const Bytes bytes =
            encode_member_wrap(wrap_for_member(department, type, public_of(member, type)).value());
        CHECK(decode_member_wrap(bytes).value() ==
              decode_member_wrap(encode_member_wrap(decode_member_wrap(bytes).value())).value());
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            Bytes bad = bytes;
            bad[at] ^= std::byte{1};
            INFO("byte " << at);
            const auto wrap = decode_member_wrap(bad);
            CHECK_FALSE((wrap && unwrap_as_member(*wrap, member)));
        }
        CHECK(decode_member_wrap(ByteView{bytes}.first(bytes.size() - 1)).error().code ==
              Errc::malformed);
        Bytes longer = bytes;
        longer.push_back(std::byte{0});
        CHECK(decode_member_wrap(longer).error().code == Errc::malformed);
        CHECK(decode_member_wrap({}).error().code == Errc::malformed);
    }
}

TEST_CASE("nothing is sealed to a weak point or to what is no key") {
    const auto department = KeySeed::random();
    CHECK(wrap_for_member(department, StanzaType::hpke_p256, weak_point()).error().code ==
          Errc::malformed);
    CHECK(make_challenge(weak_point()).error().code == Errc::malformed);
    RecipientPublicKey cut = public_of(department, StanzaType::hpke_p256);
    cut.bytes.pop_back();
    CHECK(make_challenge(cut).error().code == Errc::malformed);
    CHECK(make_challenge({StanzaType::link, Bytes(32)}).error().code == Errc::unsupported);
    CHECK(wrap_for_member(department, StanzaType::link, weak_point()).error().code ==
          Errc::unsupported);
}

TEST_CASE("only the holder of a key answers its challenge") {
    const auto holder = KeySeed::random(), other = KeySeed::random();
    for (const StanzaType type : both_types) {
        const Challenge challenge = make_challenge(public_of(holder, type)).value();
        CHECK(answer_challenge(holder, type, challenge.bytes).value() == challenge.answer);
        CHECK(answer_challenge(other, type, challenge.bytes).error().code == Errc::wrong_key);
        const Challenge again = make_challenge(public_of(holder, type)).value();
        CHECK(again.answer != challenge.answer);
        for (std::size_t at = 0; at < challenge.bytes.size(); ++at) {
            Bytes bad = challenge.bytes;
            bad[at] ^= std::byte{1};
            INFO("byte " << at);
            CHECK_FALSE(answer_challenge(holder, type, bad).has_value());
        }
        CHECK(answer_challenge(holder, type, {}).error().code == Errc::malformed);
    }
}

TEST_CASE("a challenge opens no transfer and no member wrap") {
    // The server chooses a challenge's bytes; the answer must not make the holder its oracle.
    const auto holder = KeySeed::random();
    const auto type = StanzaType::hpke_x25519;
    const MemberWrap wrap =
        wrap_for_member(KeySeed::random(), type, public_of(holder, type)).value();
    Bytes disguised = make_challenge(public_of(holder, type))->bytes;
    std::copy(wrap.enc.begin(), wrap.enc.end(), disguised.end() - 80);
    std::copy(wrap.sealed.begin(), wrap.sealed.end(), disguised.end() - 48);
    CHECK(answer_challenge(holder, type, disguised).error().code == Errc::wrong_key);
}

TEST_CASE("new transfers go to the newest epoch, and old ones open with the old key") {
    const auto old_seed = KeySeed::random(), new_seed = KeySeed::random();
    const auto old_key = recipient_public_key(old_seed, StanzaType::hpke_p256).value();
    const auto new_key = recipient_public_key(new_seed, StanzaType::hpke_p256).value();
    Department department;
    // A member left in mid-quarter: the new epoch ends with the one it replaces.
    const DepartmentKey older{key_id(old_key), old_key, now - 40 * day, now + 50 * day};
    const DepartmentKey newer{key_id(new_key), new_key, now, now + 50 * day};
    Directory directory;
    for (const bool newest_first : {true, false}) {
        department.keys = newest_first ? std::vector{newer, older} : std::vector{older, newer};
        CHECK(usable_key(directory, department, now - 1)->kid == older.kid);
        CHECK(usable_key(directory, department, now)->kid == newer.kid);
        CHECK(usable_key(directory, department, now + 50 * day).error().code == Errc::expired);
    }
    department.keys.push_back({KeyId{}, old_key, now - day, now + 90 * day});
    CHECK(usable_key(directory, department, now)->kid == newer.kid);
    directory.revoked.push_back(newer.kid);
    department.keys.pop_back();
    CHECK(usable_key(directory, department, now)->kid == older.kid);

    std::vector<Recipient> recipients;
    recipients.push_back(KeyRecipient{old_key});
    Manifest manifest;
    manifest.transfer = TransferId::random();
    const Bytes sent_before = seal_envelope(TransferKey::random(), manifest,
                                            BodyLayout::for_content(0).value(), recipients)
                                  .value();
    CHECK(open_envelope(sent_before, old_seed, StanzaType::hpke_p256).has_value());
    CHECK(open_envelope(sent_before, new_seed, StanzaType::hpke_p256).error().code ==
          Errc::wrong_key);
}

} // namespace plankurier::test::members_test
