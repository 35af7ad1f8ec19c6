// What the client does when the service has no codes left without work, or no room.
#include <clients/cli/control_client.hpp>
#include <clients/cli/texts.hpp>

#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::scarce_test {

namespace {

using cli::Exit;

ClientRun try_to_send(ServiceWorld& world, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"send",        world.path("plan.pdf"),
                                       "--to",        "bauamt",
                                       "--name",      "Erika Muster",
                                       "--email",     citizen,
                                       "--message",   "Guten Tag",
                                       "--code-from", world.path("code")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world.run(world.citizen_home, arguments);
}
bool says(const ClientRun& run, std::string_view words) {
    return (run.out + run.err).find(words) != std::string::npos;
}
/// Somebody else asks, and works for it where that is wanted.
void ask_for_code(ServiceWorld& world, const std::string& email) {
    world.with_control([&](Control& control) {
        relay::CodeWish wish;
        if (control.relay().code_budget().left == 0) {
            const auto puzzle = control.relay().code_work(email).value();
            wish.work = {puzzle.salt, solve_work(puzzle, [] { return false; }).value()};
        }
        REQUIRE(control.relay().begin_verification(email, "de", wish));
    });
}
void say_free(ServiceWorld& world, std::uint64_t bytes) {
    world.with_control([&](Control& control) {
        auto news = control.news();
        news.space = {bytes, std::uint64_t{1} << 40};
        control.sync(0, news);
    });
}

} // namespace

TEST_CASE("a client whose code has its price works for it, says so calmly, and sends") {
    ServiceWorld world{[](relay::Policy& policy) { policy.limits.code_mails_hour = 1; }};
    ask_for_code(world, "max@buerger.example");
    const auto english = world.send();
    CHECK(says(english, "your computer solves a small puzzle"));
    world.with_control([](Control& control) { control.clock.pass(1); }); // another puzzle
    const auto json = world.send({"--json", "--lang", "de"});
    CHECK(says(json, "Ihr Rechner eine kleine Aufgabe"));
    CHECK(events(json, "working").size() == 1);
    CHECK(events(json, "code_sent").size() == 1);
}

TEST_CASE("a client works for a code that is sent again, too") {
    ServiceWorld world{[](relay::Policy& policy) {
        policy.limits.code_mails_hour = 1;
        policy.limits.work_bits = 10;
    }};
    cli::ControlClient client{world.url(), {}};
    unsigned told = 0;
    client.on_work([&](const WorkPuzzle&) { ++told; });
    const auto begun = client.begin_verification(citizen, "de");
    REQUIRE(begun);
    CHECK(told == 0);
    const auto soon = client.resend_code(begun->session);
    CHECK(why(soon) == "too_early");
    CHECK(told == 0);
    const auto before = world.mails_to(citizen).size();
    world.with_control([](Control& control) { control.clock.pass(60); });
    CHECK(why(client.resend_code(begun->session)) == "value");
    CHECK(told == 1);
    CHECK(world.mails_to(citizen).size() > before);
}

TEST_CASE("a client does not work for minutes, says so, and can go on later") {
    ServiceWorld world{[](relay::Policy& policy) {
        policy.limits.code_mails_hour = 1;
        policy.limits.work_bits = 22; // 2^26 attempts
    }};
    REQUIRE(world.with_control([](Control& control) {
        return control.relay().begin_verification("max@buerger.example", "de").has_value();
    }));
    const auto refused = try_to_send(world, {"--json"});
    CHECK(refused.exit == static_cast<int>(Exit::resumable));
    CHECK(says(refused, "more computing just now than this program does"));
    CHECK(events(refused, "working").empty());
    CHECK(events(refused, "error").at(0).at("code") == "rate_limited");
}

TEST_CASE("a client that need not work does not say that it does") {
    ServiceWorld world;
    CHECK_FALSE(says(world.send(), "puzzle"));
}

TEST_CASE("when no work helps any more the client says to come back later") {
    ServiceWorld world{[](relay::Policy& policy) {
        policy.limits.code_mails_hour = 1;
        policy.limits.work_bits = 1;
        policy.limits.work_count = 1;
    }};
    for (int i = 0; i < 10; ++i) ask_for_code(world, "p" + std::to_string(i) + "@buerger.example");
    const auto refused = try_to_send(world);
    CHECK(refused.exit == static_cast<int>(Exit::resumable));
    CHECK(says(refused, "Too many requests in a short time."));
    CHECK_FALSE(says(refused, "puzzle"));
}

TEST_CASE("a client hears that there is no room before it sends a byte, and goes on later") {
    ServiceWorld world;
    say_free(world, std::uint64_t{1} << 30);
    const auto refused = try_to_send(world);
    CHECK(refused.exit == static_cast<int>(Exit::resumable));
    CHECK(says(refused, "The service has no room for this transfer just now ("));
    CHECK(says(refused, "Nothing of it was transferred yet."));
    CHECK(world.with_control(
        [](Control& control) { return control.store().counts().uploading == 0; }));
    const auto german = world.run(world.citizen_home, {"send", "--resume", "--lang", "de"});
    CHECK(german.exit == static_cast<int>(Exit::resumable));
    CHECK(says(german, "Der Dienst hat gerade keinen Platz für diese Sendung ("));
    say_free(world, std::uint64_t{1} << 39);
    const auto resumed = world.run(world.citizen_home, {"send", "--resume"});
    INFO(resumed.err);
    CHECK(resumed.exit == 0);
    CHECK_FALSE(says(resumed, "no room"));
}

} // namespace plankurier::test::scarce_test
