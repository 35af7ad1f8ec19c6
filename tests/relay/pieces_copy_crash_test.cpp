// A relay that is killed, or whose disk fails, at any point of a copy: started again it completes
// the copy, and it never signs for what it does not hold.
#include "tests/support/child.hpp"
#include "tests/support/swarm_relay.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>

namespace plankurier::test::pieces_copy_crash_test {

namespace {

constexpr const char* copying = "child: a relay copies a body";

const Body& body() {
    static const Body one{"crash", 4};
    return one;
}

/// The relay that has the body, and the control plane that wants it copied by number 1.
struct Giver {
    Giver() {
        auto stranger = relay.record(); // where number 1 listens does not matter: nobody asks it
        stranger.id = known_relay(1).id;
        stranger.key = known_relay(1).key;
        control.set_relays({relay.record(), stranger});
        control.wait("a sync", [&] { return control.syncs() != 0; });
        relay.upload(body(), 0);
        control.want_copies(body().ticket(TicketRole::peer));
    }
    ChildEnd run(const TempFolder& taker, const TempFolder& outside, const std::string& fault) {
        control.lose_receipts(); // so that number 1 is told to hold it
        const auto once = outside.path() / "once";
        std::ofstream{once} << "still to come";
        return run_child(copying, {{"PLANKURIER_TEST_FOLDER", taker.path().string()},
                                   {"PLANKURIER_TEST_TLS", folder.path().string()},
                                   {"PLANKURIER_FAULT", fault},
                                   {"PLANKURIER_FAULT_ONCE", once.string()},
                                   {"PLANKURIER_FAULT_LOG", (outside.path() / "log").string()}});
    }

    TempFolder folder;
    TlsFiles tls{folder.path()};
    SwarmControl control{folder.path() / "control.sock"};
    TestRelay relay{0, tls, folder.path() / "control.sock", {}};
};

void check_held(const TempFolder& taker) {
    PieceStore store{taker.path()};
    for (std::uint32_t i = 0; i < 4; ++i) CHECK(store.read(body(), 0, i) == "right");
    CHECK(store.catalog().stored(body().ticket()).value() == body().content());
}

} // namespace

TEST_CASE("child: a relay copies a body", "[.child]") {
    const std::filesystem::path shared = from_parent("PLANKURIER_TEST_TLS");
    const TlsFiles tls{shared};
    TestRelay relay{
        1, tls, shared / "control.sock", {{}, true, from_parent("PLANKURIER_TEST_FOLDER")}};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{50};
    while (relay.read(body(), 0) != "right") {
        if (std::chrono::steady_clock::now() > end) FAIL("no copy: " << relay.read(body(), 0));
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}

TEST_CASE("a relay that is killed anywhere in a copy completes it after a start") {
    Giver giver;
    std::vector<std::string> points;
    {
        const TempFolder taker;
        const TempFolder outside;
        REQUIRE(giver.run(taker, outside, "").exit_code == 0);
        points = lines_of(outside.path() / "log");
        check_held(taker);
    }
    std::ranges::sort(points);
    const auto rest = std::ranges::unique(points);
    points.erase(rest.begin(), rest.end());
    CHECK(points.size() >= 8);
    for (const std::string& point : points) {
        INFO(point);
        const TempFolder taker;
        const TempFolder outside;
        CHECK(giver.run(taker, outside, point + "=kill@1").signal == SIGKILL);
        CHECK(giver.run(taker, outside, "").exit_code == 0);
        check_held(taker);
    }
}

TEST_CASE("a relay whose disk is full or fails during a copy tries again and completes it") {
    Giver giver;
    for (const char* fault :
         {"copy.begun=enospc@1", "copy.piece=enospc@2", "pieces.before_fdatasync=eio@1",
          "pieces.before_commit=enospc@1", "copy.before_descriptor=eio@1"}) {
        INFO(fault);
        const TempFolder taker;
        const TempFolder outside;
        const auto end = giver.run(taker, outside, fault);
        CHECK(end.signal == 0);
        CHECK(end.exit_code == 0);
        CHECK_FALSE(std::filesystem::exists(outside.path() / "once")); // it did happen
        check_held(taker);
    }
}

} // namespace plankurier::test::pieces_copy_crash_test
