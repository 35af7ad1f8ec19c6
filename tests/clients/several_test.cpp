// One transfer to several departments.
#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::several_test {

namespace {

constexpr const char* second_mail = "umwelt@amt.example";

} // namespace

TEST_CASE("each of several departments gets notice and inbox, opens it alone and may answer") {
    ServiceWorld world;
    world.send({"--to", "umwelt"});
    REQUIRE(world.link_to(department_mail) == world.link_to(second_mail));
    const auto link = world.write("link", world.link_to(second_mail));
    for (const auto* department : {"umwelt", "bauamt"}) {
        CAPTURE(department);
        const auto list =
            world.run(world.staff_home, with_key(world, {"inbox", "--json"}, department));
        REQUIRE(events(list, "waiting").size() == 1);
        const auto id = events(list, "waiting")[0].at("transfer").get<std::string>();
        const auto in = world.path(std::string{"in-"} + department);
        const auto fetched =
            world.run(world.staff_home,
                      with_key(world, {"fetch", "--link-file", link, "-o", in}, department));
        INFO(fetched.err);
        CHECK(fetched.exit == 0);
        CHECK(content_of(in + "/plan.pdf") == content_of(world.path("plan.pdf")));
        const auto status =
            world.run(world.citizen_home, {"status", world.path(world.receipt), "--json"});
        CHECK(events(status, "status").at(0).at("signed") == true);
        const auto answer = world.run(
            world.staff_home,
            with_key(world, {"reply", "--to-transfer", id, "--message", department}, department));
        INFO(answer.err);
        CHECK(answer.exit == 0);
    }
    const auto answers =
        world.run(world.citizen_home, {"fetch", "--return-link-file", world.path(world.receipt),
                                       "-o", world.path("answers")});
    CHECK(answers.out.find("Signed by: Umweltamt") != std::string::npos);
    CHECK(answers.out.find("Signed by: Bauamt") != std::string::npos);
}

TEST_CASE("what is for one department is not for another") {
    ServiceWorld world;
    world.send();
    const auto list = world.run(world.staff_home, with_key(world, {"inbox", "--json"}, "umwelt"));
    CHECK(list.exit == 0);
    CHECK(events(list, "waiting").empty());
}

TEST_CASE("several departments are named once each, and no address among them") {
    ServiceWorld world;
    const auto attempt = [&](const std::vector<std::string>& recipients) {
        std::vector<std::string> arguments{"send",        world.path("plan.pdf"),
                                           "--email",     citizen,
                                           "--message",   "x",
                                           "--code-from", world.write("wrong-code", "AAAA-AAAA\n")};
        for (const auto& to : recipients) arguments.insert(arguments.end(), {"--to", to});
        return world.run(world.citizen_home, arguments).exit;
    };
    CHECK(attempt({}) == 2);
    CHECK(attempt({"bauamt", "bauamt"}) == 2);
    CHECK(attempt({"bauamt", "nirgends"}) == 9);
    CHECK(attempt({"bauamt", clerk}) == 2);    // no key of that address is listed
    CHECK(attempt({"bauamt", "umwelt"}) == 4); // only the code is wrong
}

} // namespace plankurier::test::several_test
