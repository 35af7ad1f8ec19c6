// The signed record of a transfer tells what happened, in order, and goes with the transfer.
#include "tests/support/api.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::history_test {

namespace {

using Events = std::vector<std::pair<HistoryEvent, std::uint64_t>>;

Events events_of(const Bytes& history, const TransferId& transfer) {
    const auto checked = check_history(history, signing_public_key(control_seed()));
    REQUIRE(checked);
    CHECK(checked->transfer == transfer);
    Events out;
    for (const HistoryEntry& entry : checked->entries) out.emplace_back(entry.event, entry.detail);
    return out;
}
Events events(Control& world, const Sending& sending) {
    return events_of(world.relay().history(sending.id, sending.manage).value(), sending.id);
}

const Events when_available{
    {HistoryEvent::accepted, 0}, {HistoryEvent::stored, 2}, {HistoryEvent::available, 0}};

} // namespace

TEST_CASE("a transfer's history tells its steps with their times, signed by the control plane") {
    const TempFolder folder;
    Control world{folder.path(), {3}};
    const auto sending = world.uploading();
    CHECK(events(world, sending) == Events{{HistoryEvent::accepted, 0}});
    world.clock.pass(60);
    REQUIRE(world.relay().finish(sending.id, sending.manage,
                                 {sending.signed_receipt(0), sending.signed_receipt(1)},
                                 sending.content()));
    CHECK(events(world, sending) == when_available);
    world.clock.pass(60);
    Events expected = when_available;
    SECTION("a third copy is told once") {
        auto request = world.news();
        request.stored = {sending.receipt(2)};
        for (int i = 0; i < 3; ++i) world.sync(2, request);
        expected.emplace_back(HistoryEvent::stored, 3);
        CHECK(events(world, sending) == expected);
    }
    SECTION("a fetch is told once, and once more when it is signed") {
        for (int i = 0; i < 3; ++i) {
            REQUIRE(world.relay().fetched(sending.id, sending.fetch(), {}));
        }
        expected.emplace_back(HistoryEvent::fetched, 0);
        CHECK(events(world, sending) == expected);
        const Bytes signed_report = sign_fetched(world.fetched_report(sending), department_seed());
        for (int i = 0; i < 3; ++i) {
            REQUIRE(world.relay().fetched(sending.id, sending.fetch(), signed_report));
        }
        expected.emplace_back(HistoryEvent::fetched, 1);
        CHECK(events(world, sending) == expected);
    }
    SECTION("who revokes gets the history that ends with it") {
        const auto last = world.relay().revoke(sending.id, sending.manage);
        expected.emplace_back(HistoryEvent::revoked, 0);
        CHECK(events_of(last.value(), sending.id) == expected);
        CHECK(world.relay().revoke(sending.id, sending.manage).value().empty());
        CHECK(why(world.relay().history(sending.id, sending.manage)) == "purged");
    }
    const auto checked = [&] {
        const auto history = world.relay().history(sending.id, sending.manage);
        return history ? check_history(*history, signing_public_key(control_seed())).value()
                       : History{};
    }();
    if (!checked.entries.empty()) {
        CHECK(checked.entries[1].time - checked.entries[0].time == 60);
    }
}

TEST_CASE("only the sender sees the history, and it outlives a restart but not the transfer") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    const auto sending = world.available();
    const Headers sender{{"plankurier-transfer", sending.id.hex()},
                         {"plankurier-manage", to_base64url(sending.manage.reveal())}};
    const auto answer = api.good(200, "GET", "/v1/transfers/history", sender);
    CHECK(members(answer) == std::set<std::string>{"history"});
    const auto history = from_base64url(answer.at("history").get<std::string>()).value();
    CHECK(events_of(history, sending.id).size() == 3);
    CHECK(why(world.relay().history(sending.id, ManageToken::random())) == "not_found");
    // Sealed at rest, so that what the database frees says nothing either.
    const std::string clear = to_hex(history).substr(0, 200);
    const std::string sealed =
        to_hex(world.store().transfer(sending.id)->sealed_history).substr(0, 200);
    CHECK(files_with(folder.path(), clear).empty());
    CHECK_FALSE(files_with(folder.path(), sealed).empty());
    world.clock.pass(14 * day_s);
    world.relay().tick();
    CHECK(files_with(folder.path(), clear).empty());
    CHECK(files_with(folder.path(), sealed).empty());
}

TEST_CASE("a history that was changed at rest is never signed again") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    auto row = world.store().transfer(sending.id).value();
    row.sealed_history[60] ^= std::byte{1};
    world.store().transaction([&] { world.store().put(row); });
    REQUIRE(world.relay().fetched(sending.id, sending.fetch(), {}));
    CHECK(world.store().transfer(sending.id)->sealed_history == row.sealed_history);
    CHECK_FALSE(check_history(world.relay().history(sending.id, sending.manage).value(),
                              signing_public_key(control_seed())));
    world.clock.pass(14 * day_s);
    world.relay().tick();
    CHECK_FALSE(world.store().transfer(sending.id));
}

TEST_CASE("a history from before they were sealed goes on, sealed") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.available();
    auto row = world.store().transfer(sending.id).value();
    row.sealed_history = world.relay().history(sending.id, sending.manage).value();
    const std::string clear = to_hex(row.sealed_history).substr(0, 200);
    world.store().transaction([&] { world.store().put(row); });
    CHECK(events(world, sending) == when_available);
    REQUIRE(world.relay().fetched(sending.id, sending.fetch(), {}));
    auto expected = when_available;
    expected.emplace_back(HistoryEvent::fetched, 0);
    CHECK(events(world, sending) == expected);
    CHECK(to_hex(world.store().transfer(sending.id)->sealed_history).substr(0, 200) != clear);
}

} // namespace plankurier::test::history_test
