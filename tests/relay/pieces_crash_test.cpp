// A relay that is killed, or whose disk fails, at any point: what it called durable is there byte
// by byte, nothing else is ever given out, and a purge is finished.
#include "tests/support/child.hpp"
#include "tests/support/pieces.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <csignal>
#include <fstream>
#include <thread>

namespace plankurier::test::pieces_crash_test {

namespace {

constexpr const char* taking = "child: a relay takes two bodies";
constexpr const char* purging = "child: a relay purges a body";

const Body& first_body() {
    static const Body body{"first"};
    return body;
}
const Body& second_body() {
    static const Body body{"second", 65};
    return body;
}

/// A note that survives the killing of this process, as an answer on the line would.
void note(const std::string& line) {
    const int fd = ::open(from_parent("PLANKURIER_TEST_LEDGER").c_str(),
                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const std::string whole = line + "\n";
    REQUIRE(::write(fd, whole.data(), whole.size()) == static_cast<ssize_t>(whole.size()));
    ::close(fd);
}

/// Like a sender that tries again until the piece is durable.
void insist(PieceStore& store, const Body& body, std::uint32_t volume, std::uint32_t piece) {
    for (int tries = 0; tries < 20 && !store.is_durable(body, volume, piece); ++tries) {
        try {
            static_cast<void>(store.put(body, volume, piece));
        } catch (const std::system_error&) {
            continue; // the line is closed, the sender comes again
        }
        for (int waits = 0; waits < 200 && !store.is_durable(body, volume, piece); ++waits) {
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
    }
    REQUIRE(store.is_durable(body, volume, piece));
}

void describe(PieceStore& store, const Body& body, std::uint32_t volume) {
    for (int tries = 0; tries < 3; ++tries) {
        try {
            const auto put =
                store.catalog().put_descriptor(body.ticket(), volume, body.descriptor(volume));
            CHECK(why(put) == "value");
            return;
        } catch (const std::system_error&) {
            continue;
        }
    }
    FAIL("no descriptor");
}

ChildEnd run(const char* test_case, const TempFolder& folder, const TempFolder& outside,
             const std::string& fault) {
    const auto once = outside.path() / "once";
    std::ofstream{once} << "still to come";
    const auto end =
        run_child(test_case, {{"PLANKURIER_TEST_FOLDER", folder.path().string()},
                              {"PLANKURIER_TEST_LEDGER", (outside.path() / "ledger").string()},
                              {"PLANKURIER_FAULT", fault},
                              {"PLANKURIER_FAULT_ONCE", once.string()},
                              {"PLANKURIER_FAULT_LOG", (outside.path() / "log").string()}});
    CHECK(std::filesystem::exists(once) == fault.empty());
    return end;
}

std::vector<std::string> points_of(const char* test_case,
                                   const std::function<void(const TempFolder&)>& prepare) {
    const TempFolder folder;
    const TempFolder outside;
    prepare(folder);
    const auto end = run(test_case, folder, outside, "");
    REQUIRE(end.exit_code == 0);
    return lines_of(outside.path() / "log");
}

void nothing_before(const TempFolder&) {}
void one_body_stored(const TempFolder& folder) {
    PieceStore store{folder.path()};
    store.put_all(first_body());
}

/// Everything in the ledger is there, and nothing that is given out is wrong.
/// The database's log is written over at the start only, when nothing is purged.
bool is_once(const std::string& point) { return point == "db.after_overwrite"; }

void check_kept(PieceStore& store, const TempFolder& outside) {
    const auto ledger = lines_of(outside.path() / "ledger");
    for (const Body* body : {&first_body(), &second_body()}) {
        for (std::uint32_t volume = 0; volume < body->layout().volumes(); ++volume) {
            const std::string place = body->id().hex() + " " + std::to_string(volume);
            for (std::uint32_t i = 0; i < body->layout().pieces_in_volume(volume); ++i) {
                const std::string given = store.read(*body, volume, i);
                const bool promised =
                    std::ranges::count(ledger, place + " " + std::to_string(i)) != 0;
                INFO(place << " piece " << i);
                if (promised) CHECK(given == "right");
                CHECK(given != "wrong");
            }
            if (std::ranges::count(ledger, place + " described") == 0) continue;
            const auto descriptor = store.catalog().descriptor(body->ticket(), volume);
            REQUIRE(descriptor);
            CHECK(*descriptor == body->descriptor(volume));
        }
    }
}

} // namespace

TEST_CASE("child: a relay takes two bodies", "[.child]") {
    PieceStore store{from_parent("PLANKURIER_TEST_FOLDER")};
    for (const auto& [body, volume] : {std::pair{&first_body(), 0U}, {&second_body(), 1U}}) {
        const std::string place = body->id().hex() + " " + std::to_string(volume);
        for (std::uint32_t i = 0; i < body->layout().pieces_in_volume(volume); ++i) {
            insist(store, *body, volume, i);
            note(place + " " + std::to_string(i));
        }
        describe(store, *body, volume);
        note(place + " described");
    }
}

TEST_CASE("a relay that is killed anywhere keeps what it called durable and goes on") {
    const auto points = points_of(taking, nothing_before);
    CHECK(points.size() >= 8);
    for (const std::string& point : points) {
        for (const std::string hit : {"@1", "@2"}) {
            if (is_once(point) && hit == "@2") continue;
            const TempFolder folder;
            const TempFolder outside;
            INFO(point << hit);
            CHECK(run(taking, folder, outside, point + "=kill" + hit).signal == SIGKILL);
            PieceStore store{folder.path()};
            check_kept(store, outside);
            const auto end = run(taking, folder, outside, ""); // the sender comes again
            CHECK(end.exit_code == 0);
            store.restart();
            check_kept(store, outside);
            CHECK(store.catalog().stored(first_body().ticket()).value() == first_body().content());
        }
    }
}

TEST_CASE("a relay whose disk fails once anywhere acknowledges nothing that is not there") {
    for (const std::string& point : points_of(taking, nothing_before)) {
        for (const std::string fault : {"=eio@1", "=enospc@1", "=eio@2"}) {
            if (is_once(point) && fault.ends_with("@2")) continue;
            const TempFolder folder;
            const TempFolder outside;
            INFO(point << fault);
            const auto end = run(taking, folder, outside, point + fault);
            CHECK(end.signal == 0);
            CHECK(end.exit_code == 0); // the sender tried again and got through
            PieceStore store{folder.path()};
            check_kept(store, outside);
            CHECK(store.catalog().stored(first_body().ticket()).value() == first_body().content());
        }
    }
}

TEST_CASE("child: a relay purges a body", "[.child]") {
    PieceStore store{from_parent("PLANKURIER_TEST_FOLDER")};
    for (int tries = 0; tries < 2; ++tries) {
        try {
            store.catalog().purge(first_body().id());
            break;
        } catch (const std::system_error&) {
            // It answers no reader meanwhile, and control says it again.
            CHECK(store.read(first_body(), 0, 0) == "nothing");
            CHECK(store.put(first_body(), 0, 0) == "purged");
        }
    }
    CHECK(store.catalog().transfers().empty());
}

TEST_CASE(
    "a purge of pieces that is killed anywhere is finished at the start, and serves nothing") {
    const auto points = points_of(purging, one_body_stored);
    CHECK(points.size() >= 2);
    for (const std::string& point : points) {
        const TempFolder folder;
        const TempFolder outside;
        one_body_stored(folder);
        INFO(point);
        CHECK(run(purging, folder, outside, point + "=kill@1").signal == SIGKILL);
        PieceStore store{folder.path()};
        for (std::uint32_t piece = 0; piece < 3; ++piece) {
            CHECK(store.read(first_body(), 0, piece) == "nothing");
        }
        CHECK_FALSE(store.catalog().descriptor(first_body().ticket(), 0));
        CHECK_FALSE(store.catalog().stored(first_body().ticket()));
        CHECK(store.put(first_body(), 0, 0) == "purged");
        CHECK(store.catalog().transfers().empty());
        CHECK_FALSE(std::filesystem::exists(folder.path() / "pieces" / first_body().id().hex()));
    }
}

TEST_CASE("a purge of pieces that meets a disk error serves nothing and is repeated") {
    for (const std::string& point : points_of(purging, one_body_stored)) {
        const TempFolder folder;
        const TempFolder outside;
        one_body_stored(folder);
        INFO(point);
        const auto end = run(purging, folder, outside, point + "=eio@1");
        CHECK(end.signal == 0);
        CHECK(end.exit_code == 0);
        CHECK_FALSE(std::filesystem::exists(folder.path() / "pieces" / first_body().id().hex()));
    }
}

} // namespace plankurier::test::pieces_crash_test
