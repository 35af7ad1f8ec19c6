// A key that stays unlocked for a while.
#include <clients/cli/key_agent.hpp>
#include <clients/cli/options.hpp>

#include "tests/clients/staff.hpp"
#include "tests/support/temp_folder.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace plankurier::test::key_agent_test {

using namespace cli;
using namespace std::chrono_literals;

namespace {

const auto key_file = as_bytes("what stands in a key file");

/// An agent in this process, with clocks that the test moves.
struct Agent {
    TempFolder folder;
    std::atomic<std::int64_t> now_s{1'000}, slept_s{5};
    KeySeed seed = KeySeed::random();
    std::jthread thread;
    std::filesystem::path socket;

    explicit Agent(std::chrono::seconds life = 8h) {
        ::setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
        socket = agent_socket(key_file);
        auto agent = KeyAgent::listen(socket);
        REQUIRE(agent);
        auto locked = LockedSeed::hold(seed);
        REQUIRE(locked);
        const KeyAgent::Clock clock{
            [this] { return BootClock::time_point{std::chrono::seconds{now_s}}; },
            [this] { return BootClock::duration{std::chrono::seconds{slept_s}}; }};
        thread = std::jthread{
            [agent = std::move(*agent), locked = std::move(*locked), life, clock]() mutable {
                agent.serve(std::move(locked), StanzaType::hpke_x25519, life, clock);
                const auto gone = std::move(agent);
            }};
        REQUIRE(gives_key()); // its time has begun
    }
    ~Agent() {
        static_cast<void>(lock_keys());
        thread.join();
    }
    [[nodiscard]] bool gives_key() const {
        const auto key = unlocked_key(key_file);
        if (key) {
            CHECK(key->type == StanzaType::hpke_x25519);
            CHECK(seed.matches(key->seed.reveal()));
        }
        return key.has_value();
    }
};

} // namespace

TEST_CASE("an unlocked key is given to the same user's programs, by its file's content") {
    const Agent agent;
    CHECK(agent.gives_key());
    CHECK(agent.gives_key());
    CHECK_FALSE(unlocked_key(as_bytes("another key file")));
    struct stat about {};
    REQUIRE(::stat(agent.socket.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    REQUIRE(::stat(agent.socket.parent_path().c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0700);
}

TEST_CASE("a key is locked on request, once") {
    const Agent agent;
    CHECK(lock_keys() == 1);
    CHECK_FALSE(agent.gives_key());
    CHECK(lock_keys() == 0);
}

TEST_CASE("a key is locked when its time is over") {
    Agent agent{1h};
    agent.now_s += 3'599;
    CHECK(agent.gives_key());
    agent.now_s += 1;
    CHECK_FALSE(agent.gives_key());
}

TEST_CASE("a key is locked when the computer has slept") {
    Agent agent;
    CHECK(agent.gives_key());
    agent.slept_s += 30;
    CHECK_FALSE(agent.gives_key());
}

TEST_CASE("a key is locked when the session's folder is taken away") {
    Agent agent;
    std::filesystem::remove(agent.socket);
    agent.thread.join();
    agent.thread = std::jthread{[] {}};
    CHECK_FALSE(agent.gives_key());
}

TEST_CASE("an agent that was killed is no hindrance, and does not count as one") {
    TempFolder folder;
    ::setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
    const auto socket = agent_socket(key_file);
    {
        auto agent = KeyAgent::listen(socket);
        REQUIRE(agent);
        agent->leave_to_child(); // closed, and the socket stays
    }
    CHECK(std::filesystem::exists(socket));
    CHECK_FALSE(unlocked_key(key_file));
    CHECK(lock_keys() == 0);
    CHECK(KeyAgent::listen(socket).has_value());
}

TEST_CASE("commands use a key that was unlocked, and ask again when it is locked") {
    ServiceWorld world;
    world.send();
    const auto key = world.key_of("bauamt");
    const std::vector<std::string> inbox{"inbox", "--key", key, "--json"};
    CHECK(world.run(world.staff_home, inbox).exit != 0); // nobody to ask for the passphrase
    const auto unlocked = world.run(world.staff_home, with_key(world, {"unlock", "--for", "1h"}));
    INFO(unlocked.err);
    REQUIRE(unlocked.exit == 0);
    const auto listed = world.run(world.staff_home, inbox);
    INFO(listed.err);
    CHECK(listed.exit == 0);
    CHECK(events(listed, "waiting").size() == 1);
    const auto link = world.write("link", world.link_to(department_mail));
    const auto fetched = world.run(
        world.staff_home, {"fetch", "--link-file", link, "--key", key, "-o", world.path("in")});
    INFO(fetched.err);
    CHECK(fetched.exit == 0);
    // Who wants to change the passphrase, or to unlock for longer, has to know it.
    CHECK(world.run(world.staff_home, {"unlock", "--key", key}).exit != 0);
    CHECK(world.run(world.staff_home, {"lock"}).exit == 0);
    CHECK(world.run(world.staff_home, inbox).exit != 0);
}

TEST_CASE("how long a key may stay unlocked is said in hours and minutes") {
    CHECK(parse_hours("8h").value() == 8h);
    CHECK(parse_hours("90m").value() == 90min);
    CHECK(parse_hours("1h30m").value() == 90min);
    for (const auto* wrong : {"", "8", "25h", "0m", "h", "8d", "-1h", "8h ", "30m1h", "1441m"}) {
        CAPTURE(wrong);
        CHECK(parse_hours(wrong).error().code == Errc::invalid_argument);
    }
}

} // namespace plankurier::test::key_agent_test
