// What relays and recipients' clients call for the sake of copies (docs/protocol.md, 2 and 4).
#include "tests/support/api.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::http_relay_test {

namespace {

using nlohmann::json;

json asking(Api& api) {
    return {{"time", api.world.clock.now()},
            {"after", 0},
            {"holds", json::array()},
            {"gone", json::array()},
            {"stored", json::array()}};
}
std::string sync_body(const json& inner, std::size_t number) {
    return statement_body("plankurier/1 sync", inner, relay_seed(number), known_relay(number).id);
}
json certificates_asked(Api& api, const std::vector<TransferId>& transfers) {
    json out{{"time", api.world.clock.now()},
             {"public_key", to_base64url(ec_public_key("P-256"))},
             {"transfers", json::array()}};
    for (const TransferId& one : transfers) out["transfers"].push_back(one.hex());
    return out;
}

} // namespace

TEST_CASE("a relay hears of all relays with their keys, and what to copy with a ticket") {
    const TempFolder folder;
    Api api{folder.path(), {3}};
    const auto sending = api.world.uploading();
    const json answer = api.good(200, "POST", "/v1/relay/sync", {}, sync_body(asking(api), 1));
    CHECK(answer.at("copies_max") == 3);
    REQUIRE(answer.at("relays").size() == 3);
    std::string before;
    for (const json& relay : answer.at("relays")) {
        CHECK(members(relay) == std::set<std::string>{"id", "url", "key"});
        CHECK(relay.at("id").get<std::string>() > before);
        before = relay.at("id").get<std::string>();
        const auto* known = api.world.relay().relays().find(RelayId::from_hex(before).value());
        REQUIRE(known != nullptr);
        CHECK(relay.at("key") == to_base64url(known->key));
        CHECK(relay.at("url") == known->url);
    }
    REQUIRE(answer.at("copies").size() == 1);
    CHECK(answer.at("copies")[0].at("tid") == sending.id.hex());
    const auto ticket = from_base64url(answer.at("copies")[0].at("ticket").get<std::string>());
    CHECK(check_ticket(ticket.value(), signing_public_key(control_seed()), api.world.clock.now())
              ->role == TicketRole::peer);
}

TEST_CASE("a relay's own stored receipts make a transfer available, foreign signatures none") {
    const TempFolder folder;
    Api api{folder.path(), {2}};
    const auto sending = api.world.uploading();
    const Headers sender{{"plankurier-transfer", sending.id.hex()},
                         {"plankurier-manage", to_base64url(sending.manage.reveal())}};
    const auto tell = [&](const Bytes& receipt) {
        json inner = asking(api);
        inner["stored"].push_back(to_base64url(receipt));
        return api.refused("POST", "/v1/relay/sync", {}, sync_body(inner, 1));
    };
    const auto finish = [&](const json& receipts) {
        return api.refused(
            "POST", "/v1/transfers/finish", sender,
            json{{"receipts", receipts}, {"content_root", to_base64url(sending.content())}}.dump());
    };
    CHECK(api.good(200, "POST", "/v1/tickets", sender, "{}").at("stored_min") == 2);
    const json own = json::array({to_base64url(sending.signed_receipt(0))});
    CHECK(finish(json::array()) == "bad_signature");
    CHECK(finish(own) == "unavailable");
    CHECK(tell(sending.signed_receipt(0)) == "bad_signature");
    CHECK(tell(sign_stored(sending.receipt(1), relay_seed(0))) == "bad_signature");
    CHECK(tell(Bytes(5)) == "malformed");
    CHECK(finish(own) == "unavailable");
    CHECK(tell(sending.signed_receipt(1)) == "status 200");
    CHECK(finish(json::array()) == "status 200");
}

TEST_CASE("a relay with a wrong clock, too many receipts or no registration is refused") {
    const TempFolder folder;
    Api api{folder.path(), {2}};
    const auto refused = [&](const json& inner, std::size_t number = 0) {
        return api.refused("POST", "/v1/relay/sync", {}, sync_body(inner, number));
    };
    json late = asking(api);
    late["time"] = api.world.clock.now() - 301;
    CHECK(refused(late) == "expired");
    json timeless = asking(api);
    timeless.erase("time");
    CHECK(refused(timeless) == "malformed");
    json many = asking(api);
    const auto receipt = to_base64url(Sending{}.signed_receipt(0));
    for (int i = 0; i < 100; ++i) many["stored"].push_back(receipt);
    CHECK(refused(many) == "status 200");
    many["stored"].push_back(receipt);
    CHECK(refused(many) == "too_large");
    CHECK(refused(asking(api), 2) == "not_found");
    json older = asking(api);
    older.erase("stored"); // as relays before this version ask
    CHECK(refused(older) == "status 200");
}

TEST_CASE("certificates for relays come with the CA, only under the relay's own signature") {
    const TempFolder folder;
    Api api{folder.path(), {2}};
    const auto sending = api.world.available();
    const json inner = certificates_asked(api, {sending.id, TransferId::random()});
    const auto body = [&](const std::string& context, const json& said, std::size_t number) {
        return statement_body(context, said, relay_seed(number), known_relay(0).id);
    };
    const std::string context = "plankurier/1 certificates";
    const json answer =
        api.good(200, "POST", "/v1/relay/certificates", {}, body(context, inner, 0));
    CHECK(members(answer) == std::set<std::string>{"authority", "certificates"});
    REQUIRE(answer.at("certificates").size() == 1);
    const json& one = answer.at("certificates")[0];
    CHECK(members(one) == std::set<std::string>{"tid", "certificate"});
    CHECK(one.at("tid") == sending.id.hex());
    CHECK(is_trusted(one.at("certificate"), answer.at("authority"), api.world.clock.now(),
                     Purpose::server));
    const auto refused = [&](const std::string& text) {
        return api.refused("POST", "/v1/relay/certificates", {}, text);
    };
    CHECK(refused(body(context, inner, 1)) == "bad_signature");
    CHECK(refused(body("plankurier/1 sync", inner, 0)) == "bad_signature");
    CHECK(refused(statement_body(context, inner, relay_seed(2), known_relay(2).id)) == "not_found");
    std::vector<TransferId> many(101, sending.id);
    CHECK(refused(body(context, certificates_asked(api, many), 0)) == "too_large");
    json odd = inner;
    odd["public_key"] = "AAAA";
    CHECK(refused(body(context, odd, 0)) == "malformed");
}

TEST_CASE("a recipient's client gets its certificate for the fetch token alone") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto sending = api.world.available();
    Headers recipient{{"plankurier-transfer", sending.id.hex()},
                      {"plankurier-fetch", to_base64url(sending.fetch().reveal())}};
    const std::string body = json{{"public_key", to_base64url(ec_public_key("P-256"))}}.dump();
    const json answer = api.good(200, "POST", "/v1/swarm/certificate", recipient, body);
    CHECK(members(answer) == std::set<std::string>{"authority", "certificate", "expires"});
    CHECK(answer.at("expires") == api.world.clock.now() + 4 * hour_s);
    CHECK(look_at(answer.at("certificate")).subject == "CN = " + sending.id.hex());
    CHECK(is_trusted(answer.at("certificate"), answer.at("authority"), api.world.clock.now(),
                     Purpose::client));
    const auto refused = [&](const std::string& text) {
        return api.refused("POST", "/v1/swarm/certificate", recipient, text);
    };
    CHECK(refused("{}") == "malformed");
    CHECK(refused(R"({"public_key":7})") == "malformed");
    CHECK(refused(R"({"public_key":"AA"})") == "malformed");
    recipient["plankurier-fetch"] = to_base64url(sending.manage.reveal());
    CHECK(refused(body) == "not_found");
}

} // namespace plankurier::test::http_relay_test
