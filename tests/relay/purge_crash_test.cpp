// A purge that is killed at any point is finished by the next start, in the fixed order.
#include "relay/adapters/files.hpp"
#include "relay/requests.hpp"
#include "tests/support/child.hpp"
#include "tests/support/control.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>

namespace plankurier::test::purge_crash_test {

namespace {

constexpr const char* child_test = "child: time purges what has ended";
constexpr std::int64_t later = 15 * day_s; // on the clock that starts with each process

/// Two transfers that will have ended, and what is known of them from outside.
struct Ended {
    explicit Ended(const std::filesystem::path& folder) : world(folder, {1, true, true}) {
        for (Sending* sending : {&first, &second}) {
            *sending = world.available();
            links.push_back(world.link_for());
            rows.push_back(world.store().transfer(sending->id).value());
        }
        world.clock.pass(2 * day_s);
        world.relay().tick(); // the session is over, so that only transfers are left
        vault = relay::adapters::read_file(folder / "vault").value();
        world.stop();
        world.clock.pass(later - 2 * day_s);
    }
    [[nodiscard]] bool key_is_whole(std::size_t number) const {
        const Bytes now = relay::adapters::read_file(world.folder / "vault").value();
        const auto at = static_cast<std::ptrdiff_t>(rows[number].slot) * 64;
        return std::equal(now.begin() + at, now.begin() + at + 64, vault.begin() + at);
    }
    void check_gone() {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            CHECK_FALSE(world.store().transfer(rows[i].transfer));
            CHECK(world.store().is_tombstoned(rows[i].transfer));
            CHECK_FALSE(key_is_whole(i));
            for (const std::string& trace :
                 {to_hex(rows[i].sealed_sender), rows[i].manage_hash, rows[i].link_hash,
                  rows[i].receipt_number, links[i].hex(), std::string{citizen}}) {
                INFO(trace);
                CHECK(files_with(world.folder, trace) == std::set<std::string>{});
            }
        }
        CHECK(std::filesystem::is_empty(world.folder / "envelopes"));
        CHECK(std::filesystem::is_empty(world.folder / "mail"));
        CHECK(world.store().used_slots().empty());
        CHECK(world.store().counts().tombstones == 2);
    }

    Control world;
    Sending first, second;
    std::vector<LinkId> links;
    std::vector<relay::TransferRow> rows;
    Bytes vault;
};

ChildEnd purge_in_child(const Ended& ended, const std::string& fault,
                        const char* test_case = child_test) {
    const TempFolder outside;
    const auto once = outside.path() / "once";
    std::ofstream{once} << "still to come";
    const auto end = run_child(test_case, {{"PLANKURIER_TEST_FOLDER", ended.world.folder.string()},
                                           {"PLANKURIER_FAULT", fault},
                                           {"PLANKURIER_FAULT_ONCE", once.string()}});
    CHECK_FALSE(std::filesystem::exists(once)); // the fault did happen
    return end;
}

/// The fault points in the order in which a purge passes them, read from the program itself.
std::vector<std::string> purge_points(const char* test_case = child_test) {
    const TempFolder folder;
    const Ended ended{folder.path()};
    const TempFolder outside;
    const auto end =
        run_child(test_case, {{"PLANKURIER_TEST_FOLDER", folder.path().string()},
                              {"PLANKURIER_FAULT_LOG", (outside.path() / "log").string()}});
    REQUIRE(end.signal == 0);
    REQUIRE(end.exit_code == 0);
    return lines_of(outside.path() / "log");
}

} // namespace

TEST_CASE("child: time purges what has ended", "[.child]") {
    Control world{from_parent("PLANKURIER_TEST_FOLDER"), {1, true, true}};
    world.clock.pass(later);
    for (int i = 0; i < 3; ++i) {
        try {
            world.relay().tick();
        } catch (const std::system_error&) {
            // An injected disk error: the process goes on, as the real one does.
        }
    }
    CHECK(world.store().counts().tombstones == 2);
}

TEST_CASE("child: a purge fails, a transfer is created, the purge goes on", "[.child]") {
    Control world{from_parent("PLANKURIER_TEST_FOLDER"), {1, true, true}};
    world.clock.pass(14 * day_s - 1);
    const auto session = world.verified_session();
    world.clock.pass(1);
    CHECK_THROWS_AS(world.relay().tick_expiry(), std::system_error);
    std::array<Sending, 3> young;
    for (const Sending& sending : young) {
        REQUIRE(world.relay().create_transfer(session, sending.request()));
    }
    world.relay().tick();
    CHECK(world.store().counts().tombstones == 2);
    for (const Sending& sending : young) {
        const auto row = world.store().transfer(sending.id);
        REQUIRE(row);
        CHECK(world.vault().open(row->slot, "sender", row->sealed_sender));
    }
}

TEST_CASE("child: an administrator's purge is obeyed", "[.child]") {
    Control world{from_parent("PLANKURIER_TEST_FOLDER"), {1, true, true}};
    // The test reads the points of a run without a request file, too: there is one here always.
    std::ofstream{world.folder / "request.purge", std::ios::app}.close();
    relay::obey_request(world.folder, "purge", [&] { world.relay().purge_now(true); });
    CHECK_FALSE(std::filesystem::exists(world.folder / "request.purge"));
}

TEST_CASE("an administrator's purge that is killed anywhere is obeyed by the next start") {
    const char* const obeyed = "child: an administrator's purge is obeyed";
    const auto points = purge_points(obeyed);
    REQUIRE(points.size() >= 4);
    for (const std::string& point : points) {
        const TempFolder folder;
        Ended ended{folder.path()};
        const auto request = folder.path() / "request.purge";
        std::ofstream{request}.close();
        const auto end = purge_in_child(ended, point + "=kill@1", obeyed);
        INFO(point);
        CHECK(end.signal == SIGKILL);
        CHECK(std::filesystem::exists(request));
        ended.world.restart();
        relay::obey_request(folder.path(), "purge", [&] { ended.world.relay().purge_now(true); });
        CHECK_FALSE(std::filesystem::exists(request));
        ended.check_gone();
    }
}

TEST_CASE("a request that cannot be carried out stays, and one that was is obeyed once") {
    const TempFolder folder;
    const auto request = folder.path() / "request.purge";
    int times = 0;
    const auto obey = [&](bool fails) {
        relay::obey_request(folder.path(), "purge", [&] {
            ++times;
            if (fails) throw std::runtime_error("a full disk");
        });
    };
    obey(false);
    CHECK(times == 0);
    std::ofstream{request}.close();
    CHECK_THROWS(obey(true));
    CHECK(std::filesystem::exists(request));
    obey(false);
    obey(false);
    CHECK(times == 2);
    CHECK_FALSE(std::filesystem::exists(request));
}

TEST_CASE("a purge keeps its order: no reads, key, tombstone, envelope, rows") {
    const auto points = purge_points();
    const auto place = [&](const char* name) {
        const auto found = std::ranges::find(points, name);
        REQUIRE(found != points.end());
        return found - points.begin();
    };
    CHECK(place("purge.after_expired") < place("vault.before_write"));
    CHECK(place("vault.after_write") < place("purge.after_vault_erase"));
    CHECK(place("purge.after_vault_erase") < place("purge.after_tombstone"));
    CHECK(place("purge.after_tombstone") < place("purge.after_envelope"));
    CHECK(place("purge.after_envelope") < place("purge.after_rows"));
}

TEST_CASE("a purge that is killed anywhere serves nothing and is finished after the restart") {
    const auto points = purge_points();
    REQUIRE(points.size() >= 7);
    for (const std::string& point : points) {
        for (const char* hit : {"@1", "@2"}) {
            const TempFolder folder;
            Ended ended{folder.path()};
            const auto end = purge_in_child(ended, point + "=kill" + hit);
            INFO(point << hit);
            CHECK(end.signal == SIGKILL);
            ended.world.restart();
            for (std::size_t i = 0; i < ended.rows.size(); ++i) {
                CHECK_FALSE(ended.world.relay().envelope(ended.links[i]));
                // No row is deleted and no tombstone told while the key still lives.
                if (!ended.world.store().transfer(ended.rows[i].transfer) ||
                    ended.world.store().is_tombstoned(ended.rows[i].transfer)) {
                    CHECK_FALSE(ended.key_is_whole(i));
                }
            }
            ended.world.relay().tick();
            ended.check_gone();
        }
    }
}

TEST_CASE("a purge that meets a disk error anywhere is finished by the next tick") {
    for (const std::string& point : purge_points()) {
        for (const char* fault : {"=eio@1", "=enospc@2"}) {
            const TempFolder folder;
            Ended ended{folder.path()};
            const auto end = purge_in_child(ended, point + fault);
            INFO(point << fault);
            CHECK(end.signal == 0);
            CHECK(end.exit_code == 0);
            ended.world.restart();
            ended.world.relay().tick();
            ended.check_gone();
        }
    }
}

TEST_CASE("a disk error never costs a purge its line in the audit, nor doubles it") {
    for (const std::string& point : purge_points()) {
        const TempFolder folder;
        Ended ended{folder.path()};
        REQUIRE(purge_in_child(ended, point + "=eio@1").exit_code == 0);
        INFO(point);
        CHECK(lines_of(folder.path() / "audit.log").size() == 2);
    }
}

TEST_CASE("a transfer that is created while a purge waits for its disk keeps its key") {
    const TempFolder folder;
    Ended ended{folder.path()};
    const auto end =
        purge_in_child(ended, "purge.after_vault_erase=enospc@1",
                       "child: a purge fails, a transfer is created, the purge goes on");
    CHECK(end.signal == 0);
    CHECK(end.exit_code == 0);
}

} // namespace plankurier::test::purge_crash_test
