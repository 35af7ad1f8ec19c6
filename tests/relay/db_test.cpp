// The thin database layer: what it promises beyond SQL.
#include "relay/adapters/db.hpp"
#include "relay/adapters/sqlite_store.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <fstream>

namespace plankurier::test::db_test {

using relay::adapters::Db;

TEST_CASE("numbers of 53 bits come back as they were written") {
    const TempFolder folder;
    Db db{folder.path() / "wide.db"};
    db.migrate({"CREATE TABLE wide (value BIGINT NOT NULL)"});
    const auto big = std::int64_t{1} << 53;
    for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1} << 31, big, -big}) {
        db.exec("DELETE FROM wide");
        db.exec("INSERT INTO wide VALUES (:p0)", {value});
        CHECK(relay::adapters::number(db.query("SELECT value FROM wide").front().front()) == value);
    }
}

TEST_CASE("a transfer of 9 TiB that ends after 2038 is read as it was stored") {
    const TempFolder folder;
    Db db{folder.path() / "control.db"};
    relay::adapters::SqliteStore store{db};
    relay::TransferRow row;
    row.transfer = TransferId::random();
    row.body_len = (std::uint64_t{1} << 53) - 1;
    row.ends = std::int64_t{1} << 33;
    store.transaction([&] { store.put(row); });
    const auto read = store.transfer(row.transfer);
    REQUIRE(read);
    CHECK(read->body_len == row.body_len);
    CHECK(read->ends == row.ends);
}

TEST_CASE("what is damaged or of a newer version is told apart from what a later try may cure") {
    const TempFolder folder;
    const auto file = folder.path() / "control.db";
    const auto open = [&] {
        Db db{file};
        relay::adapters::SqliteStore store{db};
    };
    std::ofstream{file} << std::string(5'000, 'x');
    CHECK_THROWS_AS(open(), relay::adapters::DamagedDb);
    std::filesystem::remove(file);
    open();
    {
        Db db{file};
        db.tx([&] { db.exec("UPDATE schema_version SET version = 1000"); });
    }
    CHECK_THROWS_AS(open(), relay::adapters::NewerDb);
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    try {
        open();
        FAIL("a folder is no database");
    } catch (const relay::adapters::DamagedDb&) {
        FAIL("nor is it a damaged one");
    } catch (const std::runtime_error&) {
    }
}

TEST_CASE("a database that cannot be made anew is not, when it is missing or empty") {
    const TempFolder folder;
    const auto file = folder.path() / "control.db", vault = folder.path() / "vault";
    const auto open = [&] { static_cast<void>(relay::adapters::open_kept(file, vault)); };
    open(); // the very first start
    std::ofstream{vault} << "keys";
    open();
    std::filesystem::remove(file);
    CHECK_THROWS_WITH(open(), Catch::Contains("nothing was changed"));
    CHECK_FALSE(std::filesystem::exists(file));
    std::ofstream{file}.close();
    CHECK_THROWS_WITH(open(), Catch::Contains("missing or empty"));
    CHECK(std::filesystem::file_size(file) == 0);
    std::filesystem::remove(vault);
    open();
}

} // namespace plankurier::test::db_test
