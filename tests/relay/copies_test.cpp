// Several relays: when a transfer is safe enough, who is offered, who has to copy, who has deleted.
#include "tests/support/control.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <set>

namespace plankurier::test::copies_test {

namespace {

std::string finish(Control& world, const Sending& sending, const std::vector<Bytes>& receipts) {
    return why(world.relay().finish(sending.id, sending.manage, receipts, sending.content()));
}
std::set<std::string> ids(const std::vector<relay::KnownRelay>& relays) {
    std::set<std::string> out;
    for (const auto& relay : relays) out.insert(relay.id.hex());
    return out;
}
std::set<std::string> relays(const std::vector<std::size_t>& numbers) {
    std::set<std::string> out;
    for (const std::size_t number : numbers) out.insert(known_relay(number).id.hex());
    return out;
}
std::set<TransferId> wanted(const relay::SyncAnswer& answer) {
    std::set<TransferId> out;
    for (const auto& copy : answer.copies) out.insert(copy.transfer);
    return out;
}
relay::SyncRequest storing(Control& world, const Sending& sending, std::size_t number) {
    auto request = world.news();
    request.stored.push_back(sending.receipt(number));
    return request;
}
relay::SyncRequest deleting(Control& world, const Sending& sending, std::size_t number) {
    auto request = world.news();
    request.gone.push_back({known_relay(number).id, sending.id, world.clock.now()});
    return request;
}

} // namespace

TEST_CASE("receipts count whether they come from the sender or from the relays' syncs") {
    const TempFolder folder;
    Control world{folder.path(), {3}};
    const auto sending = world.uploading();
    CHECK(finish(world, sending, {}) == "bad_signature");
    world.sync(2, storing(world, sending, 2));
    CHECK(finish(world, sending, {}) == "unavailable");
    world.sync(2, storing(world, sending, 2)); // twice is once
    CHECK(finish(world, sending, {sending.signed_receipt(2)}) == "unavailable");
    CHECK(finish(world, sending, {sending.signed_receipt(0)}) == "value");
    const auto other = world.uploading();
    world.sync(0, storing(world, other, 0));
    world.sync(1, storing(world, other, 1));
    CHECK(finish(world, other, {}) == "value");
}

TEST_CASE("a receipt that the sender has shown once need not be shown again") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    CHECK(finish(world, sending, {sending.signed_receipt(0)}) == "unavailable");
    world.restart();
    CHECK(finish(world, sending, {sending.signed_receipt(1)}) == "value");
}

TEST_CASE("a relay cannot sign for another one, for other bytes or for what does not exist") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    world.sync(0, storing(world, sending, 1));
    auto shorter = storing(world, sending, 0);
    shorter.stored.front().body_len -= 1;
    world.sync(0, shorter);
    world.sync(0, storing(world, Sending{}, 0));
    CHECK(finish(world, sending, {}) == "bad_signature");
    CHECK(world.store().copies_of(sending.id).empty());
}

TEST_CASE("where one relay lives, one copy is enough") {
    const TempFolder folder;
    Control world{folder.path(), {3}};
    const auto sending = world.uploading();
    world.clock.pass(31);
    world.sync(1);
    CHECK(world.relay().put_ticket(sending.id, sending.manage)->stored_min == 1);
    CHECK(finish(world, sending, {sending.signed_receipt(1)}) == "value");
    CHECK(world.relay().copy_counts().missing == 1); // but it is not forgotten
}

TEST_CASE("after ten minutes of asking one copy is enough, and not a second earlier") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    const auto sync_all = [&] {
        for (const std::size_t number : {0U, 1U}) world.sync(number);
    };
    world.clock.pass(3'600); // the time before the first call does not count
    sync_all();
    CHECK(finish(world, sending, {}) == "bad_signature"); // nor does a call without a receipt
    world.clock.pass(100);
    sync_all();
    CHECK(finish(world, sending, {sending.signed_receipt(0)}) == "unavailable");
    world.restart();
    world.clock.pass(599);
    sync_all();
    CHECK(finish(world, sending, {sending.signed_receipt(0)}) == "unavailable");
    CHECK(world.relay().copy_counts().missing == 0);
    world.clock.pass(1);
    CHECK(finish(world, sending, {sending.signed_receipt(0)}) == "value");
    CHECK(world.relay().copy_counts().missing == 1);
    CHECK(wanted(world.sync(1)) == std::set{sending.id});
    world.sync(1, storing(world, sending, 1));
    CHECK(world.relay().copy_counts().missing == 0);
}

TEST_CASE("without any copy no waiting helps") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    CHECK(finish(world, sending, {}) == "bad_signature");
    world.clock.pass(601);
    CHECK(finish(world, sending, {}) == "bad_signature");
}

TEST_CASE("a dead relay is not offered to a sender") {
    const TempFolder folder;
    Control world{folder.path(), {3}};
    const auto sending = world.uploading();
    const auto offered = [&] {
        return world.relay().put_ticket(sending.id, sending.manage)->relays;
    };
    CHECK(ids(offered()) == relays({0, 1, 2}));
    CHECK(offered() == world.relay().relays().ring(sending.id));
    world.clock.pass(31);
    world.sync(0);
    world.sync(2);
    CHECK(ids(offered()) == relays({0, 2}));
    world.sync(1);
    CHECK(ids(offered()) == relays({0, 1, 2}));
}

TEST_CASE("a recipient is sent to relays that have everything, and to living ones if there are") {
    const TempFolder folder;
    Control world{folder.path(), {4}};
    const auto sending = world.uploading();
    REQUIRE(finish(world, sending, {sending.signed_receipt(1), sending.signed_receipt(3)}) ==
            "value");
    const auto named = [&] {
        const auto answer = world.relay().get_ticket(sending.id, sending.fetch());
        CHECK(answer->stored_min == 0);
        return ids(answer->relays);
    };
    CHECK(named() == relays({1, 3}));
    world.sync(0, storing(world, sending, 0));
    CHECK(named() == relays({0, 1, 3}));
    world.clock.pass(31);
    CHECK(named() == relays({0, 1, 3})); // it may be that only the syncs fail
    world.sync(3);
    CHECK(named() == relays({3}));
    world.relay().set_relays({known_relay(0), known_relay(2)});
    CHECK(named() == relays({0}));
    world.relay().set_relays({known_relay(2)});
    CHECK(named() == relays({2})); // nobody is known to have it: all may be asked
}

TEST_CASE("a relay hears what it has to copy until it has signed, with leave to read") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    const auto answer = world.sync(1);
    REQUIRE(answer.copies.size() == 1);
    const auto ticket = check_ticket(answer.copies[0].ticket, signing_public_key(control_seed()),
                                     world.clock.now());
    REQUIRE(ticket);
    CHECK(ticket->role == TicketRole::peer);
    CHECK(ticket->transfer == sending.id);
    CHECK(ticket->body_len == sending.layout.body_len());
    CHECK(ticket->expires == world.clock.now() + ticket_seconds_max);
    CHECK(wanted(world.sync(1)) == std::set{sending.id});
    CHECK(wanted(world.sync(1, storing(world, sending, 1))).empty());
    CHECK(wanted(world.sync(0)) == std::set{sending.id});
    world.restart();
    CHECK(wanted(world.sync(1)).empty());
}

TEST_CASE("a relay that has deleted a living transfer counts no more, and copies it again") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.available();
    CHECK(wanted(world.sync(0)).empty());
    const auto answer = world.sync(0, deleting(world, sending, 0));
    CHECK(wanted(answer) == std::set{sending.id});
    CHECK(world.relay().copy_counts().missing == 1);
    CHECK(world.relay().copy_counts().not_gone == 0);
    CHECK(ids(world.relay().get_ticket(sending.id, sending.fetch())->relays) == relays({1}));
}

TEST_CASE("nothing is copied before its envelope is there or after its end") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const Sending early;
    REQUIRE(world.relay().create_transfer(world.verified_session(), early.request()));
    CHECK(world.sync(0).copies.empty());
    REQUIRE(world.relay().put_envelope(early.id, early.manage, early.envelope()));
    CHECK(wanted(world.sync(0)) == std::set{early.id});
    world.clock.pass(day_s);
    CHECK(world.sync(0).copies.empty());
}

TEST_CASE("only as many relays as the policy says are told to copy") {
    const TempFolder folder;
    Control world{folder.path(), {5}};
    std::map<TransferId, std::size_t> told;
    for (int i = 0; i < 12; ++i) told[world.uploading().id] = 0;
    for (std::size_t number = 0; number < 5; ++number) {
        for (const auto& one : wanted(world.sync(number))) ++told[one];
    }
    CHECK(std::ranges::all_of(told, [](const auto& entry) { return entry.second == 3; }));
}

TEST_CASE("a long list of copies comes in parts, and what cannot be copied blocks nothing") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    std::set<TransferId> all;
    for (int i = 0; i < 230; ++i) all.insert(world.uploading().id);
    std::set<TransferId> heard;
    for (const std::size_t count : {100U, 100U, 30U}) {
        const auto part = wanted(world.sync(0));
        CHECK(part.size() == count);
        heard.insert(part.begin(), part.end());
    }
    CHECK(heard == all);
    CHECK(wanted(world.sync(0)).size() == 100); // and again from the beginning
}

TEST_CASE("a purge is confirmed when every registered relay has signed, also the one away") {
    const TempFolder folder;
    Control world{folder.path(), {3}};
    const auto sending = world.available();
    world.clock.pass(14 * day_s);
    world.relay().tick();
    const auto not_gone = [&] { return world.relay().copy_counts().not_gone; };
    CHECK(not_gone() == 1);
    for (const std::size_t number : {0U, 1U, 1U}) {
        world.sync(number, deleting(world, sending, number));
        CHECK(not_gone() == 1);
    }
    world.sync(0, deleting(world, sending, 2)); // nobody signs for another one
    CHECK(not_gone() == 1);
    world.clock.pass(30 * day_s);
    world.restart();
    const auto back = world.sync(2);
    CHECK(back.tombstones == std::vector{sending.id});
    CHECK(not_gone() == 1);
    world.sync(2, deleting(world, sending, 2));
    CHECK(not_gone() == 0);
    world.restart();
    CHECK(not_gone() == 0);
    world.relay().set_relays({known_relay(0), known_relay(7)});
    CHECK(not_gone() == 0); // confirmed for good: a newcomer never had it
}

TEST_CASE("a relay that died between deleting and saying so is told again, until it has signed") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.available();
    REQUIRE(world.relay().revoke(sending.id, sending.manage));
    world.relay().tick();
    const auto told = world.sync(1);
    CHECK(told.tombstones == std::vector{sending.id});
    // It has deleted, noted how far it is, and is killed; later its disk is another one.
    for (const std::int64_t after : {told.sequence, told.sequence, std::int64_t{0}}) {
        auto news = world.news();
        news.after = after;
        CHECK(world.sync(1, news).tombstones == std::vector{sending.id});
    }
    auto signing = deleting(world, sending, 1);
    signing.after = told.sequence;
    CHECK(world.sync(1, signing).tombstones.empty());
    CHECK(world.relay().copy_counts().not_gone == 1);
    world.sync(0, deleting(world, sending, 0));
    CHECK(world.relay().copy_counts().not_gone == 0);
}

TEST_CASE("a relay that was removed for good is not waited for") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.available();
    REQUIRE(world.relay().revoke(sending.id, sending.manage));
    world.sync(0, deleting(world, sending, 0));
    CHECK(world.relay().copy_counts().not_gone == 1);
    world.relay().set_relays({known_relay(0)});
    CHECK(world.relay().copy_counts().not_gone == 0);
    const auto counts = world.relay().copy_counts();
    CHECK(counts.relays_known == 1);
    CHECK(counts.relays_live == 1);
    CHECK(why(world.relay().sync(known_relay(1).id, world.news())) == "not_found");
}

TEST_CASE("a sync that is older or newer than five minutes is refused and changes nothing") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    world.clock.pass(31);
    const auto at = [&](std::int64_t difference) {
        auto request = storing(world, sending, 0);
        request.time += difference;
        return why(world.relay().sync(known_relay(0).id, request));
    };
    CHECK(at(-301) == "expired");
    CHECK(at(301) == "expired");
    CHECK(at(std::numeric_limits<std::int64_t>::min() / 2) == "expired");
    CHECK(world.store().copies_of(sending.id).empty());
    CHECK(world.relay().copy_counts().relays_live == 0);
    CHECK(at(-300) == "value");
    CHECK(at(300) == "value");
    CHECK(world.store().copies_of(sending.id) == std::vector{known_relay(0).id});
    CHECK(world.relay().copy_counts().relays_live == 1);
}

TEST_CASE("no byte of any file tells which relays had a purged transfer") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.available();
    const std::string row = sending.id.hex() + known_relay(1).id.hex();
    CHECK(files_with(folder.path(), row).size() == 1); // the log, before it is emptied
    world.clock.pass(14 * day_s);
    world.relay().tick();
    CHECK(files_with(folder.path(), row) == std::set<std::string>{});
    CHECK(world.store().copies_of(sending.id).empty());
}

TEST_CASE("a statement that comes after the purge brings no row back") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.available();
    REQUIRE(world.relay().revoke(sending.id, sending.manage));
    auto late = storing(world, sending, 0);
    late.holds.push_back(sending.id);
    const auto answer = world.sync(0, late);
    CHECK(answer.leases.empty());
    CHECK(std::ranges::count(answer.tombstones, sending.id) > 0);
    CHECK(world.store().copies_of(sending.id).empty());
}

TEST_CASE("while a purge is under way a relay gets no lease, no certificate and nothing to copy") {
    using relay::TransferState;
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    for (const auto state : {TransferState::expired, TransferState::revoked}) {
        auto row = world.store().transfer(sending.id).value();
        row.state = state; // as a crash between two steps of the purge leaves it
        world.store().transaction([&] { world.store().put(row); });
        auto request = storing(world, sending, 0);
        request.holds.push_back(sending.id);
        const auto answer = world.sync(0, request);
        CHECK(answer.leases.empty());
        CHECK(answer.tombstones == std::vector{sending.id});
        CHECK(answer.copies.empty());
        CHECK(world.store().copies_of(sending.id).empty());
        CHECK(world.relay()
                  .relay_certificates(known_relay(0).id, {world.clock.now(), {}, {sending.id}})
                  ->empty());
    }
}

} // namespace plankurier::test::copies_test
