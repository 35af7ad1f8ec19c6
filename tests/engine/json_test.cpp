#include <plankurier/directory.hpp>
#include <plankurier/json.hpp>
#include <plankurier/manifest.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>

namespace plankurier::test::json_test {

namespace {

template <typename T>
bool is_read(const std::string& text) {
    try {
        (void)parse_json("[" + text + "]").at(0).get<T>();
        return true;
    } catch (const Json::exception&) {
        return false;
    }
}

} // namespace

TEST_CASE("an integer is read only where one stands that fits") {
    for (const char* text : {"1.0", "1.5", "1e3", "-1.0", "1e300", "\"1\"", "true", "null", "[]",
                             "{}", "18446744073709551616", "-9223372036854775809"}) {
        INFO(text);
        CHECK_FALSE(is_read<std::int64_t>(text));
        CHECK_FALSE(is_read<std::uint64_t>(text));
        CHECK_FALSE(is_read<std::uint16_t>(text));
    }
    CHECK(is_read<std::uint64_t>("18446744073709551615"));
    CHECK(is_read<std::int64_t>("-9223372036854775808"));
    CHECK_FALSE(is_read<std::int64_t>("9223372036854775808"));
    CHECK_FALSE(is_read<std::uint64_t>("-1"));
    CHECK(is_read<std::uint16_t>("65535"));
    CHECK_FALSE(is_read<std::uint16_t>("65536"));
    CHECK_FALSE(is_read<std::uint32_t>("4294967296"));
    CHECK(parse_json("[14]").at(0).get<std::uint32_t>() == 14);
}

TEST_CASE("numbers inside of lists and defaults are read as strictly") {
    CHECK_THROWS_AS(parse_json("[1,2.5]").get<std::vector<std::uint64_t>>(), Json::exception);
    CHECK_THROWS_AS(parse_json(R"({"days":1.5})").value("days", std::int64_t{0}), Json::exception);
    CHECK(parse_json("{}").value("days", std::int64_t{7}) == 7);
    CHECK(parse_json("[1,2]").get<std::vector<std::uint64_t>>() ==
          std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("JSON with a member twice, too deep, or with something behind it is none") {
    for (const std::string text :
         {R"({"a":1,"a":1})", R"({"a":{"b":1,"b":2}})", R"([{"a":1},{"c":{"d":1,"d":1}}])", "{} {}",
          "{}x", "", "{", "[1,]", "{'a':1}", "\xff", "\"\xc3\"", "NaN", "[01]"}) {
        INFO(text);
        CHECK(try_parse_json(text).is_discarded());
        CHECK_THROWS_AS(parse_json(text), Json::exception);
    }
    const auto nested = [](int depth) {
        return std::string(static_cast<std::size_t>(depth), '[') +
               std::string(static_cast<std::size_t>(depth), ']');
    };
    CHECK(try_parse_json(nested(json_depth_max)).is_array());
    CHECK(try_parse_json(nested(json_depth_max + 1)).is_discarded());
    CHECK(try_parse_json(nested(1'000'000)).is_discarded());
    CHECK(try_parse_json(R"([{"a":1},{"a":1},{"b":{"a":1}}])").is_array());
}

TEST_CASE("a directory whose numbers are none is malformed") {
    const std::string good = R"({"v":1,"authority":"A","serial":7,"issued":1,"expires":2,)"
                             R"("control":{"record_key":")" +
                             std::string(42, 'A') + R"(A"},"depts":[]})";
    REQUIRE(parse_directory(good));
    for (const char* serial :
         {"7.0", "7.5", "-7", "1e1", "18446744073709551616", "7,\"serial\":7"}) {
        std::string text = good;
        text.replace(text.find("\"serial\":7") + 9, 1, serial);
        INFO(text);
        const auto read = parse_directory(text);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == Errc::malformed);
    }
}

} // namespace plankurier::test::json_test
