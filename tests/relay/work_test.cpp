// More codes are asked for than the whole site should send; and requests that are said again.
#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::work_test {

namespace {

using nlohmann::json;

constexpr const char* late = "late@buerger.example";

/// After two codes the site's are used up; work is small, so that tests are quick.
void few_codes(Control& world) {
    world.policy.limits.code_mails_hour = 2;
    world.policy.limits.work_bits = 6;
    world.policy.limits.work_count = 4;
    world.restart();
}
relay::CodeWish worked(const WorkPuzzle& puzzle) {
    relay::CodeWish wish;
    wish.work = {puzzle.salt, solve_work(puzzle, [] { return false; }).value()};
    return wish;
}
std::string ask(Control& world, std::string_view email, const relay::CodeWish& wish = {}) {
    return why(world.relay().begin_verification(email, "de", wish));
}
void use_up(Control& world) {
    for (const char* email : {"a@buerger.example", "b@buerger.example"}) {
        REQUIRE(ask(world, email) == "value");
    }
}

} // namespace

TEST_CASE("when the site's codes are used up, who works for one gets it") {
    const TempFolder folder;
    Control world{folder.path()};
    few_codes(world);
    use_up(world);
    CHECK(ask(world, late) == "rate_limited");
    const auto puzzle = world.relay().code_work(late);
    REQUIRE(puzzle);
    CHECK(ask(world, late, worked(*puzzle)) == "value");
    world.relay().tick();
    CHECK(world.mails.sent_to(late).size() == 1);
    world.clock.pass(hour_s + 1);
    CHECK(ask(world, "c@buerger.example") == "value"); // the next hour is free again
}

TEST_CASE("work counts once, for its address, for ten minutes") {
    const TempFolder folder;
    Control world{folder.path()};
    few_codes(world);
    use_up(world);
    const auto wish = worked(world.relay().code_work(late).value());
    CHECK(ask(world, "other@buerger.example", wish) == "rate_limited");
    auto less = wish;
    less.work->numbers.pop_back();
    CHECK(ask(world, late, less) == "rate_limited");
    auto own_salt = wish;
    own_salt.work->salt.back() = own_salt.work->salt.back() == '0' ? '1' : '0';
    CHECK(ask(world, late, own_salt) == "rate_limited");
    world.clock.pass(599);
    CHECK(ask(world, late, wish) == "value");
    CHECK(ask(world, late, wish) == "rate_limited");
    const auto old = worked(world.relay().code_work(late).value());
    world.clock.pass(600);
    CHECK(ask(world, late, old) == "rate_limited");
}

TEST_CASE("beyond ten times the codes of an hour no work helps") {
    const TempFolder folder;
    Control world{folder.path()};
    few_codes(world);
    use_up(world);
    for (int i = 0; i < 18; ++i) {
        const auto email = "p" + std::to_string(i) + "@buerger.example";
        REQUIRE(ask(world, email, worked(world.relay().code_work(email).value())) == "value");
    }
    CHECK_FALSE(world.relay().code_work(late));
    world.relay().tick();
    CHECK(world.mails.sent.size() == 20);
}

TEST_CASE("while the site's codes are used up one is sent again for work only") {
    const TempFolder folder;
    Control world{folder.path()};
    few_codes(world);
    const auto session = world.asked_session();
    const auto other = world.asked_session(late);
    CHECK_FALSE(world.relay().code_work(SessionToken::random()));
    world.clock.pass(59);
    auto wish = worked(world.relay().code_work(session).value());
    CHECK(why(world.relay().resend(session, wish.work)) == "too_early"); // and the work is not lost
    world.clock.pass(1);
    CHECK(why(world.relay().resend(session)) == "rate_limited");
    CHECK(why(world.relay().resend(other, wish.work)) == "rate_limited");
    const auto first = world.code_for();
    CHECK(why(world.relay().resend(session, wish.work)) == "value");
    world.relay().tick();
    CHECK(world.mails.sent_to(citizen).size() == 2);
    CHECK(world.code_for().reveal() != first.reveal());
    world.clock.pass(60);
    CHECK(why(world.relay().resend(session, wish.work)) == "rate_limited"); // it counts once
    std::int64_t left = 0;
    CHECK(world.relay().check_code(session, world.code_for(), left)); // what was sent holds
}

TEST_CASE("asked for a code again, the refusal says what to work out too") {
    const TempFolder folder;
    Api api{folder.path()};
    few_codes(api.world);
    relay::http::Router router{api.world.relay(), api.published, api.mutex};
    const auto session = api.world.asked_session();
    REQUIRE(ask(api.world, late) == "value");
    api.world.clock.pass(60);
    const Headers headers{{"plankurier-session", to_base64url(session.reveal())}};
    const auto resend = [&](const std::string& body) {
        return router.handle({"POST", "/v1/verifications/resend", headers, body});
    };
    const auto refused = resend("{}");
    CHECK(refused.status == 429);
    CHECK(refused.headers.at("RateLimit-Remaining") == "0");
    const auto told = json::parse(refused.body).at("work");
    const WorkPuzzle puzzle{told.at("salt").get<std::string>(), told.at("bits").get<unsigned>(),
                            told.at("count").get<std::size_t>()};
    json body;
    body["work"] = {{"salt", puzzle.salt}};
    CHECK(resend(body.dump()).status == 400);
    body["work"]["numbers"] = worked(puzzle).work->numbers;
    CHECK(resend(body.dump()).status == 202);
    CHECK(resend("{").status == 400);
}

TEST_CASE("the refusal says what to work out, and the same request with it goes through") {
    const TempFolder folder;
    Api api{folder.path()};
    few_codes(api.world);
    relay::http::Router router{api.world.relay(), api.published, api.mutex};
    use_up(api.world);
    json body{{"email", late}};
    const auto refused = router.handle({"POST", "/v1/verifications", {}, body.dump()});
    CHECK(refused.status == 429);
    CHECK(refused.headers.at("RateLimit-Remaining") == "0");
    const auto problem = json::parse(refused.body);
    CHECK(problem.at("code") == "rate_limited");
    const auto& told = problem.at("work");
    const WorkPuzzle puzzle{told.at("salt").get<std::string>(), told.at("bits").get<unsigned>(),
                            told.at("count").get<std::size_t>()};
    body["work"] = {{"salt", puzzle.salt}, {"numbers", worked(puzzle).work->numbers}};
    CHECK(router.handle({"POST", "/v1/verifications", {}, body.dump()}).status == 202);
    body["work"] = {{"salt", puzzle.salt}};
    CHECK(router.handle({"POST", "/v1/verifications", {}, body.dump()}).status == 400);
}

TEST_CASE("a request for a code that is said again gets the same session and one mail") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto session = [&](const std::string& key, const std::string& email) {
        const auto answer = api.good(202, "POST", "/v1/verifications", {{"idempotency-key", key}},
                                     json{{"email", email}}.dump());
        return answer.at("session").get<std::string>();
    };
    const std::string key = "8e03978e-40d5-43e8-bc93-6894a57f9324";
    const std::string first = session(key, citizen);
    CHECK(session(key, citizen) == first);
    api.world.relay().tick();
    CHECK(api.world.mails.sent_to(citizen).size() == 1);
    CHECK(session(key, "max@buerger.example") != first);
    CHECK(session("another-key-of-this-length", citizen) != first);
    // Short keys could be guessed, and somebody else's session with them.
    CHECK(session("1", citizen) != session("1", citizen));
    const std::string code{api.world.code_for().reveal()};
    CHECK(api.call("POST", "/v1/verifications/check", {{"plankurier-session", first}},
                   json{{"code", code}}.dump())
              .status != 401);
}

} // namespace plankurier::test::work_test
