#include <clients/cli/texts.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <vector>

namespace plankurier::test::texts_test {

using namespace plankurier::cli;

namespace {
std::vector<Errc> all_codes() {
    std::vector<Errc> codes;
    for (int code = 0; code <= static_cast<int>(Errc::canceled); ++code) {
        codes.push_back(static_cast<Errc>(code));
    }
    return codes;
}
long placeholders(std::string_view sentence) {
    long count = 0;
    for (auto at = sentence.find("{}"); at != std::string_view::npos;
         at = sentence.find("{}", at + 2)) {
        ++count;
    }
    return count;
}
} // namespace

TEST_CASE("every failure has a sentence of its own in both languages") {
    for (const auto language : {Language::de, Language::en}) {
        std::set<std::string_view> sentences;
        for (const auto code : all_codes()) {
            const auto sentence = text(language, code);
            CAPTURE(name(code));
            CHECK_FALSE(sentence.empty());
            CHECK(sentences.insert(sentence).second);
        }
    }
}

TEST_CASE("every sentence stands in both languages with the same places to fill") {
    for (int which = 0; which < static_cast<int>(Text::count); ++which) {
        const auto german = text(Language::de, static_cast<Text>(which));
        const auto english = text(Language::en, static_cast<Text>(which));
        CAPTURE(which, german, english);
        CHECK_FALSE(german.empty());
        CHECK_FALSE(english.empty());
        CHECK(placeholders(german) == placeholders(english));
    }
}

TEST_CASE("exit codes are those that are documented") {
    CHECK(exit_for(Errc::invalid_argument) == Exit::usage);
    CHECK(exit_for(Errc::wrong_code) == Exit::code);
    CHECK(exit_for(Errc::code_expired) == Exit::code);
    CHECK(exit_for(Errc::wrong_password) == Exit::password);
    CHECK(exit_for(Errc::wrong_key) == Exit::password);
    CHECK(exit_for(Errc::expired) == Exit::gone);
    CHECK(exit_for(Errc::revoked) == Exit::gone);
    CHECK(exit_for(Errc::purged) == Exit::gone);
    CHECK(exit_for(Errc::network) == Exit::network);
    CHECK(exit_for(Errc::network, true) == Exit::resumable);
    CHECK(exit_for(Errc::no_space, true) == Exit::resumable);
    CHECK(exit_for(Errc::tampered, true) == Exit::integrity);
    CHECK(exit_for(Errc::bad_signature) == Exit::integrity);
    CHECK(exit_for(Errc::type_not_allowed) == Exit::policy);
    CHECK(exit_for(Errc::untrusted_root) == Exit::policy);
    CHECK(exit_for(Errc::canceled) == Exit::interrupted);
    for (const auto code : all_codes()) CHECK(exit_for(code) != Exit::ok);
    CHECK(static_cast<int>(Exit::interrupted) == 130);
}

TEST_CASE("filling replaces places in order and leaves out what is missing") {
    CHECK(fill("a {} b {}", {"1", "2"}) == "a 1 b 2");
    CHECK(fill("{}{}", {"x"}) == "x");
    CHECK(fill("no {place}", {"x"}) == "no {place}");
    CHECK(fill("{}", {"{}"}) == "{}");
}

TEST_CASE("the language comes from the option, then from the environment, else it is German") {
    const auto chosen = [](std::string_view option, const LocaleVariables& environment) {
        return choose_language(option, environment);
    };
    CHECK(chosen("en", {"", "", "", "de_DE.UTF-8"}) == Language::en);
    CHECK(chosen("de", {"", "", "", "en_US"}) == Language::de);
    CHECK(chosen("", {"", "", "", "en_GB.UTF-8"}) == Language::en);
    CHECK(chosen("", {}) == Language::de);
    CHECK(chosen("", {"", "", "", "fr_FR.UTF-8"}) == Language::de);
    CHECK(chosen("", {"", "", "", "ensomething"}) == Language::de);
}

TEST_CASE("LC_ALL comes before LC_MESSAGES, that before LANG, and LANGUAGE before them all") {
    const auto chosen = [](const LocaleVariables& environment) {
        return choose_language("", environment);
    };
    CHECK(chosen({"", "en_GB.UTF-8", "de_DE", "de_DE"}) == Language::en);
    CHECK(chosen({"", "", "en_GB.UTF-8", "de_DE.UTF-8"}) == Language::en);
    CHECK(chosen({"", "de_DE.UTF-8", "en_GB", "en_GB"}) == Language::de);
    CHECK(chosen({"en", "de_DE.UTF-8", "", "de_DE.UTF-8"}) == Language::en);
    CHECK(chosen({"fr:en_GB:de", "", "", "de_DE.UTF-8"}) == Language::en);
    CHECK(chosen({"fr:nl", "", "", "en_GB.UTF-8"}) == Language::en);
    CHECK(chosen({"en", "C", "", "en_GB.UTF-8"}) == Language::de); // as gettext has it
}

} // namespace plankurier::test::texts_test
