// Who wants no mail gets none, and nobody can tell.
#include "relay/adapters/files.hpp"
#include "relay/mail_commands.hpp"

#include "tests/support/api.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sstream>

namespace plankurier::test::never_test {

namespace {

using nlohmann::json;

std::string never_token(const Control& world, std::string_view email = citizen) {
    const auto sent = world.mails.sent_to(email);
    REQUIRE_FALSE(sent.empty());
    constexpr std::string_view start = "https://amt.example/n#v1.";
    const auto at = sent.back().text.find(start);
    REQUIRE(at != std::string::npos);
    return sent.back().text.substr(at + start.size(), 43);
}
std::string never(Api& api, const std::string& token) {
    return api.refused("POST", "/v1/never", {}, json{{"token", token}}.dump());
}

} // namespace

TEST_CASE("one click, and an address gets no code any more, however it is written") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    static_cast<void>(world.asked_session());
    const auto token = never_token(world);
    CHECK(never(api, token) == "status 204");
    CHECK(never(api, token) == "status 204");
    world.mails.sent.clear();
    world.restart(); // it is not forgotten
    const auto begun = world.relay().begin_verification("ERIKA.mustermann@Buerger.example", "de");
    const auto other = world.relay().begin_verification("max@buerger.example", "de");
    world.relay().tick();
    CHECK(world.mails.sent.size() == 1);
    CHECK(world.mails.sent_to("max@buerger.example").size() == 1);
    // Both look the same from outside, and the same rows are written for both.
    for (const auto* one : {&begun, &other}) {
        REQUIRE(*one);
        CHECK((*one)->valid_s == 1'800);
        std::int64_t left = -1;
        CHECK(why(world.relay().check_code((*one)->session, SecretText{"2222-2222"}, left)) ==
              "wrong_code");
        CHECK(left == 4);
        CHECK(world.store().mails_of(to_hex(sha256((*one)->session.reveal()))).size() == 1);
    }
}

TEST_CASE("only the link of a code mail puts an address on the list") {
    const TempFolder folder;
    Api api{folder.path()};
    static_cast<void>(api.world.asked_session());
    std::string token = never_token(api.world);
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{20}, std::size_t{25}, std::size_t{40}}) {
        std::string changed = token;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        CHECK(never(api, changed) == "not_found");
    }
    CHECK(never(api, "") == "not_found");
    CHECK(never(api, token + "A") == "not_found");
    CHECK(never(api, to_base64url(SessionToken::random().reveal())) == "not_found");
    api.world.clock.pass(hour_s);
    static_cast<void>(api.world.verified_session());
    CHECK(never(api, token) == "status 204"); // an old mail's link holds on
}

TEST_CASE("the list tells no address, and an administrator takes one off it") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    static_cast<void>(world.asked_session());
    CHECK(never(api, never_token(world)) == "status 204");
    world.clock.pass(day_s);
    world.relay().tick();
    CHECK(files_with(folder.path(), citizen).empty());
    CHECK(files_with(folder.path(), to_hex(sha256(as_bytes(citizen)))).empty());
    relay::Config config;
    config.data_dir = config.database_dir = folder.path();
    std::filesystem::create_directories(config.keys());
    relay::adapters::write_durably(config.keys() / "pepper",
                                   fixed_secret<relay::Pepper>(world.options.pepper).reveal());
    std::istringstream stranger{"max@buerger.example\n"}, odd{"x\n"}, address{std::string{citizen}};
    CHECK_FALSE(relay::remove_never(config, stranger));
    CHECK_THROWS_AS(relay::remove_never(config, odd), std::runtime_error);
    world.mails.sent.clear();
    static_cast<void>(world.asked_session());
    CHECK(world.mails.sent.empty());
    CHECK(relay::remove_never(config, address));
    static_cast<void>(world.asked_session());
    CHECK(world.mails.sent.size() == 1);
}

TEST_CASE("a citizen who wants no mail gets no notice either, and staff hear of it") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    static_cast<void>(world.asked_session());
    CHECK(never(api, never_token(world)) == "status 204");
    world.mails.sent.clear();
    const auto sending =
        world.sent(world.department_session(), [](relay::TransferRequest& request) {
            request.department.clear();
            request.citizen = citizen;
        });
    CHECK(world.mails.sent_to(citizen).empty());
    REQUIRE(world.mails.sent_to(department_mail).size() == 1);
    CHECK(world.mails.sent[0].subject == "Ihre Nachricht ist nicht zustellbar");
    CHECK(world.relay().status(sending.id, sending.manage)->undeliverable);
}

TEST_CASE("somebody of the authority who refuses codes does not stop its notices") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    for (const char* address : {department_mail, clerk}) {
        static_cast<void>(world.asked_session(address));
        CHECK(never(api, never_token(world, address)) == "status 204");
    }
    world.mails.sent.clear();
    static_cast<void>(world.asked_session(clerk));
    CHECK(world.mails.sent.empty());
    static_cast<void>(world.available());
    static_cast<void>(world.available([](relay::TransferRequest& request) {
        request.department.clear();
        request.staff = clerk;
    }));
    CHECK(world.mails.sent_to(department_mail).size() == 1);
    CHECK(world.mails.sent_to(clerk).size() == 1);
}

} // namespace plankurier::test::never_test
