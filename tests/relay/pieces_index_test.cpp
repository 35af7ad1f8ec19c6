// A piece index that cannot be read: the relay starts without it, keeps it for who can repair it,
// and deletes nothing that the control plane has not called over.
#include "relay/pieces/piece_index.hpp"

#include "tests/support/pieces.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>

namespace plankurier::test::pieces_index_test {

namespace {

namespace fs = std::filesystem;
using relay::adapters::Db;
using relay::pieces::unreadable_index;

std::string content_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// A relay that stands still, with one whole transfer.
struct Stopped {
    TempFolder folder;
    PieceStore store{folder.path()};
    Body body{"kept"};
    fs::path pieces = folder.path() / "pieces", index = pieces / "index.db";

    Stopped() {
        store.put_all(body);
        store.stop();
    }
    void write(const std::string& content) const {
        std::ofstream{index, std::ios::binary | std::ios::trunc} << content;
    }
    void change(const std::string& sql) const {
        Db db{index};
        db.tx([&] { db.exec(sql); });
    }
    [[nodiscard]] bool has_files() const { return fs::exists(pieces / body.id().hex()); }
    [[nodiscard]] std::size_t set_aside() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(fs::directory_iterator{pieces}, [](const auto& entry) {
                return entry.path().filename().string().find("unreadable") != std::string::npos;
            }));
    }
};

} // namespace

TEST_CASE("an index that cannot be read is set aside, and the relay goes on with an empty one") {
    Stopped relay;
    const std::string good = content_of(relay.index);
    SECTION("no database at all") { relay.write(std::string(10'000, 'x')); }
    SECTION("a damaged head") { relay.write("SQLite format 3" + good.substr(20)); }
    SECTION("another program's") {
        fs::remove(relay.index);
        relay.change("CREATE TABLE transfer (name TEXT)");
    }
    SECTION("tables that are missing") { relay.change("DROP TABLE volume"); }
    SECTION("values that cannot be") { relay.change("UPDATE transfer SET tid = 'x'"); }
    SECTION("lengths that cannot be") { relay.change("UPDATE transfer SET body_len = 5"); }
    SECTION("roots that cannot be") { relay.change("UPDATE volume SET roots = 'zz'"); }
    const std::string bad = content_of(relay.index);
    relay.store.restart();
    CHECK(relay.store.read(relay.body, 0, 0) == "nothing");
    CHECK(relay.store.catalog().map(relay.body.id()).empty());
    const auto aside = unreadable_index(relay.pieces);
    REQUIRE(aside);
    CHECK(aside->filename() == "index.db.unreadable.1");
    CHECK(content_of(*aside) == bad);
    // The control plane is asked about it, as about anything else that lies here.
    CHECK(relay.has_files());
    const auto held = relay.store.catalog().held();
    REQUIRE(held.size() == 1);
    CHECK(held.front().transfer == relay.body.id());
    CHECK_FALSE(held.front().complete);
    relay.store.put_all(relay.body); // somebody gives it anew
    CHECK(relay.store.catalog().held().size() == 1);
    CHECK(relay.store.catalog().complete(relay.body.id()));
    relay.store.restart();
    CHECK(relay.store.read(relay.body, 0, 1) == "right");
}

TEST_CASE("files of an unreadable index end when the control plane says so, or with that index") {
    Stopped relay;
    relay.write("no database");
    relay.store.restart();
    auto& catalog = relay.store.catalog();
    SECTION("at once") {
        catalog.purge(relay.body.id());
        CHECK_FALSE(relay.has_files());
        CHECK(catalog.held().empty());
    }
    SECTION("at the day that it names") {
        CHECK(catalog.overdue(std::int64_t{1} << 60).empty());
        catalog.lengthen(relay.body.id(), 5'000);
        CHECK(catalog.overdue(4'999).empty());
        CHECK(catalog.overdue(5'000) == std::vector{relay.body.id()});
    }
    SECTION("when the administrator needs it no more") {
        relay.store.restart();
        CHECK(relay.has_files());
        relay.store.stop();
        fs::remove(*unreadable_index(relay.pieces));
        relay.store.restart();
        CHECK_FALSE(relay.has_files());
    }
    SECTION("not if it was repaired") {
        relay.store.stop();
        Stopped other; // of the same body: the same rows
        fs::copy_file(other.index, relay.index, fs::copy_options::overwrite_existing);
        relay.store.restart();
        CHECK(relay.store.read(relay.body, 0, 2) == "right");
    }
}

TEST_CASE("rows of a repaired index are taken over beside what was sent since") {
    Stopped relay;
    const fs::path repaired = relay.folder.path() / "repaired.db";
    fs::copy_file(relay.index, repaired);
    relay.write("no database");
    relay.store.restart();
    const Body since{"since"};
    relay.store.put_all(since);
    relay.store.stop();
    {
        // As docs/operations.md has it.
        Db db{relay.index};
        db.exec("ATTACH :p0 AS old", {repaired.string()});
        for (const std::string table : {"transfer", "volume", "purged"}) {
            db.exec("INSERT OR IGNORE INTO " + table + " SELECT * FROM old." + table);
        }
    }
    fs::remove(*unreadable_index(relay.pieces));
    relay.store.restart();
    CHECK(relay.store.read(relay.body, 0, 1) == "right");
    CHECK(relay.store.read(since, 0, 1) == "right");
}

TEST_CASE("of indexes that cannot be read the first and the last one are kept") {
    Stopped relay;
    const auto first = relay.pieces / "index.db.unreadable.1";
    for (std::size_t i = 1; i <= 4; ++i) {
        relay.write("no database " + std::to_string(i));
        relay.store.restart();
        relay.store.stop();
        CHECK(relay.set_aside() == std::min<std::size_t>(i, 2));
        const auto aside = unreadable_index(relay.pieces).value();
        CHECK(aside.extension() == "." + std::to_string(i));
        CHECK(content_of(aside) == "no database " + std::to_string(i));
        CHECK(content_of(first) == "no database 1");
    }
    fs::remove(*unreadable_index(relay.pieces));
    CHECK(unreadable_index(relay.pieces) == first);
}

TEST_CASE("a crash while an index is set aside costs nothing of its log") {
    Stopped relay;
    const auto aside = relay.pieces / "index.db.unreadable.1";
    fs::rename(relay.index, aside);
    std::ofstream{relay.index.string() + "-wal"} << "what it had written last";
    relay.store.restart();
    CHECK(content_of(aside.string() + "-wal") == "what it had written last");
    CHECK(relay.has_files());
    relay.store.put_all(relay.body);
    relay.store.restart();
    CHECK(content_of(aside.string() + "-wal") == "what it had written last");
}

TEST_CASE("the index of a newer version is left alone, with words that help") {
    Stopped relay;
    relay.change("UPDATE schema_version SET version = 1000");
    const std::string before = content_of(relay.index);
    CHECK_THROWS_WITH(relay.store.restart(),
                      Catch::Contains("newer version") && Catch::Contains("nothing was changed"));
    CHECK(content_of(relay.index) == before);
    CHECK(relay.set_aside() == 0);
    CHECK(relay.has_files());
}

TEST_CASE("after a crash a damaged page anywhere in the index costs no wrong byte and no start") {
    Stopped relay;
    const std::string good = content_of(relay.index);
    constexpr std::size_t page = 4'096;
    REQUIRE(good.size() % page == 0);
    for (std::size_t at = 0; at < good.size(); at += page) {
        CAPTURE(at);
        relay.store.stop();
        std::string bad = good;
        bad.replace(at, page, page, '\xff');
        relay.write(bad);
        std::ofstream{relay.index.string() + "-wal"} << "what a kill leaves";
        REQUIRE_NOTHROW(relay.store.restart());
        for (const std::uint32_t piece : {0U, 1U, 2U}) {
            CHECK(relay.store.read(relay.body, 0, piece) != "wrong");
        }
        relay.store.put_all(relay.body);
        CHECK(relay.store.catalog().stored(relay.body.ticket()).value() == relay.body.content());
    }
}

} // namespace plankurier::test::pieces_index_test
