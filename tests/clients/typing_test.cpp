// What people type, paste and hand over: encodings, addresses, commands that were meant.
#include <clients/cli/option_rules.hpp>
#include <clients/cli/text_encoding.hpp>
#include <clients/cli/texts_help.hpp>
#include <clients/cli/typed_address.hpp>
#include <clients/cli/typed_password.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

namespace plankurier::test::typing_test {

using namespace plankurier::cli;

namespace {

std::string utf16(std::string_view ascii, bool is_little, bool with_mark) {
    std::string out = !with_mark ? "" : is_little ? "\xff\xfe" : "\xfe\xff";
    for (const char c : ascii) {
        out += is_little ? std::string{c, '\0'} : std::string{'\0', c};
    }
    return out;
}

std::string why_not(const std::string& text, const std::string& charset = "") {
    const auto read = to_utf8(text, charset);
    return read ? "value" : read.error().detail;
}

/// The words of a shell line with quotes, as the examples have them.
std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> out{""};
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ' ' && !quoted) {
            if (!out.back().empty()) out.emplace_back();
        } else {
            out.back() += c;
        }
    }
    return out;
}

std::vector<std::string> examples_of(std::string_view help) {
    std::vector<std::string> out;
    const auto heading = std::min(help.find("\nBeispiele:\n"), help.find("\nExamples:\n"));
    if (heading == help.npos) return out;
    constexpr std::string_view start = "\n  plankurier ";
    for (auto at = help.find(start, heading); at != help.npos; at = help.find(start, at + 1)) {
        const auto begin = at + start.size();
        out.emplace_back(help.substr(begin, help.find('\n', begin) - begin));
    }
    return out;
}

} // namespace

TEST_CASE("a text is taken in UTF-8, with a byte order mark or not, and in UTF-16 with one") {
    CHECK(to_utf8("Größe\n", "").value() == "Größe\n");
    CHECK(to_utf8("\xef\xbb\xbfGr\xc3\xb6\xc3\x9f"
                  "e",
                  "")
              .value() == "Größe");
    CHECK(to_utf8("", "").value().empty());
    for (const bool is_little : {true, false}) {
        CHECK(to_utf8(utf16("Guten Tag\r\n", is_little, true), "").value() == "Guten Tag\r\n");
        CHECK(why_not(utf16("Guten Tag\r\n", is_little, false)) == "encoding utf-16");
    }
    CHECK(to_utf8(std::string{"\xff\xfe\xfc\x00\n", 5}, "").value() == "ü"); // a line cut in two
    CHECK(why_not(std::string{"\xff\xfe\x00\xd8", 4}) == "encoding");        // half a sign
}

TEST_CASE("another character set counts only when the locale names it") {
    CHECK(why_not("Gr\xf6\xdf"
                  "e") == "encoding");
    CHECK(to_utf8("Gr\xf6\xdf"
                  "e",
                  "ISO-8859-1")
              .value() == "Größe");
    CHECK(to_utf8("5 \xa4", "ISO-8859-15").value() == "5 €");
    CHECK(to_utf8("Größe", "ISO-8859-1").value() == "Größe"); // what is UTF-8 stays that
    CHECK(why_not("Gr\xf6\xdf"
                  "e",
                  "no such thing") == "encoding");
}

TEST_CASE("addresses lose what mail programs put around them, and domains become ASCII") {
    CHECK(settle_address("anna@buerger.example").value() == "anna@buerger.example");
    CHECK(settle_address(" <anna@buerger.example>, ").value() == "anna@buerger.example");
    CHECK(settle_address("mailto:anna@buerger.example").value() == "anna@buerger.example");
    CHECK(settle_address("anna@müller.example").value() == "anna@xn--mller-kva.example");
    CHECK(settle_address("anna@MÜLLER.example").value() == "anna@xn--mller-kva.example");
    CHECK(settle_address("anna@straße.example").value() == "anna@xn--strae-oqa.example");
    CHECK(settle_address("jörg@buerger.example").error() == Mistake::address_local_part);
    CHECK(settle_address("anna@mü ller.example").error() == Mistake::address_domain);
    for (const char* wrong : {"anna", "@buerger.example", "anna@", "a b@c.example", "a@b@c.example",
                              "anna@buerger..example", "Anna Muster <anna@buerger.example>"}) {
        CAPTURE(wrong);
        CHECK(settle_address(wrong).error() == Mistake::address_form);
    }
}

TEST_CASE("an address of a service is completed") {
    CHECK(settle_server("https://amt.example/") == "https://amt.example");
    CHECK(settle_server(" amt.example ") == "https://amt.example");
    CHECK(settle_server("AMT.Example/Kurier/") == "https://amt.example/Kurier");
    CHECK(settle_server("HTTPS://amt.example:8443") == "https://amt.example:8443");
    CHECK(settle_server("https://müller.example/x") == "https://xn--mller-kva.example/x");
    CHECK(settle_server("http://[::1]:8080/") == "http://[::1]:8080");
    CHECK(settle_server("").empty());
    CHECK(settle_server("https://amt.example/t#v1.abc") == "https://amt.example");
    CHECK(settle_server("amt.example/Kurier/t#v1.abc/") == "https://amt.example/Kurier");
    CHECK(settle_server("https://amt.example?x=1") == "https://amt.example");
    CHECK(settle_server("https://") == "https://");
    CHECK(settle_server("/") == "/");
}

TEST_CASE("a password told by phone is meant as it was generated, after it was tried as typed") {
    const auto meant = [](std::string_view typed) {
        std::vector<std::string> out;
        for (const auto& one : meant_passwords(SecretText{typed})) out.emplace_back(one.reveal());
        return out;
    };
    using Words = std::vector<std::string>;
    CHECK(meant("puder-slalom-ritt") == Words{"puder-slalom-ritt"});
    CHECK(meant("") == Words{""});
    CHECK(meant("  ") == Words{"  "});
    CHECK(meant("--") == Words{"--"});
    CHECK(meant(" puder-ritt\t") == Words{" puder-ritt\t", "puder-ritt"});
    for (const std::string typed : {"PUDER-SLALOM-RITT", "puder slalom  ritt", "puder–slalom—ritt",
                                    "Puder - Slalom - Ritt", "puder‑slalom\u00a0ritt"}) {
        CAPTURE(typed);
        CHECK(meant(typed) == Words{typed, "puder-slalom-ritt"});
    }
    CHECK(meant("ÜBER Äste ") == Words{"ÜBER Äste ", "ÜBER Äste", "über-äste"});
}

TEST_CASE("who mistypes a command or an option is told the one that was meant") {
    const std::pair<const char*, const char*> commands[] = {
        {"sned", "send"},       {"sent", "send"},     {"fecth", "fetch"},    {"staus", "status"},
        {"dep", "departments"}, {"revok", "revoke"},  {"senden", "send"},    {"abholen", "fetch"},
        {"hilfe", "help"},      {"keygne", "keygen"}, {"versoin", "version"}};
    for (const auto& [typed, meant] : commands) {
        CAPTURE(typed);
        CHECK(nearest_command(typed) == meant);
    }
    for (const char* typed : {"dance", "x", "", "https://amt.example", "plan.pdf"}) {
        CAPTURE(typed);
        CHECK(nearest_command(typed).empty());
    }
    CHECK(nearest_option("--mesage", Command::send) == "--message");
    CHECK(nearest_option("--emial", Command::send) == "--email");
    CHECK(nearest_option("--sever", Command::fetch) == "--server");
    CHECK(nearest_option("--fingerprnt", Command::trust) == "--fingerprint");
    CHECK(nearest_option("--colour", Command::send).empty());
}

TEST_CASE("of any words the nearest is found, and none when all are far") {
    const std::vector<std::string> words{"bauamt", "umwelt"};
    CHECK(nearest_word("bauampt", words) == "bauamt");
    CHECK(nearest_word("umw", words) == "umwelt");
    CHECK(nearest_word("gartenamt", words).empty());
    CHECK(nearest_word("", words).empty());
}

TEST_CASE("the help of each command names every option and has two examples that can be read") {
    for (const auto language : {Language::de, Language::en}) {
        for (const auto& [word, command] : all_commands()) {
            CAPTURE(word);
            const auto help = help_text(language, command);
            for (const auto option : options_of(command)) {
                CAPTURE(option);
                CHECK(help.find("--" + std::string{option}) != help.npos);
            }
            const auto examples = examples_of(help);
            CHECK(examples.size() == 2);
            for (const auto& example : examples) {
                CAPTURE(example);
                const auto read = parse_options(words_of(example), "", "/dev/null", {});
                REQUIRE(read);
                if (command != Command::help)
                    CHECK((read->command == command || read->command == Command::help));
            }
        }
    }
}

TEST_CASE("every mistake has a sentence in both languages, with the same places to fill") {
    const auto places = [](std::string_view sentence) {
        long count = 0;
        for (auto at = sentence.find("{}"); at != sentence.npos; at = sentence.find("{}", at + 2)) {
            ++count;
        }
        return count;
    };
    for (int which = 0; which < static_cast<int>(Mistake::count); ++which) {
        const auto german = text(Language::de, static_cast<Mistake>(which));
        const auto english = text(Language::en, static_cast<Mistake>(which));
        CAPTURE(german, english);
        CHECK_FALSE(german.empty());
        CHECK_FALSE(english.empty());
        CHECK(german != english);
        CHECK(places(german) == places(english));
        CHECK(places(german) <= 5);
    }
}

} // namespace plankurier::test::typing_test
