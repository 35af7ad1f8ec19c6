#include <plankurier/code.hpp>
#include <plankurier/links.hpp>

#include <catch2/catch.hpp>

#include <cctype>
#include <set>

namespace plankurier::test::codes_test {

TEST_CASE("every code is read back as it is shown, in small letters and out of its link") {
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        const auto code = random_code();
        const auto shown = shown_code(code);
        REQUIRE(shown.reveal().size() == 9);
        CHECK(typed_code(shown)->reveal() == code.reveal());
        std::string small{shown.reveal()};
        for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        CHECK(typed_code(SecretText{small})->reveal() == code.reveal());
        const auto link = make_code_link("https://amt.example/kurier/", code);
        CHECK(link.reveal() == "https://amt.example/kurier/c#v1." + std::string{shown.reveal()});
        CHECK(typed_code(link)->reveal() == code.reveal());
        CHECK(parse_code_link(link)->base == "https://amt.example/kurier");
        seen.emplace(code.reveal());
    }
    CHECK(seen.size() == 200);
}

TEST_CASE("a tidy link stays as it is, and nothing is made a link that is none") {
    const auto id = LinkId::random();
    const auto secret = LinkSecret::random();
    for (const auto* given : {static_cast<const LinkSecret*>(nullptr), &secret}) {
        const auto link = make_transfer_link("https://amt.example", id, given);
        CHECK(tidy_link(link).reveal() == link.reveal());
    }
    const std::string far(20'000, '<');
    for (const std::string& text :
         {std::string{}, far, std::string{"%"}, std::string{"%2"}, std::string{"/v3/__"},
          std::string{"/v3/__*__;"}, std::string{"/v3/__**"}, std::string{"?url="},
          std::string{"\xff\xfe\x80"}, std::string(64, '%')}) {
        CHECK_FALSE(parse_transfer_link(tidy_link(SecretText{text})));
        CHECK_FALSE(typed_code(SecretText{text}));
    }
}

TEST_CASE("the link for people who want no mail is read back") {
    const std::string token(42, 'b');
    const auto link = make_never_link("https://amt.example/", token + "A");
    CHECK(link.reveal() == "https://amt.example/n#v1." + token + "A");
    CHECK(parse_never_link(link)->token.reveal() == token + "A");
    CHECK(parse_never_link(link)->base == "https://amt.example");
    CHECK_FALSE(parse_never_link(make_never_link("https://amt.example", token)));
}

} // namespace plankurier::test::codes_test
