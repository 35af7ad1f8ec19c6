// The department's inbox: what waits for it is found and opened with its key alone.
#include "tests/clients/staff.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::inbox_test {

TEST_CASE("a department sees what waits for it, and another department does not") {
    ServiceWorld world;
    world.send();
    const auto mine =
        world.run(world.staff_home, with_key(world, {"inbox", "--department", "bauamt", "--json"}));
    INFO(mine.err);
    CHECK(mine.exit == 0);
    const auto waiting = events(mine, "waiting");
    REQUIRE(waiting.size() == 1);
    CHECK(waiting[0].at("fetched") == false);
    CHECK(waiting[0].at("size").get<std::uint64_t>() >= 20'000);
    CHECK(waiting[0].at("expires") > waiting[0].at("created"));

    const auto theirs = world.run(world.staff_home, with_key(world, {"inbox", "--json"}, "umwelt"));
    CHECK(theirs.exit == 0);
    CHECK(events(theirs, "waiting").empty());
    CHECK(theirs.err.find("Nothing waits") != std::string::npos);
    // The key of one department opens no session of another.
    const auto foreign =
        world.run(world.staff_home, with_key(world, {"inbox", "--department", "bauamt"}, "umwelt"));
    CHECK(foreign.exit == 5);
}

TEST_CASE("a transfer is fetched from the inbox without its link, and counts as fetched then") {
    ServiceWorld world;
    world.send();
    const auto list = world.run(world.staff_home, with_key(world, {"inbox", "--json"}));
    const auto waiting = events(list, "waiting");
    REQUIRE(waiting.size() == 1);
    const auto id = waiting[0].at("transfer").get<std::string>();
    const auto fetched = world.run(
        world.staff_home, with_key(world, {"fetch", "--from-inbox", id, "-o", world.path("in")}));
    INFO(fetched.err);
    CHECK(fetched.exit == 0);
    CHECK(fetched.out.find("Guten Tag") != std::string::npos);
    CHECK(fetched.out.find("address verified") != std::string::npos);
    CHECK(content_of(world.path("in/plan.pdf")) == content_of(world.path("plan.pdf")));
    const auto after =
        events(world.run(world.staff_home, with_key(world, {"inbox", "--json"})), "waiting");
    REQUIRE(after.size() == 1);
    CHECK(after[0].at("fetched") == true);
    // The department has signed for it.
    const auto status =
        world.run(world.citizen_home, {"status", world.path(world.receipt), "--json"});
    CHECK(events(status, "status").at(0).at("signed") == true);
}

TEST_CASE("what does not wait in the inbox is not found there") {
    ServiceWorld world;
    world.send();
    const auto list = world.run(world.staff_home, with_key(world, {"inbox", "--json"}));
    const auto id = events(list, "waiting").at(0).at("transfer").get<std::string>();
    const auto other =
        world.run(world.staff_home,
                  with_key(world, {"fetch", "--from-inbox", id, "-o", world.path("in")}, "umwelt"));
    CHECK(other.exit == 6);
    CHECK_FALSE(std::filesystem::exists(world.path("in")));
    CHECK(world.run(world.staff_home, {"fetch", "--from-inbox", id}).exit == 2);
    CHECK(world.run(world.staff_home, {"inbox"}).exit == 2);
}

} // namespace plankurier::test::inbox_test
