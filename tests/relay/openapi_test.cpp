// docs/openapi.yaml says the same as the router's table: the calls, and what each may be refused
// with. It is written in one form, so that its lines can be read without a parser for all of YAML.
#include "relay/http/routes.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace plankurier::test::openapi_test {

namespace {

using Words = std::set<std::string>;

struct Documented {
    Words codes;
    std::map<int, Words> responses; ///< status -> words of its description
    Words references;
};
using Calls = std::map<std::string, Documented>;

Words words(std::string text) {
    std::ranges::replace(text, ',', ' ');
    std::istringstream in{text};
    Words out;
    for (std::string word; in >> word;) out.insert(word);
    return out;
}

std::string document() {
    std::ifstream in{std::filesystem::path{PLANKURIER_SOURCE_DIR} / "docs" / "openapi.yaml"};
    REQUIRE(in);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// The part behind `start`, or nothing when the line does not begin with it.
std::optional<std::string> behind(const std::string& line, std::string_view start) {
    if (!line.starts_with(start)) return std::nullopt;
    return line.substr(start.size());
}

Calls documented() {
    Calls out;
    std::string path;
    Documented* call = nullptr;
    int status = 0;
    std::istringstream in{document()};
    for (std::string line; std::getline(in, line);) {
        if (line == "components:") break;
        if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
        for (const char* method : {"get", "post", "put", "delete", "patch"}) {
            if (line != "    " + std::string{method} + ":") continue;
            std::string upper{method};
            for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
            call = &out[upper + " " + path];
        }
        if (const auto codes = behind(line, "      x-codes: [")) {
            call->codes = words(codes->substr(0, codes->size() - 1));
        }
        if (const auto number = behind(line, "        '")) status = std::stoi(*number);
        if (const auto text = behind(line, "          description: ")) {
            call->responses[status] = words(*text);
        }
    }
    return out;
}

/// What any call may be refused with; without a body nothing is too large or stored.
Words of_any(std::string_view method) {
    if (method == "GET") return {"unavailable", "busy"};
    return {"too_large", "unavailable", "busy", "no_space"};
}

} // namespace

TEST_CASE("the API document names the calls that the router serves, and no others") {
    Words in_table, in_document;
    for (const auto& route : relay::http::Router::routes()) {
        const bool is_new =
            in_table.insert(std::string{route.method} + " " + std::string{route.path}).second;
        CHECK(is_new);
    }
    for (const auto& [call, facts] : documented()) in_document.insert(call);
    CHECK(in_document == in_table);
    CHECK(in_document.size() > 20);
}

TEST_CASE("the API document names for each call the codes of the router's table, by their status") {
    const Calls calls = documented();
    for (const auto& route : relay::http::Router::routes()) {
        const std::string call = std::string{route.method} + " " + std::string{route.path};
        INFO(call);
        const Words codes = words(std::string{route.codes});
        const Documented& facts = calls.at(call);
        CHECK(facts.codes == codes);
        std::map<int, Words> expected;
        for (const Words& some : {codes, of_any(route.method)}) {
            for (const std::string& code : some) {
                const Errc errc = errc_from_name(code);
                CHECK(name(errc) == code);
                expected[relay::http::status_of(errc)].insert(code);
            }
        }
        std::map<int, Words> refusals;
        int good = 0;
        for (const auto& [status, description] : facts.responses) {
            if (status >= 400) refusals[status] = description;
            if (status < 300) ++good;
        }
        CHECK(refusals == expected);
        CHECK(good == 1);
    }
}

TEST_CASE("every reference in the API document leads somewhere") {
    const std::string text = document();
    std::size_t count = 0;
    constexpr std::string_view start = "'#/components/";
    for (std::size_t at = text.find(start); at != text.npos; at = text.find(start, at + 1)) {
        const std::string target =
            text.substr(at + start.size(), text.find('\'', at + 1) - at - start.size());
        const std::string section = "\n  " + target.substr(0, target.find('/')) + ":\n";
        const std::string entry = "\n    " + target.substr(target.find('/') + 1) + ":";
        INFO(target);
        const std::size_t found = text.find(section);
        REQUIRE(found != text.npos);
        CHECK(text.find(entry, found) != text.npos);
        ++count;
    }
    CHECK(count > 100);
}

} // namespace plankurier::test::openapi_test
