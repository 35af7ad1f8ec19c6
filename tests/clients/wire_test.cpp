#include <clients/cli/fetch_open.hpp>
#include <clients/cli/http.hpp>
#include <clients/cli/lanes.hpp>
#include <clients/cli/send_prepare.hpp>
#include <clients/cli/wire_inbox.hpp>

#include <plankurier/links.hpp>

#include <catch2/catch.hpp>

#include <set>

namespace plankurier::test::wire_test {

using namespace plankurier::cli;

TEST_CASE("only https, and http to this machine, may be asked") {
    for (const auto* url : {"https://a.example", "http://127.0.0.1:80/x", "http://localhost/",
                            "http://[::1]:8080/"}) {
        CAPTURE(url);
        CHECK(url_allowed(url));
    }
    for (const auto* url : {"http://a.example", "http://127.0.0.1.a.example/", "file:///etc/passwd",
                            "ftp://localhost", "http://localhost@a.example/", "", "https://"}) {
        CAPTURE(url);
        CHECK_FALSE(url_allowed(url));
    }
}

TEST_CASE("several departments take what all of them take") {
    Service service;
    service.types = {"pdf", "jpeg", "png"};
    service.transfer_bytes_max = 900;
    service.expiry_days_min = 1;
    service.expiry_days_default = 14;
    service.expiry_days_max = 60;
    service.departments["bauamt"] = {{"pdf", "png"}, 50, 2, 3, 30};
    service.departments["umwelt"] = {{"png", "jpeg"}, 5'000, 5, 9, 20};
    const auto both = for_departments(service, {"bauamt", "umwelt"});
    CHECK(both.types == std::vector<std::string>{"png"});
    CHECK(both.transfer_bytes_max == 50);
    CHECK(both.expiry_days_min == 5);
    CHECK(both.expiry_days_default == 5); // the first one's, as far as all allow it
    CHECK(both.expiry_days_max == 20);
    CHECK(for_departments(service, {"umwelt"}).transfer_bytes_max == 5'000);
    CHECK(for_departments(service, {"umwelt", "other"}).transfer_bytes_max == 900);
    CHECK(for_departments(service, {}).expiry_days_max == 60);
}

TEST_CASE("a notice link gives server and id") {
    const std::string id(32, 'a');
    const auto link = parse_link(SecretText{"https://amt.example/senden/t#v1." + id}, "");
    REQUIRE(link);
    CHECK(link->server == "https://amt.example/senden");
    CHECK(link->id.hex() == id);
    CHECK(parse_link(SecretText{"https://x.example/t#v1." + id}, "https://y.example")->server ==
          "https://y.example");
    CHECK(parse_link(SecretText{"v1." + id}, "https://y.example")->server == "https://y.example");
    CHECK_FALSE(parse_link(SecretText{"v1." + id}, ""));
    CHECK_FALSE(parse_link(SecretText{"https://x.example/t#v2." + id}, ""));
    CHECK_FALSE(parse_link(SecretText{"https://x.example/t#v1.12"}, ""));
    CHECK_FALSE(parse_link(SecretText{"http://x.example/t#v1." + id}, ""));
    CHECK_FALSE(link->secret);
}

TEST_CASE("a link that a sender passed on gives its secret too, if nothing of it is missing") {
    const auto secret = LinkSecret::random();
    const LinkId id = LinkId::random();
    const std::string text{make_transfer_link("https://amt.example", id, &secret).reveal()};
    const auto link = parse_link(SecretText{text}, "");
    REQUIRE(link);
    CHECK(link->id == id);
    REQUIRE(link->secret);
    CHECK(link->secret->matches(secret.reveal()));
    const auto cut = parse_link(SecretText{text.substr(0, text.size() - 1)}, "");
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == Errc::invalid_argument);
}

TEST_CASE("a finished transfer by link has the id of its link") {
    const LinkId id = LinkId::random();
    const std::string start = R"({"state":"available","receipt_number":"1","expires":2)";
    CHECK_FALSE(parse_finished(start + "}")->link);
    CHECK(parse_finished(start + R"(,"link":")" + id.hex() + "\"}")->link == id);
    CHECK_FALSE(parse_finished(start + R"(,"link":"12"})"));
    TransferRequest request;
    request.staff = "anna@amt.example";
    CHECK(encode_transfer(request).find("by_link") == std::string::npos);
    request.by_link = true;
    CHECK(encode_transfer(request).find(R"("by_link":true)") != std::string::npos);
}

TEST_CASE("problem details become codes, and without them the status does") {
    const auto problem = parse_problem(403, R"({"code":"wrong_code","attempts_left":2})");
    CHECK(problem.code == Errc::wrong_code);
    CHECK(problem.attempts_left == 2U);
    CHECK(parse_problem(404, "<html>").code == Errc::not_found);
    CHECK(parse_problem(502, "").code == Errc::unavailable);
    CHECK(parse_problem(507, "{}").code == Errc::no_space);
    CHECK(parse_problem(429, R"({"code":7})").code == Errc::rate_limited);
}

TEST_CASE("a map tells which pieces are durable, most significant bit first") {
    const auto map = parse_map(R"({"volumes":[{"n":3,"durable":"oA","descriptor":true}]})");
    REQUIRE(map);
    REQUIRE(map->size() == 1);
    CHECK(map->front().volume == 3);
    CHECK(map->front().descriptor);
    CHECK(map->front().has(0));
    CHECK_FALSE(map->front().has(1));
    CHECK(map->front().has(2));
    CHECK_FALSE(map->front().has(63));
    for (const auto* wrong : {"", "[]", "{}", R"({"volumes":[{"n":-1}]})",
                              R"({"volumes":[{"n":0,"durable":"*","descriptor":true}]})"}) {
        CAPTURE(wrong);
        CHECK(parse_map(wrong).error().code == Errc::malformed);
    }
}

TEST_CASE("a transfer request names a department or a staff address, never both") {
    TransferRequest request;
    request.department = "bauamt";
    CHECK(encode_transfer(request).find("\"staff\"") == std::string::npos);
    CHECK(encode_transfer(request).find("\"phone\"") == std::string::npos);
    request.department.clear();
    request.staff = "a@b.example";
    request.phone = "1";
    CHECK(encode_transfer(request).find("\"department\"") == std::string::npos);
    CHECK(encode_transfer(request).find("\"phone\"") != std::string::npos);
}

TEST_CASE("only relays that the signed list names are used") {
    const RelayAddress a{RelayId::random(), "https://a.example"};
    const RelayAddress b{RelayId::random(), "https://b.example"};
    const RelayAddress forged{a.id, "https://evil.example"};
    const auto known = known_relays({b, forged}, {a, b});
    REQUIRE(known);
    REQUIRE(known->size() == 1);
    CHECK(known->front().url == b.url);
    CHECK(known_relays({forged}, {a, b}).error().code == Errc::bad_signature);
}

TEST_CASE("an offer names relays and how many of them must store") {
    const auto one = parse_ticket(R"({"ticket":"x","expires":5,"relays":[]})");
    REQUIRE(one);
    CHECK(one->stored_min == 1);
    CHECK(parse_ticket(R"({"ticket":"x","expires":5,"relays":[],"stored_min":2})")->stored_min ==
          2);
    CHECK(parse_ticket(R"({"ticket":"x","expires":5,"relays":[],"stored_min":0})")->stored_min ==
          1);
    CHECK_FALSE(parse_ticket(R"({"ticket":"x","expires":5,"relays":[],"stored_min":"two"})"));
}

TEST_CASE("answers about the swarm are read, and odd ones are malformed") {
    CHECK(parse_swarm_port(R"({"port":8445})").value() == 8'445);
    for (const auto* wrong :
         {"{}", R"({"port":0})", R"({"port":65536})", R"({"port":-1})", "8445"}) {
        CAPTURE(wrong);
        CHECK(parse_swarm_port(wrong).error().code == Errc::malformed);
    }
    const auto answer = parse_certificate(R"({"authority":"a","certificate":"c","expires":7})");
    REQUIRE(answer);
    CHECK(answer->certificate == "c");
    CHECK(answer->expires == 7);
    CHECK(parse_certificate("{}").error().code == Errc::malformed);
    CHECK(encode_public_key(as_bytes("key")) == R"({"public_key":"a2V5"})");
}

TEST_CASE("a URL's host is what a person is shown") {
    CHECK(host_of("https://relay.amt.example:8444/x") == "relay.amt.example");
    CHECK(host_of("https://[2001:db8::1]:8444") == "2001:db8::1");
    CHECK(host_of("https://relay.amt.example") == "relay.amt.example");
    CHECK(host_of("relay").empty());
}

TEST_CASE("waiting grows and is bounded, and only what may pass is tried again") {
    CHECK(RetryRule::wait_seconds(1) == 1);
    CHECK(RetryRule::wait_seconds(3) == 4);
    CHECK(RetryRule::wait_seconds(1'000) == 30);
    int tries = 0;
    const auto tampered = with_retries(
        RetryRule{5},
        [&]() -> Result<int> {
            ++tries;
            return fail(Errc::tampered);
        },
        [](unsigned) {});
    CHECK(tampered.error().code == Errc::tampered);
    CHECK(tries == 1);
    const auto network = with_retries(
        RetryRule{0},
        [&]() -> Result<int> {
            ++tries;
            return fail(Errc::network);
        },
        [](unsigned) {});
    CHECK(network.error().code == Errc::network);
    CHECK(tries == 2);
}

TEST_CASE("generated passwords are long, typable and never the same") {
    std::set<std::string> seen;
    for (int round = 0; round < 50; ++round) {
        const auto password = generate_plain_password();
        CHECK(password.reveal().size() == 19);
        CHECK(password.reveal().find_first_not_of("abcdefghjkmnpqrstuvwxyz23456789-") ==
              std::string_view::npos);
        CHECK(seen.insert(std::string{password.reveal()}).second);
    }
}

TEST_CASE("an inbox is read in the order of the service, and nothing else passes for one") {
    const std::string id(32, 'a'), other(32, 'b');
    const auto entry = [](const std::string& tid, const char* fetched) {
        return R"({"tid":")" + tid + R"(","state":"available","created":5,"expires":9,)" +
               R"("body_len":262112,"fetched":)" + fetched + "}";
    };
    const auto inbox =
        parse_inbox(R"({"transfers":[)" + entry(id, "true") + "," + entry(other, "false") + "]}");
    REQUIRE(inbox);
    REQUIRE(inbox->size() == 2);
    CHECK(inbox->front().transfer.hex() == id);
    CHECK(inbox->front().fetched);
    CHECK(inbox->front().created == 5);
    CHECK(inbox->front().expires == 9);
    CHECK(inbox->front().body_len == 262'112);
    CHECK_FALSE(inbox->back().fetched);
    CHECK(parse_inbox(R"({"transfers":[]})")->empty());
    for (const auto& wrong : {std::string{}, std::string{"[]"}, std::string{"{}"},
                              R"({"transfers":[)" + entry("12", "true") + "]}",
                              R"({"transfers":[)" + entry(id, "1") + "]}"}) {
        CAPTURE(wrong);
        CHECK(parse_inbox(wrong).error().code == Errc::malformed);
    }
    for (const auto* wrong : {"", "[]", "{}", R"({"challenge":1,"session":2})"}) {
        CAPTURE(wrong);
        CHECK(parse_challenge(wrong).error().code == Errc::malformed);
        CHECK(parse_session(wrong).error().code == Errc::malformed);
    }
}

TEST_CASE("a department's own limits replace those for all") {
    const auto service = parse_service(
        R"({"authority":"A","link_base":"https://a.example","types":["pdf","jpeg","png"],)"
        R"("transfer_bytes_max":100,"files_max":9,"message_bytes_max":9,"expiry_days_min":1,)"
        R"("expiry_days_default":14,"expiry_days_max":60,"departments":{"bauamt":{"types":["pdf"],)"
        R"("transfer_bytes_max":5,"expiry_days_min":2,"expiry_days_default":3,)"
        R"("expiry_days_max":4}},"relays":[],"signature":")" +
        std::string(85, 'A') + R"(A"})");
    REQUIRE(service);
    CHECK(service->remember_days_max == 0); // an older service names none
    CHECK_FALSE(service->staff_domains);
    const auto own = for_department(*service, "bauamt");
    CHECK(own.types == std::vector<std::string>{"pdf"});
    CHECK(own.transfer_bytes_max == 5);
    CHECK(own.expiry_days_min == 2);
    CHECK(own.expiry_days_default == 3);
    CHECK(own.expiry_days_max == 4);
    CHECK(own.files_max == 9);
    for (const auto* other : {"umwelt", "", "anna@amt.example"}) {
        CHECK(for_department(*service, other).expiry_days_max == 60);
        CHECK(for_department(*service, other).types.size() == 3);
    }
}

TEST_CASE("a refusal may say what to work out") {
    const auto problem =
        parse_problem(429, R"({"code":"rate_limited","work":{"salt":"s","bits":6,"count":2}})");
    REQUIRE(problem.work);
    CHECK(problem.work->salt == "s");
    CHECK(problem.work->bits == 6);
    CHECK(problem.work->count == 2);
    CHECK_FALSE(parse_problem(429, R"({"code":"rate_limited","work":{"salt":7}})").work);
    CHECK_FALSE(parse_problem(429, R"({"code":"rate_limited"})").work);
    CHECK(encode_verification("a@b.example", "de", WorkDone{"s", {1, 2}}) ==
          R"({"email":"a@b.example","language":"de","work":{"numbers":[1,2],"salt":"s"}})");
}

} // namespace plankurier::test::wire_test
