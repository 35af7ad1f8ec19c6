// Relays that come back with less than they had signed for, or signed for something else; transfers
// that no relay has any more.
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace plankurier::test::lost_test {

namespace {

/// A sync of relay `number` in a process of that generation.
relay::SyncRequest telling(Control& world, std::int64_t generation, std::size_t number,
                           const std::vector<const Sending*>& stored, bool all_told = true) {
    auto request = world.news();
    request.generation = generation;
    request.all_told = all_told;
    for (const Sending* one : stored) request.stored.push_back(one->receipt(number));
    return request;
}
std::size_t copies(Control& world, const Sending& sending) {
    return world.store().copies_of(sending.id).size();
}
bool is_wanted(const relay::SyncAnswer& answer, const Sending& sending) {
    return std::ranges::count(answer.copies, sending.id, &relay::WantedCopy::transfer) == 1;
}
void lose(Control& world, std::size_t number, const Sending& sending) {
    auto request = world.news();
    request.lost.push_back(sending.id);
    world.sync(number, request);
}
std::string ticket(Control& world, const Sending& sending) {
    return why(world.relay().get_ticket(sending.id, sending.fetch()));
}
constexpr const char* lost_subject = "Ihre Nachricht ging verloren: bitte senden Sie noch einmal";
std::size_t lost_mails(Control& world) {
    return static_cast<std::size_t>(
        std::ranges::count(world.mails.sent_to(citizen), lost_subject, &relay::Mail::subject));
}

} // namespace

TEST_CASE(
    "what a relay had signed for counts no more once it has told all that it has, without it") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto old = world.available(), young = world.available();
    world.sync(1, telling(world, 7, 1, {&old, &young}));
    REQUIRE(copies(world, old) == 2);
    REQUIRE(copies(world, young) == 2);
    // It starts from an old copy of its data. Until it has said all, its word of before stands.
    world.sync(1, telling(world, 8, 1, {}, false));
    CHECK(copies(world, young) == 2);
    world.restart();
    const auto answer = world.sync(1, telling(world, 8, 1, {&old}));
    CHECK(copies(world, old) == 2);
    CHECK(copies(world, young) == 1);
    CHECK(is_wanted(answer, young));
    CHECK_FALSE(is_wanted(answer, old));
    CHECK(world.relay().copy_counts().missing == 1);
    const auto report = [&] {
        const auto all = world.relay().relay_reports();
        const auto mine = known_relay(1).id;
        return *std::ranges::find_if(all, [&](const auto& one) { return one.word.relay == mine; });
    };
    CHECK(report().word.copies_lost == 1);
    world.sync(1, telling(world, 8, 1, {&young}));
    CHECK(world.relay().copy_counts().missing == 0);
    world.restart();
    CHECK(report().word.copies_lost == 1);
    CHECK(copies(world, young) == 2);
}

TEST_CASE("a relay that starts again with everything loses nothing") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto one = world.available(), other = world.available();
    for (const std::int64_t generation : {5, 6, 5}) {
        world.sync(0, telling(world, generation, 0, {&one}, false));
        world.sync(0, telling(world, generation, 0, {&other}));
        CHECK(copies(world, one) == 2);
        CHECK(copies(world, other) == 2);
    }
    CHECK(world.relay().relay_reports().at(0).word.copies_lost == 0);
    CHECK(world.relay().relay_reports().at(1).word.copies_lost == 0);
}

TEST_CASE("a receipt from before a relay told all that it stores is void") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    world.sync(0, telling(world, 3, 0, {}));
    const auto finish = [&](std::int64_t age) {
        StoredReceipt receipt = sending.receipt(0);
        receipt.time = world.clock.now() - age;
        world.relay().finish(sending.id, sending.manage, {sign_stored(receipt, relay_seed(0))},
                             sending.content());
        return copies(world, sending);
    };
    CHECK(finish(60) == 0);
    CHECK(finish(0) == 1);
}

TEST_CASE("a receipt that a client shows after its relay has taken it back is void") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    const auto finish = [&] {
        StoredReceipt receipt = sending.receipt(0);
        receipt.time = world.clock.now();
        const auto shown = sign_stored(receipt, relay_seed(0));
        return [&world, &sending, shown] {
            static_cast<void>(
                world.relay().finish(sending.id, sending.manage, {shown}, sending.content()));
            return copies(world, sending);
        };
    };
    const auto early = finish();
    world.clock.pass(2);
    lose(world, 0, sending);
    CHECK(early() == 0);
    CHECK(early() == 0);
    world.clock.jump(-3'000); // set right: what is signed from now on counts all the same
    CHECK(finish()() == 1);
}

TEST_CASE("a relay that has lost pieces says so, counts no more and copies them again") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.available();
    auto request = world.news();
    request.lost.push_back(sending.id);
    request.health = relay::RelayHealth{12, 3'600};
    CHECK(is_wanted(world.sync(1, request), sending));
    CHECK(world.relay().copy_counts().missing == 1);
    const auto reports = world.relay().relay_reports();
    CHECK(std::max(reports[0].health.damaged_pieces, reports[1].health.damaged_pieces) == 12);
    auto again = world.news();
    again.stored.push_back(sending.receipt(1));
    CHECK_FALSE(is_wanted(world.sync(1, again), sending));
    CHECK(world.relay().copy_counts().missing == 0);
}

TEST_CASE(
    "when no relay has all of it any more the administrator, then sender and recipient hear") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.available(), other = world.available();
    lose(world, 0, sending);
    world.relay().tick();
    CHECK(world.store().counts().without_copy == 0);
    lose(world, 1, sending);
    world.relay().tick();
    CHECK(world.store().counts().without_copy == 1);
    CHECK(world.store().counts().lost == 0);
    CHECK(ticket(world, sending) == "value"); // relays may still put it together
    world.clock.pass(world.policy.limits.lost_after_s - 1);
    world.relay().tick();
    CHECK(lost_mails(world) == 0);
    world.restart();
    world.clock.pass(1);
    world.relay().tick();
    world.relay().tick();
    CHECK(lost_mails(world) == 1);
    CHECK(world.store().counts().lost == 1);
    CHECK(ticket(world, sending) == "lost");
    CHECK(ticket(world, other) == "value");
    CHECK(world.relay().status(sending.id, sending.manage)->lost);
    CHECK_FALSE(world.relay().status(other.id, other.manage)->lost);
    // An administrator finds the disk.
    auto request = world.news();
    request.stored.push_back(sending.receipt(0));
    world.sync(0, request);
    CHECK(ticket(world, sending) == "value");
    CHECK_FALSE(world.relay().status(sending.id, sending.manage)->lost);
    CHECK(world.store().counts().without_copy == 0);
    world.relay().tick();
    CHECK(lost_mails(world) == 1);
}

TEST_CASE("what was fetched before it was lost need not be sent again") {
    const TempFolder folder;
    Control world{folder.path(), {1}};
    const auto sending = world.available();
    REQUIRE(world.relay().fetched(sending.id, sending.fetch(), {}));
    lose(world, 0, sending);
    world.relay().tick();
    world.clock.pass(world.policy.limits.lost_after_s);
    world.relay().tick();
    CHECK(lost_mails(world) == 0);
    CHECK(ticket(world, sending) == "lost");
}

TEST_CASE("a relay removed for good takes its copies with it") {
    const TempFolder folder;
    Control world{folder.path(), {2}};
    const auto sending = world.uploading();
    world.clock.pass(31);
    world.sync(1);
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt(1)},
                                 sending.content()));
    world.relay().set_relays({known_relay(0)});
    world.relay().tick();
    CHECK(world.store().counts().without_copy == 1);
}

TEST_CASE("a receipt for other content than the sender's does not count, and the lie is counted") {
    const TempFolder folder;
    Control world{folder.path(), {3}};
    const auto lying = [&](const Sending& sending, std::size_t number) {
        StoredReceipt receipt = sending.receipt(number);
        receipt.content_root[0] ^= std::byte{1};
        return receipt;
    };
    const auto lies = [&] {
        std::int64_t sum = 0;
        for (const auto& one : world.relay().relay_reports()) sum += one.word.lies;
        return sum;
    };
    const auto sending = world.uploading();
    const auto finish = [&](const std::vector<Bytes>& receipts) {
        return why(world.relay().finish(sending.id, sending.manage, receipts, sending.content()));
    };
    // By sync, before the sender has said anything: nobody can tell yet.
    auto early = world.news();
    early.stored.push_back(lying(sending, 0));
    CHECK(world.sync(0, early).wrong.empty());
    CHECK(finish({}) == "tampered"); // nobody agrees with the sender: who is wrong is not said
    CHECK(lies() == 0);
    CHECK(finish({sending.signed_receipt(1)}) == "unavailable"); // one right copy is one
    CHECK(lies() == 1);
    CHECK(finish({sending.signed_receipt(1), sign_stored(lying(sending, 2), relay_seed(2))}) ==
          "unavailable");
    CHECK(lies() == 2);
    CHECK(finish({sending.signed_receipt(1), sending.signed_receipt(2)}) == "value");
    CHECK(copies(world, sending) == 2);
    // By sync, afterwards: it does not count, is counted once, and the relay hears of it each time.
    auto late = world.news();
    late.stored.push_back(lying(sending, 2));
    for (int i = 0; i < 3; ++i) CHECK(world.sync(2, late).wrong == std::vector{sending.id});
    CHECK(lies() == 2); // of this relay and transfer it was counted already
    CHECK(copies(world, sending) == 1);
    late.stored = {sending.receipt(2)};
    CHECK(world.sync(2, late).wrong.empty());
    CHECK(copies(world, sending) == 2);
    world.restart();
    CHECK(lies() == 2);
}

TEST_CASE("who signs that it was fetched names the content and a time that can be") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const auto tell = [&](const FetchedReport& report) {
        return why(world.relay().fetched(sending.id, sending.fetch(),
                                         sign_fetched(report, department_seed())));
    };
    FetchedReport report = world.fetched_report(sending);
    report.content_root = {};
    CHECK(tell(report) == "bad_signature");
    for (const std::int64_t time :
         {std::int64_t{0}, world.clock.now() - 2 * day_s, world.clock.now() + 2 * day_s}) {
        report = world.fetched_report(sending);
        report.time = time;
        CHECK(tell(report) == "bad_signature");
    }
    CHECK(tell(world.fetched_report(sending)) == "value");
}

} // namespace plankurier::test::lost_test
