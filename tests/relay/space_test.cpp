// No transfer begins that there is no room for.
#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::space_test {

namespace {

const std::uint64_t one_transfer = Sending{}.layout.sealed_bytes();

std::string write(Control& world, const SessionToken& session) {
    return why(world.relay().create_transfer(session, Sending{}.request()));
}
/// Relay `number` says that it has room for so many transfers, of a hundred in all.
void say_free(Control& world, std::size_t number, std::uint64_t transfers) {
    auto news = world.news();
    news.space = {transfers * one_transfer, 100 * one_transfer};
    world.sync(number, news);
}
void no_floor(Control& world) {
    world.policy.limits.free_bytes_min = 0;
    world.policy.limits.free_percent_min = 0;
    world.restart();
}

} // namespace

TEST_CASE("unfinished uploads keep the room that they were promised") {
    const TempFolder folder;
    Control world{folder.path()};
    no_floor(world);
    const auto session = world.verified_session();
    const auto kept = world.uploading();
    say_free(world, 0, 3);
    CHECK(write(world, session) == "value");
    CHECK(write(world, session) == "value");
    CHECK(write(world, session) == "no_space");
    REQUIRE(world.relay().revoke(kept.id, kept.manage));
    CHECK(write(world, session) == "value");
    CHECK(write(world, session) == "no_space");
    CHECK_FALSE(world.relay().rooms().front().is_full);
    say_free(world, 0, 2);
    CHECK(world.relay().rooms().front().is_full);
    say_free(world, 0, 9);
    CHECK(write(world, session) == "value");
}

TEST_CASE("nothing new begins below the free space that an operator wants to keep") {
    const TempFolder folder;
    Control world{folder.path()};
    no_floor(world);
    world.policy.limits.free_percent_min = 10;
    world.restart();
    const auto session = world.verified_session();
    say_free(world, 0, 10);
    CHECK(write(world, session) == "no_space");
    say_free(world, 0, 11);
    CHECK(write(world, session) == "value");
    world.policy.limits.free_bytes_min = 20 * one_transfer;
    world.restart();
    CHECK(write(world, session) == "value"); // it has not said anything to this process
    say_free(world, 0, 22);
    CHECK(write(world, session) == "no_space");
    say_free(world, 0, 23);
    CHECK(write(world, session) == "value");
}

TEST_CASE("a full relay is no reason to refuse while two others have room") {
    const TempFolder folder;
    Control world{folder.path(), {.relays = 3}};
    no_floor(world);
    const auto session = world.verified_session();
    say_free(world, 0, 0);
    say_free(world, 1, 50);
    say_free(world, 2, 50);
    CHECK(write(world, session) == "value");
    say_free(world, 1, 0);
    CHECK(write(world, session) == "no_space");
}

TEST_CASE("a relay's sync tells its free space") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto session = api.world.verified_session();
    nlohmann::json news{
        {"time", api.world.clock.now()},   {"after", 0},      {"holds", nlohmann::json::array()},
        {"gone", nlohmann::json::array()}, {"free_bytes", 1}, {"total_bytes", 1'000}};
    const auto sync = [&] {
        return api.call(
            "POST", "/v1/relay/sync", {},
            statement_body("plankurier/1 sync", news, relay_seed(0), known_relay(0).id));
    };
    CHECK(sync().status == 200);
    CHECK(write(api.world, session) == "no_space");
    news.erase("total_bytes");
    CHECK(sync().status == 400);
    news.erase("free_bytes");
    CHECK(sync().status == 200);                    // an older relay
    CHECK(write(api.world, session) == "no_space"); // what it last said holds
}

} // namespace plankurier::test::space_test
