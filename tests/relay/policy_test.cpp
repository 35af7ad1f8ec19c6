// Who may be written to, which addresses are safe, what is too much.
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::policy_test {

namespace {

using namespace std::string_literals;

/// Each with one thing wrong: no mail server and no header may ever see them.
const std::vector<std::string> odd_addresses{
    "",
    "@",
    "a",
    "a@",
    "@a.example",
    "a@@b.example",
    "a@b@c.example",
    "a b@c.example",
    " a@b.example",
    "a@b.example ",
    "a@b.example\n",
    "a@b.example\r\nBcc: x@y.example",
    "a\r\nRCPT TO:<x@y.example>@b.example",
    "a@b.example\0"s,
    "a\0b@c.example"s,
    "a\t@b.example",
    "a@b.example,c@d.example",
    "a@b.example;c@d.example",
    "<a@b.example>",
    "A <a@b.example>",
    "\"a b\"@c.example",
    "\"a\"@b.example",
    "a(c)@b.example",
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    ".a@b.example",
    "a.@b.example",
    "a..b@c.example",
    "a@.b.example",
    "a@b.example.",
    "a@b..example",
    "a@-b.example",
    "a@b-.example",
    "a@b.-c.example",
    "a@b_c.example",
    "-oQ/tmp@b.example",
    "a@b.example%0d%0aBcc:x@y.example",
    "a\x7f@b.example",
    "a\x80@b.example",
    "\xc3\xa4@b.example",
    "a@\xc3\xa4.example",
    "a:b@c.example",
    "a\\b@c.example",
    "a@b.ex\x01mple",
    "a>b@c.example",
    "a,b@c.example",
    "a;b@c.example",
    "a[b@c.example",
    "a@b.example\u202e",
    std::string(65, 'a') + "@b.example",
    "a@" + std::string(250, 'b') + ".example",
};
const std::vector<std::string> good_addresses{
    "a@b.example",
    "erika.mustermann@buerger.example",
    "erika+plan@sub.sub.example",
    "a@b",
    "o'hara@b.example",
    "x_y-z@b-c.example",
    "!#$%&'*+/=?^_`{|}~@b.example",
    "A.B@C.EXAMPLE",
    "1@2.example",
    std::string(64, 'a') + "@b.example",
    "a@xn--mnchen-3ya.example",
};

} // namespace

TEST_CASE("an address that could break out of a header or command is refused") {
    for (const std::string& address : odd_addresses) {
        INFO(address);
        CHECK(why(check_address(address)) == "invalid_argument");
    }
    for (int byte = 0; byte < 256; ++byte) {
        const std::string address = "a"s + static_cast<char>(byte) + "b@c.example";
        const bool control = byte < 0x21 || byte > 0x7e;
        INFO(byte);
        if (control) CHECK_FALSE(check_address(address));
    }
    for (const std::string& address : good_addresses) {
        INFO(address);
        CHECK(why(check_address(address)) == "value");
    }
}

TEST_CASE("neither a code nor a notice goes to an odd address") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.staff_patterns.emplace_back("@c.example");
    world.policy.staff_patterns.emplace_back("@b.example");
    world.restart();
    const auto session = world.verified_session();
    for (const std::string& address : odd_addresses) {
        INFO(address);
        CHECK(why(world.relay().begin_verification(address, "de")) == "invalid_argument");
        auto request = Sending{}.request();
        request.department.clear();
        request.staff = address;
        CHECK(why(world.relay().create_transfer(session, request)) ==
              (address.empty() ? "unknown_department" : "address_not_allowed"));
    }
    world.relay().tick();
    CHECK(world.mails.tried.size() == 1);
    CHECK(world.store().used_slots().size() == 1);
}

TEST_CASE("a typed address is the authority's own, by whole address or by domain") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.verified_session();
    const auto write_to = [&](const std::string& address) {
        auto request = Sending{}.request();
        request.department.clear();
        request.staff = address;
        return why(world.relay().create_transfer(session, request));
    };
    for (const char* own : {"anna@amt.example", "ANNA@AMT.example", "berta@andere.example"}) {
        CHECK(write_to(own) == "value");
    }
    for (const char* foreign : {citizen, "anna@amt.example.boese.example", "anna@boeseamt.example",
                                "anna@sub.amt.example", "anna@amt.exampl", "xberta@andere.example",
                                "carla@andere.example", "anna@example", "berta@andere.example.com",
                                "amt.example@boese.example"}) {
        INFO(foreign);
        CHECK(write_to(foreign) == "address_not_allowed");
    }
}

TEST_CASE("without patterns nobody can be addressed by mail") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.staff_patterns.clear();
    world.restart();
    auto request = Sending{}.request();
    request.staff = clerk;
    CHECK(why(world.relay().create_transfer(world.verified_session(), request)) ==
          "address_not_allowed");
}

TEST_CASE("a department takes part if it stands in the directory and has an address") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.department_mails.emplace("kasse", "kasse@amt.example"); // in no directory
    world.restart();
    const auto session = world.verified_session();
    for (const char* id : {"", "kasse", "gartenamt", "Bauamt", "bauamt ", "../bauamt"}) {
        auto request = Sending{}.request();
        request.department = id;
        CHECK(why(world.relay().create_transfer(session, request)) == "unknown_department");
    }
    CHECK(why(world.relay().create_transfer(session, Sending{}.request())) == "value");
    world.relay().set_directory({});
    CHECK(why(world.relay().create_transfer(session, Sending{}.request())) == "unknown_department");
}

TEST_CASE("size and expiry have limits, to the last byte and day") {
    const TempFolder folder;
    Control world{folder.path()};
    const std::uint64_t piece = segment_plain_bytes;
    world.policy.limits.transfer_bytes_max = 3 * segment_bytes;
    world.policy.limits.expiry_days_min = 2;
    world.policy.limits.expiry_days_max = 30;
    world.restart();
    const auto session = world.verified_session();
    const auto ask = [&](std::uint64_t body_len, std::int64_t days) {
        auto request = Sending{}.request();
        request.body_len = body_len;
        request.expiry_days = days;
        return why(world.relay().create_transfer(session, request));
    };
    CHECK(ask(3 * piece, 14) == "value");
    CHECK(ask(4 * piece, 14) == "too_large");
    for (const std::uint64_t length :
         {std::uint64_t{0}, piece - 1, piece + 1, body_bytes_max + 1, ~std::uint64_t{0}}) {
        CHECK(ask(length, 14) == "malformed");
    }
    CHECK(ask(piece, 2) == "value");
    CHECK(ask(piece, 30) == "value");
    for (const std::int64_t days :
         {std::int64_t{1}, std::int64_t{31}, std::int64_t{0}, std::int64_t{-1},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        CHECK(ask(piece, days) == "invalid_argument");
    }
}

TEST_CASE("a phone number is a number: nothing else of the sender gets into a mail") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.verified_session();
    const auto with_phone = [&](const std::string& phone) {
        auto request = Sending{}.request();
        request.department.clear();
        request.staff = clerk;
        request.phone = phone;
        return why(world.relay().create_transfer(session, request));
    };
    for (const char* good : {"", "110", "+49 9131 803-4711", "(09131) 803/4711", "0911.1234"}) {
        CHECK(with_phone(good) == "value");
    }
    for (const std::string& bad :
         {"0911\nBitte hier klicken: https://boese.example"s, "0911\r\nBcc: x@y.example"s,
          "https://boese.example"s, "Rufen Sie an"s, "0911\0"s, "0911 \u202e"s, "<0911>"s,
          std::string(65, '1')}) {
        INFO(bad);
        CHECK(with_phone(bad) == "invalid_argument");
    }
}

} // namespace plankurier::test::policy_test
