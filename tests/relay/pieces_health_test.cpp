// Pieces that are missing or damaged: found, given to nobody, copied or taken back.
#include "relay/pieces/scrubber.hpp"

#include "tests/support/pieces.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>

namespace plankurier::test::pieces_health_test {

namespace {

namespace fs = std::filesystem;
using relay::pieces::Catalog;

fs::path volume_file(const TempFolder& folder, const Body& body, std::uint32_t volume = 0) {
    return folder.path() / "pieces" / body.id().hex() /
           ("0000000" + std::to_string(volume) + ".vol");
}

void flip(const fs::path& file, std::uint64_t at) {
    std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
    stream.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(stream.get() ^ 1);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
}

/// Durable, by the map that everybody reads; "damaged" when the map says so.
std::string map_of(PieceStore& store, const Body& body, std::uint32_t volume = 0) {
    std::string out;
    for (std::uint32_t i = 0; i < body.layout().pieces_in_volume(volume); ++i) {
        out += store.is_durable(body, volume, i) ? '1' : '0';
    }
    for (const auto& one : store.catalog().map(body.id())) {
        if (one.volume == volume && one.damaged) out += " damaged";
        if (one.volume == volume && one.descriptor) out += " whole";
    }
    return out;
}

/// Runs a scrubber until `done`.
class Scrub {
public:
    Scrub(PieceStore& store, const TempFolder& folder, std::uint64_t bytes_per_s = 1'000'000'000,
          std::chrono::milliseconds suspect_rest = std::chrono::seconds{30})
        : request_(folder.path() / "request.scrub"),
          scrubber_(store.catalog(), lease_, {request_, 30, bytes_per_s, suspect_rest},
                    {[this](const Catalog::VolumeId&) { ++damaged; }, [this] { ++changed; }}) {}
    void now() const { std::ofstream{request_}; }
    template <typename Done>
    static void wait(const Done& done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) FAIL("the scrub does not come to it");
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
    }
    std::atomic<int> damaged{}, changed{};

private:
    relay::pieces::Lease lease_;
    fs::path request_;
    relay::pieces::Scrubber scrubber_;
};

} // namespace

TEST_CASE("a start notices volume files that are missing or too short, and serves what is left") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body wiped{"wiped"}, cut{"cut", 5}, good{"good"};
    for (const Body* body : {&wiped, &cut, &good}) store.put_all(*body);
    store.stop();
    fs::remove(volume_file(folder, wiped));
    fs::resize_file(volume_file(folder, cut), 2 * segment_bytes + 100);
    store.restart();
    CHECK(map_of(store, wiped) == "000 damaged");
    CHECK(map_of(store, cut) == "11000 damaged");
    CHECK(map_of(store, good) == "111 whole");
    CHECK(store.catalog().health().damaged_pieces == 6);
    CHECK_FALSE(store.catalog().complete(wiped.id()));
    CHECK(why(store.catalog().stored(cut.ticket())) == "conflict");
    CHECK(store.catalog().complete(good.id()));
    const auto read = [&](const Body& body, std::uint32_t piece) {
        return why(store.catalog().readable(body.ticket(), 0, piece));
    };
    CHECK(read(wiped, 0) == "unavailable"); // somebody else has it, or it comes back
    CHECK(read(cut, 2) == "unavailable");
    CHECK(read(good, 2) == "value");
    // The descriptor stays: it says what has to come.
    CHECK(store.catalog().descriptor(wiped.ticket(), 0).value() == wiped.descriptor(0));
    store.restart(); // known by now: nothing is counted twice
    CHECK(store.catalog().health().damaged_pieces == 6);
    CHECK(map_of(store, wiped) == "000 damaged");
}

TEST_CASE("an upload under way forgets pieces whose file is gone, and takes them anew") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"under way"};
    REQUIRE(store.put(body, 0, 1) == "value");
    store.wait_durable(body, 0, 1);
    store.stop();
    fs::remove_all(volume_file(folder, body).parent_path());
    store.restart();
    CHECK(map_of(store, body) == "000");
    CHECK(store.read(body, 0, 1) == "nothing");
    store.put_all(body);
    CHECK(map_of(store, body) == "111 whole");
    CHECK(store.read(body, 0, 1) == "right");
}

TEST_CASE("a file that vanishes while the relay runs is told as unavailable and looked at") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"vanishes"};
    store.put_all(body);
    fs::remove(volume_file(folder, body));
    CHECK(why(store.catalog().readable(body.ticket(), 0, 0)) == "unavailable");
    Scrub scrub{store, folder};
    Scrub::wait([&] { return scrub.changed > 0; });
    CHECK(map_of(store, body) == "000 damaged");
}

TEST_CASE("the scrub finds every flipped bit, and only the pieces with one go out of service") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"flipped", 70}, good{"untouched"};
    store.put_all(body);
    store.put_all(good);
    const std::uint64_t first =
        GENERATE(std::uint64_t{0}, std::uint64_t{16'383}, segment_bytes - 1);
    flip(volume_file(folder, body, 0), first);
    flip(volume_file(folder, body, 0), 63 * segment_bytes + first);
    flip(volume_file(folder, body, 1), 3 * segment_bytes + first);
    Scrub scrub{store, folder};
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    CHECK(scrub.damaged == 0); // what is new is not due
    scrub.now();
    Scrub::wait([&] { return store.catalog().health().damaged_pieces == 3; });
    CHECK(map_of(store, body, 0) == "0" + std::string(62, '1') + "0 damaged");
    CHECK(map_of(store, body, 1) == "111011 damaged");
    CHECK(map_of(store, good) == "111 whole");
    Scrub::wait([&] { return scrub.damaged == 2 && scrub.changed == 2; });
    CHECK(why(store.catalog().readable(body.ticket(), 0, 0)) == "unavailable");
    CHECK(store.read(body, 0, 1) == "right");
    CHECK(why(store.catalog().whole(body.id(), 0)) == "not_found"); // the swarm gives none of it
}

TEST_CASE("whoever got wrong bytes can have the volume looked at, at once") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"complaint"};
    store.put_all(body);
    flip(volume_file(folder, body), segment_bytes + 5);
    Scrub scrub{store, folder, 1}; // the slow reading would take for ever
    relay::pieces::SmallUpload complaint;
    complaint.kind = relay::pieces::SmallUpload::Kind::check;
    complaint.ticket = body.ticket(TicketRole::get);
    for (const char* odd : {" ", "{", "[]", "null", "volume=0"}) {
        CHECK(store.service().small_body(complaint, as_bytes(odd)).status == 400);
    }
    CHECK(store.service().small_body(complaint, as_bytes("{}")).status == 202);
    Scrub::wait([&] { return scrub.changed > 0; });
    CHECK(map_of(store, body) == "101 damaged");
}

TEST_CASE("a complaint about what was looked at just now is not forgotten, only looked at later") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    // In the order in which those that wait together have their turn.
    std::vector<Body> bodies;
    for (const char* name : {"first", "second", "third"}) bodies.emplace_back(name);
    std::ranges::sort(bodies, {}, &Body::id);
    for (const Body& body : bodies) store.put_all(body);
    const Body& watched = bodies.front();
    constexpr std::chrono::milliseconds rest{2'000};
    Scrub scrub{store, folder, 1'000'000'000, rest};
    /// Complains of the first, and knows that it had its turn when the other one is found.
    const auto complain = [&](const Body& other) {
        const int found = scrub.changed;
        flip(volume_file(folder, other), 5);
        store.catalog().suspect(watched.id(), 0);
        store.catalog().suspect(other.id(), 0);
        Scrub::wait([&] { return scrub.changed > found; });
    };
    complain(bodies[1]);
    const auto looked = std::chrono::steady_clock::now();
    flip(volume_file(folder, watched), segment_bytes + 5);
    complain(bodies[2]);
    const std::string early = map_of(store, watched);
    if (std::chrono::steady_clock::now() - looked < rest / 2) CHECK(early == "111 whole");
    Scrub::wait([&] { return map_of(store, watched) == "101 damaged"; });
}

TEST_CASE("a damaged volume is not taken back while it is copied, and is afterwards") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"busy"};
    store.put_all(body);
    REQUIRE(store.catalog().damage({body.id(), 0}, 0b001) == 0b001);
    REQUIRE(
        store.catalog().begin_copy(body.ticket(), decode_descriptor(body.descriptor(0)).value()));
    CHECK(why(store.catalog().to_take_back({body.id(), 0})) == "conflict");
    store.catalog().abandon({body.id(), 0, 0});
    CHECK(why(store.catalog().to_take_back({body.id(), 0})) == "value");
}

TEST_CASE("a damaged volume is copied again: what is lost, with the roots of its descriptor") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"copied again"};
    store.put_all(body);
    REQUIRE(store.catalog().damage({body.id(), 0}, 0b101) == 0b101);
    REQUIRE(store.catalog().damage({body.id(), 0}, 0b101) == 0);
    const auto target =
        store.catalog().begin_copy(body.ticket(), decode_descriptor(body.descriptor(0)).value());
    REQUIRE(target);
    CHECK(target->missing == 0b101);
    CHECK(target->have == 0b010);
    for (const std::uint32_t piece : {0U, 2U}) store.catalog().abandon({body.id(), 0, piece});
    // A sender that still sends it may, but nothing else.
    CHECK(store.put(body, 0, 0, body.piece(0, 1)) == "tampered");
    CHECK(store.put(body, 0, 0) == "value");
    CHECK(store.put(body, 0, 2) == "value");
    store.wait_durable(body, 0, 0);
    store.wait_durable(body, 0, 2);
    CHECK(map_of(store, body) == "111 whole");
    CHECK(store.catalog().stored(body.ticket()).value() == body.content());
    store.restart();
    CHECK(map_of(store, body) == "111 whole");
    CHECK(store.catalog().complete(body.id()));
    CHECK(store.read(body, 0, 0) == "right");
}

TEST_CASE("pieces that are good again, since a disk came back, are taken back") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"taken back"};
    store.put_all(body);
    store.stop();
    const fs::path file = volume_file(folder, body);
    fs::rename(file, folder.path() / "away");
    store.restart();
    REQUIRE(map_of(store, body) == "000 damaged");
    fs::rename(folder.path() / "away", file);
    flip(file, 10);
    {
        Scrub scrub{store, folder};
        Scrub::wait([&] { return scrub.changed > 0; });
        CHECK(map_of(store, body) == "011 damaged");
        CHECK(store.read(body, 0, 2) == "right");
        flip(file, 10);
        scrub.now();
        Scrub::wait([&] { return map_of(store, body) == "111 whole"; });
    }
    store.restart();
    CHECK(map_of(store, body) == "111 whole");
}

TEST_CASE("a damaged record of a volume is dropped, and so is a transfer with wrong records") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"record", 70}, other{"other"};
    store.put_all(body);
    store.put_all(other);
    store.stop();
    {
        relay::adapters::Db db{folder.path() / "pieces" / "index.db"};
        db.tx([&] {
            db.exec("UPDATE volume SET descriptor = replace(descriptor, '0', '1') WHERE n = 1");
        });
    }
    store.restart();
    Scrub scrub{store, folder};
    scrub.now();
    Scrub::wait([&] { return scrub.damaged == 1; });
    CHECK(map_of(store, body, 0) == std::string(64, '1') + " whole");
    CHECK(map_of(store, body, 1) == "000000");
    CHECK(why(store.catalog().descriptor(body.ticket(), 1)) == "not_found");
    store.catalog().drop_volumes(other.id());
    CHECK(map_of(store, other) == "000");
    store.put_all(other);
    CHECK(store.catalog().complete(other.id()));
}

TEST_CASE("what was read longest ago is read first, and the time of it survives a restart") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body old{"old"}, young{"young"};
    store.put_all(old);
    store.put_all(young);
    const auto next = [&](std::int64_t until, std::int64_t now) -> std::string {
        const auto found = store.catalog().next_to_scrub(until, now);
        return !found ? "none" : found->first == old.id() ? "old" : "young";
    };
    CHECK(next(900, 1'000) == "none"); // both count as read at 1,000
    store.catalog().scrubbed({young.id(), 0}, 5'000);
    store.restart();
    CHECK(next(1'000, 6'000) == "none");
    CHECK(next(1'001, 6'000) == "old");
    CHECK(store.catalog().health().oldest_scrub == 1'000);
    store.catalog().scrubbed({old.id(), 0}, 7'000);
    CHECK(next(6'000, 8'000) == "young");
    CHECK(store.catalog().health().oldest_scrub == 5'000);
    store.catalog().scrub_soon(old.id()); // wanted again, and still known when it was read
    store.restart();
    CHECK(next(0, 8'000) == "old");
    CHECK(store.catalog().health().oldest_scrub == 5'000);
    store.catalog().scrubbed({old.id(), 0}, 8'000);
    CHECK(next(0, 8'000) == "none");
    CHECK(next(0, -200'000) != "none"); // a clock that went back: reading costs little
}

} // namespace plankurier::test::pieces_health_test
