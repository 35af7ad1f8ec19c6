// What a sender may change later, what a recipient may refuse, and who hears of it when.
#include "tests/support/api.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::options_test {

namespace {

using nlohmann::json;

Headers sender(const Sending& sending) {
    return {{"plankurier-transfer", sending.id.hex()},
            {"plankurier-manage", to_base64url(sending.manage.reveal())}};
}
Headers recipient(const Sending& sending) {
    return {{"plankurier-transfer", sending.id.hex()},
            {"plankurier-fetch", to_base64url(sending.fetch().reveal())}};
}
std::string expiry(Api& api, const Sending& sending, std::int64_t days) {
    return api.refused("POST", "/v1/transfers/expiry", sender(sending),
                       json{{"expires_days_from_now", days}}.dump());
}
std::vector<std::string> subjects(Control& world, std::string_view address) {
    std::vector<std::string> out;
    for (const auto& mail : world.mails.sent_to(address)) out.push_back(mail.subject);
    return out;
}
/// Lets a day pass, an hour at a time.
void day(Control& world) {
    for (int hour = 0; hour < 24; ++hour) {
        world.clock.pass(hour_s);
        world.relay().tick();
    }
}

} // namespace

TEST_CASE("a sender ends a transfer sooner, to the second") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto sending = api.world.available();
    api.world.clock.pass(day_s);
    const json changed = api.good(200, "POST", "/v1/transfers/expiry", sender(sending),
                                  R"({"expires_days_from_now":2})");
    CHECK(changed == json{{"expires", api.world.clock.now() + 2 * day_s}});
    CHECK(api.good(200, "GET", "/v1/transfers/status", sender(sending)).at("expires") ==
          changed.at("expires"));
    for (const std::int64_t days : {0, -1, 3, 14, 61}) {
        CHECK(expiry(api, sending, days) == "invalid_argument"); // longer again: not allowed
    }
    api.world.clock.pass(2 * day_s - 1);
    api.world.relay().tick();
    CHECK(api.world.store().transfer(sending.id));
    api.world.clock.pass(1);
    api.world.relay().tick();
    CHECK_FALSE(api.world.store().transfer(sending.id));
    CHECK(expiry(api, sending, 1) == "purged");
    CHECK(expiry(api, api.world.uploading(), 1) == "conflict");
}

TEST_CASE("where the policy allows it a sender lengthens, up to the longest expiry in all") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.expiry_extend = true;
    world.policy.limits.expiry_days_max = 30;
    world.restart();
    const auto ask = [&](const Sending& sending, std::int64_t days) {
        return why(world.relay().change_expiry(sending.id, sending.manage, days));
    };
    const auto sending = world.available();
    const std::int64_t available = world.clock.now();
    // The relays' own last resort must not come before the latest end.
    const auto ticket = world.relay().get_ticket(sending.id, sending.fetch()).value();
    const auto checked =
        check_ticket(ticket.ticket, signing_public_key(control_seed()), world.clock.now());
    REQUIRE(checked);
    CHECK(checked->delete_at == available + 30 * day_s);
    world.clock.pass(10 * day_s);
    CHECK(ask(sending, 20) == "value");
    CHECK(ask(sending, 21) == "invalid_argument");
    CHECK(ask(sending, 31) == "invalid_argument");
    CHECK(world.store().transfer(sending.id)->ends == available + 30 * day_s);
}

TEST_CASE("relays hear of an end that was put off after they had their tickets") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available([](auto& request) { request.expiry_days = 3; });
    const auto told = [&] {
        auto request = world.news();
        request.holds = {sending.id};
        return world.sync(0, request).lease_ends;
    };
    const std::int64_t available = world.clock.now();
    CHECK(told() == std::vector{available + 3 * day_s});
    world.policy.limits.expiry_extend = true; // by the administrator
    world.policy.limits.expiry_days_max = 30;
    world.restart();
    REQUIRE(world.relay().change_expiry(sending.id, sending.manage, 20));
    CHECK(world.store().transfer(sending.id)->ends == available + 20 * day_s);
    CHECK(told() == std::vector{available + 30 * day_s});
}

TEST_CASE("a notice can be sent again three times, ten minutes apart, with the same link") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    const auto sending = world.available();
    const auto link = world.link_for();
    const auto again = [&] {
        return api.refused("POST", "/v1/transfers/resend-notice", sender(sending), "{}");
    };
    CHECK(again() == "too_early");
    for (int i = 0; i < 3; ++i) {
        world.clock.pass(599);
        CHECK(again() == "too_early");
        world.clock.pass(1);
        CHECK(api.good(200, "POST", "/v1/transfers/resend-notice", sender(sending), "{}") ==
              json{{"resends_left", 2 - i}});
        world.relay().tick();
        CHECK(world.mails.sent_to(department_mail).size() == 2 + static_cast<std::size_t>(i));
        CHECK(world.link_for() == link);
    }
    world.clock.pass(600);
    CHECK(again() == "too_many_attempts");
    CHECK(world.relay().envelope(link));
    const auto young = world.uploading();
    CHECK(api.refused("POST", "/v1/transfers/resend-notice", sender(young), "{}") == "conflict");
}

TEST_CASE("who wants to hears before the end that nothing was fetched, once") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available([](relay::TransferRequest& request) {
        request.notify_fetch = false;
        request.notify_unfetched = true;
        request.remind_recipient = true;
    });
    world.mails.sent.clear();
    world.clock.pass(11 * day_s - 1);
    world.relay().tick();
    CHECK(world.mails.sent.empty());
    world.clock.pass(1);
    world.relay().tick();
    CHECK(subjects(world, department_mail) ==
          std::vector<std::string>{"Eine vertrauliche Nachricht wartet noch"});
    CHECK(world.relay().envelope(world.link_for()));
    CHECK(subjects(world, citizen).empty());
    world.clock.pass(day_s - 1);
    world.relay().tick();
    CHECK(subjects(world, citizen).empty());
    world.clock.pass(1);
    world.relay().tick();
    CHECK(subjects(world, citizen) ==
          std::vector<std::string>{"Ihre Nachricht ist noch nicht abgerufen"});
    day(world);
    world.restart();
    day(world);
    CHECK(world.mails.sent.size() == 2);
    CHECK_FALSE(world.store().transfer(sending.id));
}

TEST_CASE("nobody is reminded of what was fetched, not asked for, or ends within days") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto both = [](relay::TransferRequest& request) {
        request.notify_fetch = false;
        request.notify_unfetched = true;
        request.remind_recipient = true;
    };
    const auto fetched = world.available(both);
    REQUIRE(world.relay().fetched(fetched.id, fetched.fetch(), {}));
    static_cast<void>(
        world.available([](relay::TransferRequest& request) { request.notify_fetch = false; }));
    static_cast<void>(world.available([&](relay::TransferRequest& request) {
        both(request);
        request.expiry_days = 1;
    }));
    world.mails.sent.clear();
    for (int i = 0; i < 14; ++i) day(world);
    CHECK(world.mails.sent.empty());
}

TEST_CASE("what its recipient reports is read by nobody any more, and purged at its end") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    const auto sending = world.available();
    const auto link = world.link_for();
    auto wrong = recipient(sending);
    wrong["plankurier-fetch"] = to_base64url(FetchToken::random().reveal());
    CHECK(api.refused("POST", "/v1/transfers/report", wrong, "{}") == "not_found");
    CHECK(world.relay().envelope(link));
    api.good(204, "POST", "/v1/transfers/report", recipient(sending), "{}");
    api.good(204, "POST", "/v1/transfers/report", recipient(sending), "{}");
    CHECK(api.refused("POST", "/v1/transfers/report", wrong, "{}") == "not_found");
    CHECK(why(world.relay().envelope(link)) == "not_found");
    CHECK(why(world.relay().verified_record(link)) == "not_found");
    CHECK(why(world.relay().get_ticket(sending.id, sending.fetch())) == "not_found");
    CHECK(why(world.relay().put_ticket(sending.id, sending.manage)) == "conflict");
    CHECK(why(world.relay().resend_notice(sending.id, sending.manage)) == "conflict");
    CHECK(why(world.relay().fetched(sending.id, sending.fetch(), {})) == "not_found");
    const auto session = world.department_session();
    CHECK(world.relay().inbox(session).value().empty());
    CHECK(why(world.relay().envelope(session, sending.id)) == "not_found");
    CHECK(world.relay().finish(sending.id, sending.manage, {}, sending.content()));
    CHECK(why(world.relay().envelope(link)) == "not_found");
    CHECK(api.good(200, "GET", "/v1/transfers/status", sender(sending)).at("state") == "withheld");
    CHECK(world.store().counts().quarantined == 1);
    auto request = world.news();
    request.holds = {sending.id};
    const auto told = world.sync(0, request);
    CHECK(told.leases == std::vector{sending.id}); // kept for the authority
    CHECK(told.halted == std::vector{sending.id}); // relays refuse tickets given out before
    world.relay().tick();
    CHECK(world.store().transfer(sending.id));
    world.clock.pass(14 * day_s);
    world.mails.sent.clear();
    world.relay().tick();
    CHECK(world.sync(0).halted.empty());
    CHECK_FALSE(world.store().transfer(sending.id));
    CHECK(world.mails.sent.empty());
}

TEST_CASE("an address stays verified for as many days as asked for, without an account") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    const auto session = world.asked_session();
    const Headers headers{{"plankurier-session", to_base64url(session.reveal())}};
    const std::string code{world.code_for().reveal()};
    const auto check = [&](std::int64_t days) {
        return api.refused("POST", "/v1/verifications/check", headers,
                           json{{"code", code}, {"remember_days", days}}.dump());
    };
    for (const std::int64_t days : {-1, 31}) CHECK(check(days) == "invalid_argument");
    CHECK(check(30) == "status 200");
    CHECK(check(30) == "status 200");
    world.clock.pass(30 * day_s - 1);
    world.relay().tick();
    CHECK(why(world.relay().create_transfer(session, Sending{}.request())) == "value");
    world.clock.pass(1);
    CHECK(why(world.relay().create_transfer(session, Sending{}.request())) == "code_expired");
    world.relay().tick();
    CHECK_FALSE(world.store().verification(to_hex(sha256(session.reveal()))));
}

} // namespace plankurier::test::options_test
