#include <clients/cli/upload_plan.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::upload_plan_test {

using namespace plankurier::cli;

namespace {

/// `pieces` of 256 KiB, 64 a volume.
BodyLayout body_of(std::uint64_t pieces) {
    return BodyLayout::from_body_len(pieces * segment_plain_bytes).value();
}

/// A map with these pieces of one volume durable.
VolumeMap durable(std::uint32_t volume, std::uint32_t first, std::uint32_t end,
                  bool descriptor = false) {
    VolumeMap map{volume, Bytes(8), descriptor};
    for (auto piece = first; piece < end; ++piece) {
        map.durable[piece / 8] |= std::byte{0x80} >> (piece % 8);
    }
    return map;
}

std::vector<UploadPlan::Task> take_all(UploadPlan& plan) {
    std::vector<UploadPlan::Task> tasks;
    while (auto task = plan.take()) tasks.push_back(*task);
    return tasks;
}

void know_all(UploadPlan& plan, const BodyLayout& layout) {
    for (std::uint64_t piece = 0; piece < layout.pieces(); ++piece) plan.know_root(piece);
}

} // namespace

TEST_CASE("relays stand in a ring that begins where the transfer says") {
    std::vector<RelayAddress> relays;
    for (const auto* id : {"c0", "a0", "b0"}) {
        relays.push_back({*RelayId::from_hex(id + std::string(30, '0')), id});
    }
    TransferId transfer;
    transfer.bytes[0] = std::byte{4}; // 4 % 3
    sort_relays(relays, transfer);
    CHECK(relays[0].url == "b0");
    CHECK(relays[1].url == "c0");
    CHECK(relays[2].url == "a0");
}

TEST_CASE("volumes enter at the relays in turn, their pieces in sequence and once") {
    UploadPlan plan{body_of(160), 2};
    const auto tasks = take_all(plan);
    REQUIRE(tasks.size() == 160);
    for (std::uint64_t piece = 0; piece < tasks.size(); ++piece) {
        CHECK(tasks[piece].piece == piece);
        CHECK(tasks[piece].relay == (piece / 64) % 2);
    }
    CHECK_FALSE(plan.has_task());
}

TEST_CASE("a piece that did not arrive is the next one to be sent") {
    UploadPlan plan{body_of(64), 1};
    const auto first = plan.take();
    const auto second = plan.take();
    plan.received(*second);
    plan.give_back(*first);
    CHECK(plan.take()->piece == 0);
    CHECK(plan.take()->piece == 2);
}

TEST_CASE("a volume is ready for its descriptor when it is durable at its entry relay") {
    const auto layout = body_of(160);
    UploadPlan plan{layout, 2};
    for (const auto& task : take_all(plan)) plan.received(task);
    CHECK(plan.to_ask() == std::vector<std::size_t>{0, 1});
    REQUIRE(plan.take_map(0, {durable(0, 0, 64), durable(2, 0, 31)}));
    REQUIRE(plan.take_map(1, {durable(2, 0, 32)})); // not its entry
    CHECK(plan.ready() == std::vector<std::uint32_t>{0});
    plan.described(0, 0);
    CHECK(plan.ready().empty());
    CHECK_FALSE(plan.complete());
    REQUIRE(plan.take_map(0, {durable(0, 0, 64, true), durable(2, 0, 32, true)}));
    CHECK(plan.to_ask() == std::vector<std::size_t>{1});
    REQUIRE(plan.take_map(1, {durable(1, 0, 64, true)}));
    CHECK(plan.complete());
    CHECK(plan.durable_pieces() == 160);
}

TEST_CASE("what a lost relay has not described goes whole to the next one") {
    UploadPlan plan{body_of(192), 3};
    for (const auto& task : take_all(plan)) plan.received(task);
    REQUIRE(plan.take_map(1, {durable(1, 0, 40)}));
    REQUIRE(plan.lose(1));
    const auto again = take_all(plan);
    REQUIRE(again.size() == 64);
    CHECK(again.front().piece == 64);
    CHECK(again.front().relay == 2);
    CHECK_FALSE(plan.alive(1));
}

TEST_CASE("what a lost relay has described stays where it is") {
    UploadPlan plan{body_of(192), 3};
    for (const auto& task : take_all(plan)) plan.received(task);
    REQUIRE(plan.take_map(1, {durable(1, 0, 64, true)}));
    REQUIRE(plan.lose(1));
    CHECK_FALSE(plan.has_task());
    SECTION("until it is known that nobody copied it") {
        plan.forget_lost();
        CHECK(take_all(plan).size() == 64);
    }
    SECTION("also when another relay has copied it") {
        REQUIRE(plan.take_map(0, {durable(1, 0, 64, true)}));
        plan.forget_lost();
        CHECK_FALSE(plan.has_task());
    }
}

TEST_CASE("a piece on its way to a relay that is lost meanwhile is sent anew") {
    UploadPlan plan{body_of(64), 2};
    const auto task = plan.take();
    REQUIRE(task->relay == 0);
    REQUIRE(plan.lose(0));
    CHECK(plan.take()->piece == 1); // 0 is still on its way
    plan.received(*task);
    const auto again = plan.take();
    CHECK(again->piece == 0);
    CHECK(again->relay == 1);
}

TEST_CASE("the last relay cannot be lost, and all can come back") {
    UploadPlan plan{body_of(64), 2};
    REQUIRE(plan.lose(0));
    CHECK_FALSE(plan.lose(1));
    CHECK(plan.alive(1));
    plan.revive();
    CHECK(plan.alive(0));
}

TEST_CASE("who refuses descriptors is lost, and nobody who has only taken over from it") {
    const auto layout = body_of(192);
    UploadPlan plan{layout, 3};
    know_all(plan, layout);
    // Two volumes at the first: the second one goes to another relay with the first's loss.
    REQUIRE(plan.take_map(0, {durable(0, 0, 64), durable(1, 0, 64)}));
    plan.choose_entries();
    REQUIRE(plan.entry(1) == 0);
    REQUIRE(plan.take_map(1, {durable(1, 0, 64)}));
    REQUIRE(plan.ready() == std::vector<std::uint32_t>{0, 1});
    CHECK(plan.lose_refusing() == std::vector<std::size_t>{0});
    CHECK_FALSE(plan.alive(0));
    CHECK(plan.alive(1));
    CHECK(plan.alive(2));
    CHECK(plan.entry(1) == 1);
    plan.described(1, 1);
    CHECK(plan.lose_refusing().empty());
}

TEST_CASE("when nobody signs, everything goes to one relay after the other, each once") {
    const auto layout = body_of(192);
    UploadPlan plan{layout, 3};
    know_all(plan, layout);
    // The first says that it has all, which it does not sign for; the third has copied less.
    const auto all =
        std::vector{durable(0, 0, 64, true), durable(1, 0, 64, true), durable(2, 0, 64, true)};
    REQUIRE(plan.take_map(0, all));
    REQUIRE(plan.take_map(1, {durable(0, 0, 64, true), durable(1, 0, 64, true)}));
    REQUIRE(plan.take_map(2, {durable(2, 0, 10)}));
    REQUIRE(plan.complete());
    CHECK(plan.gather() == 1U);
    CHECK_FALSE(plan.complete());
    CHECK(plan.ready() == std::vector<std::uint32_t>{0, 1}); // described once more, not sent
    const auto tasks = take_all(plan);
    REQUIRE(tasks.size() == 64);
    CHECK(tasks.front().piece == 128);
    CHECK(tasks.front().relay == 1);
    // Its word does not count, its answers do.
    REQUIRE(plan.take_map(1, all));
    CHECK_FALSE(plan.complete());
    for (const std::uint32_t volume : {0U, 1U, 2U}) plan.described(volume, 1);
    REQUIRE(plan.take_map(1, all));
    CHECK(plan.complete());
    plan.choose_entries();
    CHECK(plan.entry(0) == 1);
    SECTION("until all have had their turn") {
        CHECK(plan.gather() == 2U);
        CHECK_FALSE(plan.complete());
        CHECK(plan.gather() == 0U);
        CHECK_FALSE(plan.gather());
    }
    SECTION("or the one that was chosen is lost, and the others' words count again") {
        REQUIRE(plan.lose(1));
        CHECK(plan.complete());
        REQUIRE(plan.lose(2));
        CHECK(plan.gather() == 0U);
        CHECK_FALSE(plan.gather());
    }
}

TEST_CASE("after a restart a volume goes on at the relay that holds most of it") {
    const auto layout = body_of(192);
    UploadPlan plan{layout, 3};
    know_all(plan, layout);
    REQUIRE(plan.take_map(0, {durable(0, 0, 10), durable(1, 0, 3)}));
    REQUIRE(plan.take_map(2, {durable(1, 0, 60), durable(0, 0, 10)}));
    plan.choose_entries();
    CHECK(plan.entry(0) == 0); // its own, since no other has more
    CHECK(plan.entry(1) == 2);
    CHECK(plan.entry(2) == 2);
    CHECK(take_all(plan).size() == 54 + 4 + 64);
}

TEST_CASE("a volume that any relay has described is sent to nobody") {
    const auto layout = body_of(128);
    UploadPlan plan{layout, 2};
    know_all(plan, layout);
    REQUIRE(plan.take_map(1, {durable(0, 0, 64, true)}));
    plan.choose_entries();
    const auto tasks = take_all(plan);
    REQUIRE(tasks.size() == 64);
    CHECK(tasks.front().piece == 64);
    CHECK(plan.arrived_pieces() == 64);
}

TEST_CASE("a durable piece whose root was never noted is sealed once more") {
    const auto layout = body_of(64);
    UploadPlan plan{layout, 1};
    for (std::uint64_t piece = 1; piece < 64; ++piece) plan.know_root(piece);
    REQUIRE(plan.take_map(0, {durable(0, 0, 64)}));
    CHECK(plan.ready().empty());
    const auto tasks = take_all(plan);
    REQUIRE(tasks.size() == 1);
    plan.received(tasks.front());
    CHECK(plan.ready() == std::vector<std::uint32_t>{0});
}

TEST_CASE("what was received and forgotten is sent again, what is durable is not") {
    UploadPlan plan{body_of(64), 1};
    for (const auto& task : take_all(plan)) plan.received(task);
    REQUIRE(plan.take_map(0, {durable(0, 0, 60)}));
    CHECK_FALSE(plan.has_task());
    plan.forget_received();
    CHECK(take_all(plan).size() == 4);
    plan.nothing_flies();
    CHECK(take_all(plan).size() == 4);
}

TEST_CASE("a map with a volume that the body does not have is malformed") {
    UploadPlan plan{body_of(64), 1};
    CHECK(plan.take_map(0, {durable(1, 0, 1)}).error().code == Errc::malformed);
}

} // namespace plankurier::test::upload_plan_test
