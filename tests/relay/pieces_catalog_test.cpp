// What the relay stores and remembers: pieces, descriptors, tombstones.
#include "relay/pieces/catalog.hpp"

#include "tests/support/pieces.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace plankurier::test::pieces_catalog_test {

namespace {

namespace fs = std::filesystem;

fs::path folder_of(const TempFolder& folder, const Body& body) {
    return folder.path() / "pieces" / body.id().hex();
}

std::string begin(PieceStore& store, const Ticket& ticket, std::uint32_t volume,
                  std::uint32_t piece) {
    return why(store.catalog().begin_write(ticket, volume, piece));
}

std::string describe(PieceStore& store, const Body& body, std::uint32_t volume,
                     const Bytes& bytes) {
    return why(store.catalog().put_descriptor(body.ticket(), volume, bytes));
}

} // namespace

TEST_CASE("what was stored comes back byte by byte, also after a restart") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"two volumes", 66};
    REQUIRE(body.layout().volumes() == 2);
    store.put_all(body);
    for (const bool again : {false, true}) {
        if (again) store.restart();
        for (const auto& [volume, piece] : {std::pair{0U, 0U}, {0U, 63U}, {1U, 0U}, {1U, 1U}}) {
            CHECK(store.read(body, volume, piece) == "right");
        }
        for (const std::uint32_t volume : {0U, 1U}) {
            CHECK(store.catalog().descriptor(body.ticket(), volume).value() ==
                  body.descriptor(volume));
        }
        CHECK(store.catalog().stored(body.ticket()).value() == body.content());
    }
    CHECK(fs::file_size(folder_of(folder, body) / "00000000.vol") == 64 * segment_bytes);
    CHECK(fs::file_size(folder_of(folder, body) / "00000001.vol") == 2 * segment_bytes);
}

TEST_CASE("the map names durable pieces, most significant bit first") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"map", 11};
    CHECK(store.catalog().map(body.id()).empty());
    for (const std::uint32_t piece : {0U, 7U, 8U, 10U}) {
        REQUIRE(store.put(body, 0, piece) == "value");
        store.wait_durable(body, 0, piece);
    }
    store.restart();
    const auto map = store.catalog().map(body.id());
    REQUIRE(map.size() == 1);
    CHECK(map[0].volume == 0);
    CHECK(map[0].durable == Bytes{std::byte{0x81}, std::byte{0xA0}});
    CHECK_FALSE(map[0].descriptor);
}

TEST_CASE("a piece that cannot be is refused before anything is made") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"small", 3};
    CHECK(begin(store, body.ticket(), 0, 3) == "malformed");
    CHECK(begin(store, body.ticket(), 0, 64) == "malformed");
    CHECK(begin(store, body.ticket(), 1, 0) == "malformed");
    CHECK(begin(store, body.ticket(), 0xFFFFFFFF, 0) == "malformed");
    Ticket odd = body.ticket();
    for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
        odd.body_len = length;
        CHECK(begin(store, odd, 0, 0) == "malformed");
    }
    CHECK_FALSE(fs::exists(folder_of(folder, body)));
    CHECK(store.catalog().transfers().empty());
}

TEST_CASE("a ticket of another length does not fit a transfer that is there") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"length", 3};
    store.put_all(body);
    Ticket longer = body.ticket();
    longer.body_len = 4 * segment_plain_bytes;
    CHECK(begin(store, longer, 0, 3) == "conflict");
    CHECK(why(store.catalog().readable(longer, 0, 0)) == "conflict");
    CHECK(why(store.catalog().stored(longer)) == "conflict");
    CHECK(store.read(body, 0, 2) == "right");
}

TEST_CASE(
    "two connections cannot write one piece at a time, and one that gave up leaves no trace") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"busy"};
    const auto first = store.catalog().begin_write(body.ticket(), 0, 1);
    REQUIRE(first);
    CHECK(begin(store, body.ticket(), 0, 1) == "conflict");
    CHECK(store.catalog().begin_write(body.ticket(), 0, 2)); // another piece
    store.catalog().abandon(first->place);
    CHECK(store.read(body, 0, 1) == "nothing");
    CHECK(store.put(body, 0, 1) == "value");
    store.wait_durable(body, 0, 1);
    CHECK(store.read(body, 0, 1) == "right");
}

TEST_CASE("a descriptor counts once all its pieces are durable and equal to it") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"described"};
    const Body other{"another"};
    const Bytes good = body.descriptor(0);
    CHECK(describe(store, body, 0, good) == "not_found");
    REQUIRE(store.put(body, 0, 0) == "value");
    store.wait_durable(body, 0, 0);
    CHECK(describe(store, body, 0, good) == "conflict");
    REQUIRE(store.put(body, 0, 1) == "value");
    REQUIRE(store.put(body, 0, 2) == "value");
    store.wait_durable(body, 0, 2);
    store.wait_durable(body, 0, 1);
    CHECK(describe(store, body, 0, {}) == "malformed");
    CHECK(describe(store, body, 0, {good.begin(), good.end() - 1}) == "malformed");
    CHECK(describe(store, body, 1, good) == "malformed");
    CHECK(describe(store, body, 0, other.descriptor(0)) == "tampered");
    // volume 4 | length 8 | root 32 | count 2 | roots | MAC: all but the MAC is checked here.
    for (std::size_t at = 0; at < good.size() - 32; ++at) {
        Bytes bad = good;
        bad[at] ^= std::byte{1};
        INFO("byte " << at);
        const std::string code = describe(store, body, 0, bad);
        CHECK((code == "tampered" || code == "malformed"));
    }
    CHECK(why(store.catalog().stored(body.ticket())) == "conflict");
    CHECK(why(store.catalog().descriptor(body.ticket(), 0)) == "not_found");
    CHECK(describe(store, body, 0, good) == "value");
    CHECK(describe(store, body, 0, good) == "value");
    CHECK(store.catalog().stored(body.ticket()).value() == body.content());
}

TEST_CASE("stored means every volume") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"two", 65};
    for (const std::uint32_t piece : {0U}) {
        REQUIRE(store.put(body, 1, piece) == "value");
        store.wait_durable(body, 1, piece);
    }
    REQUIRE(describe(store, body, 1, body.descriptor(1)) == "value");
    CHECK(why(store.catalog().stored(body.ticket())) == "conflict");
}

TEST_CASE("a purged transfer is gone from the disk and refused for ever") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"purged"};
    const Body neighbour{"neighbour"};
    store.put_all(body);
    store.put_all(neighbour);
    const std::string root = to_hex(body.root(0, 1));
    CHECK_FALSE(files_with(folder.path(), root).empty());
    store.catalog().purge(body.id());
    store.catalog().purge(body.id());
    CHECK_FALSE(fs::exists(folder_of(folder, body)));
    CHECK(files_with(folder.path(), root).empty());
    for (const bool again : {false, true}) {
        if (again) store.restart();
        CHECK(store.read(body, 0, 0) == "nothing");
        CHECK(store.put(body, 0, 0) == "purged");
        CHECK_FALSE(store.catalog().put_descriptor(body.ticket(), 0, body.descriptor(0)));
        CHECK_FALSE(store.catalog().stored(body.ticket()));
        CHECK(store.catalog().map(body.id()).empty());
        CHECK(store.catalog().transfers() == std::vector{neighbour.id()});
        CHECK(store.read(neighbour, 0, 2) == "right");
    }
}

TEST_CASE("a tombstone that comes before the first piece wins") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"never"};
    store.catalog().purge(body.id());
    store.restart();
    CHECK(store.put(body, 0, 0) == "purged");
    CHECK_FALSE(fs::exists(folder_of(folder, body)));
}

TEST_CASE("a tombstone that comes while a piece is being written wins") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"racing"};
    auto writing = store.catalog().begin_write(body.ticket(), 0, 0);
    REQUIRE(writing);
    const relay::pieces::PieceUpload upload{std::move(*writing)};
    store.catalog().purge(body.id());
    CHECK(store.service().take(upload, 0, body.piece(0, 0)));
    CHECK(store.service().finish(upload, body.root(0, 0)));
    store.restart(); // the committer has ended: all that was added is committed, or not
    CHECK(store.read(body, 0, 0) == "nothing");
    CHECK(store.catalog().transfers().empty());
    CHECK_FALSE(fs::exists(folder_of(folder, body)));
}

TEST_CASE("a relay that hears nothing deletes by itself, at the latest time any ticket named") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"overdue"};
    Ticket ticket = body.ticket();
    const std::int64_t end = ticket.delete_at;
    REQUIRE(store.put(body, 0, 0) == "value");
    store.wait_durable(body, 0, 0);
    CHECK(store.catalog().overdue(end - 60).empty());
    // The upload goes on for days: each ticket lengthens the time, and nothing shortens it.
    ticket.delete_at = end + 5 * day_s;
    const auto later = store.catalog().begin_write(ticket, 0, 1);
    REQUIRE(later);
    store.catalog().abandon(later->place);
    ticket.delete_at = end - 5 * day_s;
    const auto earlier = store.catalog().begin_write(ticket, 0, 2);
    REQUIRE(earlier);
    store.catalog().abandon(earlier->place);
    store.restart();
    CHECK(store.catalog().overdue(end + 5 * day_s - 1).empty());
    CHECK(store.read(body, 0, 0) == "right");
    CHECK(store.catalog().overdue(end + 5 * day_s) == std::vector{body.id()});
    // The control plane's word lengthens it, too.
    store.catalog().lengthen(body.id(), end + 9 * day_s);
    store.catalog().lengthen(body.id(), end);
    store.catalog().lengthen(Body{"unknown"}.id(), end + 9 * day_s);
    store.restart();
    CHECK(store.catalog().overdue(end + 9 * day_s - 1).empty());
    CHECK(store.catalog().overdue(end + 9 * day_s) == std::vector{body.id()});
    store.catalog().purge(body.id());
    CHECK(store.read(body, 0, 0) == "nothing");
    CHECK(store.put(body, 0, 0) == "purged");
}

TEST_CASE("files that no row knows are removed at the start, known ones stay") {
    const TempFolder folder;
    const Body body{"known"};
    {
        PieceStore store{folder.path()};
        store.put_all(body);
    }
    const fs::path pieces = folder.path() / "pieces";
    const fs::path stranger = pieces / TransferId::random().hex();
    fs::create_directories(stranger);
    std::ofstream{stranger / "00000000.vol"} << "left by a crash";
    fs::create_directories(pieces / "lost+found-like");
    PieceStore store{folder.path()};
    CHECK_FALSE(fs::exists(stranger));
    CHECK(store.read(body, 0, 0) == "right");
}

TEST_CASE("the place in the list of tombstones survives a restart") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    CHECK(store.catalog().sync_sequence() == 0);
    store.catalog().set_sync_sequence(41);
    store.catalog().set_sync_sequence(42);
    store.restart();
    CHECK(store.catalog().sync_sequence() == 42);
}

TEST_CASE("a damaged index is set aside, not guessed at") {
    const TempFolder folder;
    const Body body{"index"};
    {
        PieceStore store{folder.path()};
        store.put_all(body);
    }
    const fs::path index = folder.path() / "pieces" / "index.db";
    SECTION("a value that is none") {
        relay::adapters::Db db{index};
        db.exec("UPDATE volume SET roots = 'zz'");
    }
    SECTION("a length that is none") {
        relay::adapters::Db db{index};
        db.exec("UPDATE transfer SET body_len = 5");
    }
    SECTION("an id that is none") {
        relay::adapters::Db db{index};
        db.exec("INSERT INTO purged VALUES ('../..')");
    }
    SECTION("no database at all") {
        std::ofstream{index, std::ios::trunc} << std::string(9'000, 'x');
    }
    const PieceStore store{folder.path()};
    CHECK(fs::exists(folder.path() / "pieces" / "index.db.unreadable.1"));
    CHECK(fs::exists(folder_of(folder, body) / "00000000.vol")); // and nothing is deleted
}

} // namespace plankurier::test::pieces_catalog_test
