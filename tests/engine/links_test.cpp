#include <plankurier/links.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::links_test {

namespace {

InboxId inbox_of(const KeySeed& seed, StanzaType type) {
    return inbox_id(recipient_public_key(seed, type).value());
}

Errc transfer_code(const std::string& text) {
    return parse_transfer_link(SecretText{text}).error().code;
}

} // namespace

TEST_CASE("a return link gives back the seed, the inbox and the type of the key") {
    const auto seed = KeySeed::random();
    for (const StanzaType type : {StanzaType::hpke_p256, StanzaType::hpke_x25519}) {
        const InboxId inbox = inbox_of(seed, type);
        const SecretText link = make_return_link("https://plan.example/kurier/", inbox, seed);
        CHECK(link.reveal() == "https://plan.example/kurier/r#v1." + inbox.hex() + "." +
                                   to_base64url(seed.reveal()));
        const auto parsed = parse_return_link(link);
        REQUIRE(parsed.has_value());
        CHECK(parsed->base == "https://plan.example/kurier");
        CHECK(parsed->inbox == inbox);
        CHECK(parsed->seed.matches(seed.reveal()));
        CHECK(parsed->type == type);
        const auto behind = link.reveal().substr(link.reveal().find('#') + 1);
        const auto alone = parse_return_link(SecretText{behind});
        REQUIRE(alone.has_value());
        CHECK(alone->base.empty());
    }
}

TEST_CASE("a return link with one wrong character is refused, not read as another inbox") {
    const auto seed = KeySeed::random();
    const SecretText link =
        make_return_link("https://plan.example", inbox_of(seed, StanzaType::hpke_p256), seed);
    const std::string good{link.reveal()};
    for (std::size_t at = good.find('#'); at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = bad[at] == '2' ? '3' : '2';
        INFO("character " << at);
        CHECK(parse_return_link(SecretText{bad}).error().code == Errc::malformed);
    }
    for (std::size_t length = 0; length < good.size(); ++length) {
        CHECK(parse_return_link(SecretText{good.substr(0, length)}).error().code ==
              Errc::malformed);
    }
    CHECK(parse_return_link(SecretText{good + "."}).error().code == Errc::malformed);
}

TEST_CASE("a transfer link has a secret or none, and both are read") {
    const auto id = LinkId::random();
    const auto secret = LinkSecret::random();
    const auto plain = parse_transfer_link(make_transfer_link("https://plan.example", id));
    REQUIRE(plain.has_value());
    CHECK(plain->id == id);
    CHECK_FALSE(plain->secret.has_value());
    const auto full = parse_transfer_link(make_transfer_link("https://plan.example/", id, &secret));
    REQUIRE(full.has_value());
    CHECK(full->base == "https://plan.example");
    CHECK(full->id == id);
    CHECK(full->secret->matches(secret.reveal()));
}

TEST_CASE("links of another form are refused") {
    const std::string id(32, 'a');
    CHECK(parse_transfer_link(SecretText{"https://h/t#v1." + id}).has_value());
    CHECK(transfer_code("https://h/r#v1." + id) == Errc::malformed);
    CHECK(transfer_code("https://h/t#v2." + id) == Errc::malformed);
    CHECK(transfer_code("https://h/t#v1." + id + ".") == Errc::malformed);
    CHECK(transfer_code("https://h/t#v1." + id + "A") == Errc::malformed);
    CHECK(transfer_code("https://h/t#v1." + id + ".AAAA") == Errc::malformed);
    CHECK(transfer_code("https://h/t#v1." + id.substr(1)) == Errc::malformed);
    CHECK(transfer_code("/t#v1." + id) == Errc::malformed);
    CHECK(transfer_code("https://h/t") == Errc::malformed);
    CHECK(transfer_code("") == Errc::malformed);
}

} // namespace plankurier::test::links_test
