// The thin database layer: what it promises beyond SQL.
#include "relay/adapters/db.hpp"
#include "relay/adapters/sqlite_store.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <cstdint>

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

} // namespace plankurier::test::db_test
