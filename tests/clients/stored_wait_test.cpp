#include <clients/cli/stored_wait.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::stored_wait_test {

using namespace plankurier::cli;
using std::chrono::milliseconds;

namespace {

/// Relays and a service that answer as told.
struct World {
    std::vector<std::function<Result<std::string>()>> relays;
    std::function<Result<Finished>(std::size_t receipts)> service = [](std::size_t) {
        return Result<Finished>{Finished{"available", "N-1", 1}};
    };
    bool must_send_again{};
    std::function<bool()> gather{}; ///< none: it is not asked
    std::function<std::optional<std::uint64_t>()> progress = [] { return std::uint64_t{7}; };
    unsigned asked{}, finished{}, told{}, reviewed{};
    StoredTimes times;

    Result<std::optional<Stored>> wait(std::size_t stored_min) {
        StoredCalls calls;
        calls.ask = [this](std::size_t relay) {
            ++asked;
            return relays[relay]();
        };
        calls.finish = [this](const std::vector<std::string>& receipts) {
            ++finished;
            return service(receipts.size());
        };
        calls.waiting = [this](std::size_t, std::size_t) { ++told; };
        calls.send_again = [this] {
            ++reviewed;
            return must_send_again;
        };
        calls.gather = gather;
        calls.progress = [this] { return progress(); };
        return finish_when_stored(relays.size(), stored_min, calls, times);
    }
};

Result<std::string> signed_receipt() { return "receipt"; }
Result<std::string> copying() { return fail(Errc::conflict, "copies"); }
Result<std::string> silent() { return fail(Errc::network, "gone"); }

} // namespace

TEST_CASE("with one relay that has everything nothing is asked twice") {
    World world;
    world.relays = {signed_receipt};
    const auto stored = world.wait(1);
    REQUIRE(stored);
    CHECK((*stored)->finished.receipt_number == "N-1");
    CHECK((*stored)->copies == 1);
    CHECK(world.asked == 1);
    CHECK(world.finished == 1);
    CHECK(world.told == 0);
}

TEST_CASE("it finishes once as many relays as needed have signed") {
    World world;
    unsigned looks = 0;
    world.relays = {copying, signed_receipt,
                    [&] { return ++looks < 5 ? copying() : signed_receipt(); }};
    world.service = [](std::size_t receipts) -> Result<Finished> {
        CHECK(receipts == 2);
        return Finished{"available", "N-1", 1};
    };
    const auto stored = world.wait(2);
    REQUIRE(stored);
    CHECK((*stored)->copies == 2);
    CHECK(looks == 5);
    CHECK(world.finished == 1);
}

TEST_CASE("more copies than there are relays are not waited for") {
    World world;
    world.relays = {signed_receipt};
    REQUIRE(world.wait(2));
}

TEST_CASE("while the service waits for copies, receipts are collected on") {
    World world;
    world.times.finish_early = milliseconds{5};
    world.times.finish_every = milliseconds{20};
    world.times.told = milliseconds{1};
    unsigned looks = 0;
    world.relays = {signed_receipt, [&] {
                        return world.finished < 2 || ++looks < 3 ? copying() : signed_receipt();
                    }};
    world.service = [](std::size_t receipts) -> Result<Finished> {
        if (receipts < 2) return fail(Errc::unavailable, "copies");
        return Finished{"available", "N-1", 1};
    };
    const auto stored = world.wait(2);
    REQUIRE(stored);
    CHECK((*stored)->copies == 2);
    CHECK(world.finished >= 3);
    CHECK(world.told == 1);
}

TEST_CASE("the service may know of copies that the sender cannot see") {
    World world;
    world.times.finish_early = milliseconds{5};
    world.relays = {signed_receipt, silent};
    const auto stored = world.wait(2);
    REQUIRE(stored);
    CHECK((*stored)->copies == 1);
}

TEST_CASE("when nobody answers it ends, and can be resumed") {
    World world;
    world.times.nobody = milliseconds{0};
    world.relays = {silent, silent};
    const auto stored = world.wait(1);
    REQUIRE_FALSE(stored);
    CHECK(stored.error().code == Errc::network);
    CHECK(world.finished == 0);
}

TEST_CASE("a relay that keeps silent does not slow down the asking of the others") {
    World world;
    unsigned silences = 0, looks = 0;
    world.relays = {[&] {
                        ++silences;
                        return silent();
                    },
                    [&] { return ++looks < 8 ? copying() : signed_receipt(); }, signed_receipt};
    world.times.silent_pause = std::chrono::hours{1};
    const auto stored = world.wait(2);
    REQUIRE(stored);
    CHECK((*stored)->copies == 2);
    CHECK(silences == 1);
    CHECK(looks == 8);
}

TEST_CASE("copies that never come end the waiting") {
    World world;
    world.times.all = milliseconds{30};
    world.times.finish_early = milliseconds{1};
    world.times.nobody = milliseconds{0};
    world.relays = {signed_receipt, copying};
    world.service = [](std::size_t) -> Result<Finished> { return fail(Errc::unavailable, "one"); };
    const auto stored = world.wait(2);
    REQUIRE_FALSE(stored);
    CHECK(stored.error().code == Errc::unavailable);
}

TEST_CASE("what was withdrawn meanwhile is not waited for") {
    World world;
    world.relays = {signed_receipt};
    world.service = [](std::size_t) -> Result<Finished> { return fail(Errc::revoked, "gone"); };
    CHECK(world.wait(1).error().code == Errc::revoked);
    world.relays = {[]() -> Result<std::string> { return fail(Errc::purged, "gone"); }};
    CHECK(world.wait(1).error().code == Errc::purged);
}

TEST_CASE("a relay that stays silent lets the upload look again at what is missing") {
    World world;
    world.times.unreachable = milliseconds{10};
    world.times.finish_early = milliseconds{10'000};
    world.relays = {silent, copying};
    world.must_send_again = true;
    const auto stored = world.wait(2);
    REQUIRE(stored);
    CHECK_FALSE(*stored);
    CHECK(world.reviewed == 1);
}

TEST_CASE("when nobody signs and nothing moves, it is sent elsewhere, or ends") {
    World world;
    world.times.look = milliseconds{1};
    world.times.stalled = milliseconds{30};
    world.relays = {copying, copying};
    unsigned gathered = 0;
    world.gather = [&] { return ++gathered < 3; };
    for (const unsigned turn : {1U, 2U}) {
        const auto stored = world.wait(2);
        REQUIRE(stored);
        CHECK_FALSE(*stored);
        CHECK(gathered == turn);
    }
    const auto end = world.wait(2);
    REQUIRE_FALSE(end);
    CHECK(end.error().code == Errc::unavailable);
    CHECK(world.finished == 0);
}

TEST_CASE("relays that copy, that are away, or of which one has signed, are not stalled") {
    World world;
    world.times.look = milliseconds{1};
    world.times.stalled = milliseconds{20};
    world.times.all = milliseconds{200};
    world.times.nobody = milliseconds{200};
    world.times.finish_early = milliseconds{1'000};
    world.relays = {copying, copying};
    world.gather = [] {
        FAIL("not now");
        return false;
    };
    std::uint64_t pieces = 0;
    SECTION("pieces come") {
        world.progress = [&] { return ++pieces; };
    }
    SECTION("nobody says what it has") {
        world.progress = [] { return std::nullopt; };
    }
    SECTION("the service waits for the second copy") { world.relays = {signed_receipt, copying}; }
    CHECK(world.wait(2).error().code == Errc::unavailable);
}

TEST_CASE("a receipt counts for the relay, the transfer and the content that it was asked for") {
    const StoredReceipt good{RelayId{}, TransferId::random(), sha256(as_bytes("all")), 262'112, 5};
    const auto seed = SigningSeed::random();
    const auto judged = [&](const StoredReceipt& said) {
        const auto judgement = receipt_for(to_base64url(sign_stored(said, seed)), good);
        return judgement ? Errc{} : judgement.error().code;
    };
    auto other = good;
    other.time = 99;
    CHECK(receipt_for(to_base64url(sign_stored(other, seed)), good).has_value());
    other.transfer = TransferId::random();
    CHECK(judged(other) == Errc::tampered);
    other = good;
    other.relay.bytes[0] = std::byte{1};
    CHECK(judged(other) == Errc::tampered);
    other = good;
    other.content_root = {};
    CHECK(judged(other) == Errc::tampered);
    other = good;
    other.body_len += 1;
    CHECK(judged(other) == Errc::tampered);
    for (const char* odd : {"", "receipt", "UEtTMQ", "=="}) {
        CHECK(receipt_for(odd, good).error().code == Errc::malformed);
    }
}

} // namespace plankurier::test::stored_wait_test
