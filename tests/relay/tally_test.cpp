// Limits hold over a restart, and what they count is forgotten after a day.
#include "relay/domain/tally.hpp"

#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::tally_test {

namespace {

std::string write(Control& world, const SessionToken& session) {
    return why(world.relay().create_transfer(session, Sending{}.request()));
}
std::size_t code_mails(Control& world) {
    world.relay().tick();
    return world.mails.sent_to(citizen).size();
}

} // namespace

TEST_CASE("the bytes that an address has sent count over a restart, also those it revoked") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.bytes_per_address_day = 2 * Sending{}.layout.body_len();
    world.restart();
    const auto session = world.verified_session();
    Sending sending;
    REQUIRE(world.relay().create_transfer(session, sending.request()));
    REQUIRE(world.relay().revoke(sending.id, sending.manage));
    CHECK(write(world, session) == "value");
    world.restart();
    CHECK(write(world, session) == "quota_exceeded");
    world.clock.pass(day_s + hour_s);
    world.relay().tick();
    CHECK(write(world, world.verified_session()) == "value");
}

TEST_CASE("code mails to an address and codes of the site count over a restart") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.code_mails_per_address_hour = 2;
    world.policy.limits.code_mails_hour = 4;
    world.restart();
    for (int i = 0; i < 2; ++i) REQUIRE(world.relay().begin_verification(citizen, "de"));
    CHECK(code_mails(world) == 2);
    world.restart();
    REQUIRE(world.relay().begin_verification(citizen, "de"));
    CHECK(code_mails(world) == 2);
    CHECK(world.relay().code_budget().left == 1);
    CHECK(world.relay().code_budget().reset_s > 0);
    world.clock.pass(hour_s + 301);
    CHECK(world.relay().code_budget().left == 4);
    REQUIRE(world.relay().begin_verification(citizen, "de"));
    CHECK(code_mails(world) == 3);
}

TEST_CASE("what was counted names nobody and is gone a day later") {
    const TempFolder folder;
    Control world{folder.path()};
    world.verified_session();
    const auto rows = world.store().count_rows();
    REQUIRE(rows.size() == 2);
    for (const relay::CountRow& row : rows) {
        CHECK(row.who.find("erika") == row.who.npos);
        CHECK(row.at % 300 == 0);
        CHECK(row.at >= world.clock.now());
    }
    world.clock.pass(day_s - 1);
    world.relay().tick();
    CHECK(world.store().count_rows().size() == rows.size());
    world.clock.pass(301);
    world.relay().tick();
    CHECK(world.store().count_rows().empty());
}

TEST_CASE("what a clock counted that was years ahead blocks nobody when it is right again") {
    const TempFolder folder;
    Control world{folder.path()};
    relay::Tally tally{world.store()};
    const std::int64_t now = world.clock.now();
    tally.add(relay::Tally::Kind::code_asked, {}, now + 400 * day_s, 5);
    tally.add(relay::Tally::Kind::code_asked, {}, now, 2);
    CHECK(tally.sum(relay::Tally::Kind::code_asked, {}, now - hour_s) == 7);
    CHECK(tally.forget_old(now));
    CHECK(tally.sum(relay::Tally::Kind::code_asked, {}, now - hour_s) == 2);
    CHECK(relay::Tally{world.store()}.sum(relay::Tally::Kind::code_asked, {}, now - hour_s) == 2);
}

TEST_CASE("a wrong manage token gets the same answer in every state of a transfer") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto uploading = world.uploading(), available = world.available(),
               revoked = world.available(), ended = world.available();
    REQUIRE(world.relay().revoke(revoked.id, revoked.manage));
    world.clock.pass(15 * day_s); // a purge has not run yet
    const auto replies = [&](const TransferId& transfer, const ManageToken& token) {
        relay::Relay& relay = world.relay();
        return std::set<std::string>{
            why(relay.revoke(transfer, token)),
            why(relay.status(transfer, token)),
            why(relay.history(transfer, token)),
            why(relay.change_expiry(transfer, token, 3)),
            why(relay.resend_notice(transfer, token)),
            why(relay.put_ticket(transfer, token)),
            why(relay.finish(transfer, token, {}, {})),
            why(relay.put_envelope(transfer, token, {})),
        };
    };
    const std::set<std::string> unknown{"not_found"};
    for (const bool is_purged : {false, true}) {
        if (is_purged) world.relay().tick();
        for (const auto* one : {&uploading, &available, &revoked, &ended}) {
            CHECK(replies(one->id, ManageToken::random()) == unknown);
        }
        CHECK(replies(TransferId::random(), revoked.manage) == unknown);
    }
    REQUIRE(world.store().is_tombstoned(ended.id));
    CHECK(why(world.relay().status(ended.id, ended.manage)) == "purged");
    CHECK(why(world.relay().status(revoked.id, revoked.manage)) == "purged");
    CHECK(world.relay().revoke(revoked.id, revoked.manage)); // said twice
}

} // namespace plankurier::test::tally_test
