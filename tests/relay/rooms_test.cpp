// What becomes of relays that are full while others are not, and who hears of it.
#include "relay/space_watch.hpp"

#include "tests/support/api.hpp"
#include "tests/support/pieces.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace plankurier::test::rooms_test {

namespace {

const std::uint64_t one_transfer = Sending{}.layout.sealed_bytes();

/// Three relays, and nothing that must stay free.
struct Site {
    explicit Site(std::size_t relays = 3) : world(folder.path(), {.relays = relays}) {
        world.policy.limits.free_bytes_min = 0;
        world.policy.limits.free_percent_min = 0;
        world.restart();
    }
    /// Relay `number` says that it has room for so many transfers, of a hundred in all.
    relay::SyncAnswer say_free(std::size_t number, std::uint64_t transfers) {
        auto news = world.news();
        news.space = {transfers * one_transfer, 100 * one_transfer};
        return world.sync(number, news);
    }
    /// Whom a sender is told to send to.
    std::size_t offered(const Sending& sending, std::size_t number) {
        const auto ticket = world.relay().put_ticket(sending.id, sending.manage).value();
        return static_cast<std::size_t>(
            std::ranges::count(ticket.relays, known_relay(number).id, &relay::KnownRelay::id));
    }
    /// Available, stored by the relays 0 and 1 only.
    Sending sent_to_two() {
        auto sending = world.uploading();
        const std::vector<Bytes> receipts{sending.signed_receipt(0), sending.signed_receipt(1)};
        REQUIRE(world.relay().finish(sending.id, sending.manage, receipts, sending.content()));
        return sending;
    }
    relay::RelayRoom room(std::size_t number) {
        for (auto& room : world.relay().rooms()) {
            if (room.relay == known_relay(number).id) return std::move(room);
        }
        FAIL("no such relay");
        return {};
    }

    TempFolder folder;
    Control world;
};

} // namespace

TEST_CASE("a relay without room gets nothing new while two others have some") {
    Site site;
    const auto sending = site.world.uploading();
    for (std::size_t i = 0; i < 3; ++i) {
        site.say_free(i, 50);
        CHECK(site.offered(sending, i) == 1);
    }
    CHECK(site.say_free(2, 0).is_full);
    CHECK(site.offered(sending, 2) == 0);
    CHECK(site.offered(sending, 0) == 1);
    CHECK(site.offered(sending, 1) == 1);
    site.say_free(1, 0); // now two of three: there is no choice
    for (std::size_t i = 0; i < 3; ++i) CHECK(site.offered(sending, i) == 1);
    CHECK_FALSE(site.say_free(2, 50).is_full);
}

TEST_CASE("copies that are missing are asked for as far as there is room for them") {
    Site site;
    site.sent_to_two();
    site.sent_to_two();
    CHECK(site.say_free(2, 2).copies.size() == 2);
    const auto some = site.say_free(2, 1);
    REQUIRE(some.copies.size() == 1);
    CHECK_FALSE(some.is_full);
    CHECK(site.room(2).promised_bytes == one_transfer);
    CHECK(site.room(2).left_bytes == 0);
    CHECK(site.room(2).too_large.size() == 1);
    CHECK(site.say_free(2, 1).copies.front().transfer == some.copies.front().transfer);
    CHECK(site.say_free(2, 0).copies.empty());
    CHECK(site.world.sync(2).copies.empty()); // what it last said holds
}

TEST_CASE("uploads keep the room of a relay, copies that are missing do not take it") {
    Site site;
    site.sent_to_two();
    const auto upload = site.world.uploading();
    const auto answer = site.say_free(2, 1);
    REQUIRE(answer.copies.size() == 1);
    CHECK(answer.copies.front().transfer == upload.id);
    CHECK(site.room(2).promised_bytes == one_transfer);
    // What the relay has signed for lies on its disk and is not to come any more.
    auto news = site.world.news();
    news.stored = {upload.receipt(2)};
    news.space = {one_transfer, 100 * one_transfer};
    CHECK(site.world.sync(2, news).copies.size() == 1);
}

TEST_CASE("promised room is counted beyond four gigabytes") {
    Site site{1};
    const auto layout = BodyLayout::for_content(std::uint64_t{5} << 30).value();
    Sending sending;
    auto request = sending.request();
    request.body_len = layout.body_len();
    auto news = site.world.news();
    news.space = {layout.sealed_bytes() - 1, std::uint64_t{1} << 40};
    site.world.sync(0, news);
    const auto session = site.world.verified_session();
    CHECK(why(site.world.relay().create_transfer(session, request)) == "no_space");
    ++news.space->free_bytes;
    site.world.sync(0, news);
    CHECK(why(site.world.relay().create_transfer(session, request)) == "value");
    CHECK(site.room(0).promised_bytes == layout.sealed_bytes());
}

TEST_CASE("a relay's sync says whether it is full; numbers that no disk has are refused") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto sync = [&](const nlohmann::json& free, const nlohmann::json& total) {
        const nlohmann::json news{{"time", api.world.clock.now()},
                                  {"after", 0},
                                  {"holds", nlohmann::json::array()},
                                  {"gone", nlohmann::json::array()},
                                  {"free_bytes", free},
                                  {"total_bytes", total}};
        return api.call(
            "POST", "/v1/relay/sync", {},
            statement_body("plankurier/1 sync", news, relay_seed(0), known_relay(0).id));
    };
    const auto full = [&](std::uint64_t free) {
        return nlohmann::json::parse(sync(free, std::uint64_t{1} << 40).body).at("full");
    };
    CHECK(full(std::uint64_t{1} << 30) == true);
    CHECK(full(std::uint64_t{1} << 39) == false);
    CHECK(sync(-1, 10).status == 400);
    CHECK(sync(1, "10").status == 400);
    CHECK(sync(1.5, 10).status == 400);
    CHECK(sync(1, std::uint64_t{1} << 61).status == 400);
}

TEST_CASE("what an unfinished transfer has taken of the disk counts as free") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"half", 66};
    // Other programs use the disk too: two looks that agree, and one of ours in between.
    const auto taken = [&] {
        for (int i = 0; i < 10'000; ++i) {
            const auto before = std::filesystem::space(folder.path()).available;
            const auto told = store.catalog().space().value().available;
            if (std::filesystem::space(folder.path()).available == before) return told - before;
        }
        FAIL("the disk does not rest");
        return std::uintmax_t{};
    };
    CHECK(taken() == 0);
    CHECK(store.put(body, 0, 0) == "value");
    store.wait_durable(body, 0, 0);
    CHECK(taken() == 64 * segment_bytes); // the volume's file is there in full
    store.restart();
    CHECK(taken() == 64 * segment_bytes);
    store.put_all(body);
    CHECK(taken() == 0);
}

TEST_CASE("administrators hear once that a relay is full, and once that it has room again") {
    Site site{2};
    relay::SpaceWatch watch;
    CHECK(watch.news(site.world.relay().rooms()).empty());
    CHECK(relay::space_status(site.world.relay().rooms()) == "relays_full 0\n");
    site.say_free(0, 7);
    CHECK(watch.news(site.world.relay().rooms()).empty());
    site.world.uploading();
    site.say_free(1, 0);
    const auto lines = watch.news(site.world.relay().rooms());
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("relay " + known_relay(1).id.hex() + " takes nothing new: 0.0 GiB"));
    CHECK(lines[0].find("limits.free_gib_min") != std::string::npos);
    CHECK(watch.news(site.world.relay().rooms()).empty());
    CHECK(relay::space_status(site.world.relay().rooms()) ==
          "relays_full 1\nspace_free_bytes 0\nspace_promised_bytes " +
              std::to_string(one_transfer) + "\n");
    site.say_free(1, 9);
    CHECK(watch.news(site.world.relay().rooms()).size() == 1);
    CHECK(watch.news(site.world.relay().rooms()).empty());
}

TEST_CASE("check-config warns of a disk on which nothing could ever begin") {
    const TempFolder folder;
    relay::Config config;
    config.data_dir = folder.path() / "data"; // not made yet
    config.policy.limits.free_bytes_min = 0;
    config.policy.limits.free_percent_min = 0;
    CHECK_FALSE(relay::space_warning(config));
    config.policy.limits.free_percent_min = 100;
    const auto warning = relay::space_warning(config);
    REQUIRE(warning);
    CHECK(warning->find("every new transfer is refused as no_space") != std::string::npos);
    config.control_url = "https://amt.example"; // there other limits count
    CHECK_FALSE(relay::space_warning(config));
}

} // namespace plankurier::test::rooms_test
