// The calls of docs/protocol.md, sections 2 and 4, with the members that stand there.
#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::http_calls_test {

namespace {

using nlohmann::json;
using relay::http::Response;

std::string sync_body(const json& inner, const SigningSeed& key,
                      const RelayId& id = known_relay(0).id) {
    return statement_body("plankurier/1 sync", inner, key, id);
}
json asking(std::int64_t after = 0) {
    return {{"time", FakeClock{}.now()},
            {"after", after},
            {"holds", json::array()},
            {"gone", json::array()},
            {"stored", json::array()}};
}

} // namespace

TEST_CASE("a transfer's whole life, call by call") {
    const TempFolder folder;
    Api api{folder.path()};
    const json begun = api.good(202, "POST", "/v1/verifications", {},
                                json{{"email", citizen}, {"language", "de"}}.dump());
    CHECK(members(begun) == std::set<std::string>{"session", "valid_s", "resend_s", "number"});
    api.world.relay().tick();
    const Headers session{{"plankurier-session", begun.at("session")}};
    CHECK(api.good(200, "POST", "/v1/verifications/check", session,
                   json{{"code", std::string{api.world.code_for().reveal()}}}.dump()) ==
          json{{"verified", true}});
    CHECK(members(api.good(202, "POST", "/v1/verifications/resend", session, "{}")) ==
          members(begun));

    const Sending sending;
    const Headers sender{{"plankurier-transfer", sending.id.hex()},
                         {"plankurier-manage", to_base64url(sending.manage.reveal())}};
    const Headers recipient{{"plankurier-transfer", sending.id.hex()},
                            {"plankurier-fetch", to_base64url(sending.fetch().reveal())}};
    const auto request = sending.request();
    const json wanted{{"tid", sending.id.hex()},
                      {"staff", clerk},
                      {"body_len", request.body_len},
                      {"expiry_days", 14},
                      {"notify_fetch", true},
                      {"language", "de"},
                      {"phone", "0911 1"},
                      {"fetch_sha256", to_base64url(request.fetch_hash)},
                      {"manage_sha256", to_base64url(request.manage_hash)}};
    const json created = api.good(201, "POST", "/v1/transfers", session, wanted.dump());
    CHECK(created == json{{"state", "uploading"}, {"upload_until", api.world.clock.now() + day_s}});
    CHECK(api.good(201, "POST", "/v1/transfers", session, wanted.dump()) == created);

    const Bytes envelope = sending.envelope();
    api.good(204, "PUT", "/v1/envelope", sender, std::string{as_text(envelope)});
    const json put = api.good(200, "POST", "/v1/tickets", sender, "{}");
    CHECK(members(put) == std::set<std::string>{"ticket", "expires", "relays", "stored_min"});
    CHECK(put.at("stored_min") == 1);
    CHECK(put.at("relays") ==
          json::array({{{"id", known_relay(0).id.hex()}, {"url", known_relay(0).url}}}));

    const std::string receipts = json{{"receipts", {to_base64url(sending.signed_receipt())}},
                                      {"content_root", to_base64url(sending.content())}}
                                     .dump();
    const json finished = api.good(200, "POST", "/v1/transfers/finish", sender, receipts);
    CHECK(members(finished) == std::set<std::string>{"state", "expires", "receipt_number"});
    CHECK(finished.at("state") == "available");
    CHECK(api.good(200, "POST", "/v1/transfers/finish", sender, receipts) == finished);
    api.world.relay().tick();

    const Headers link{{"plankurier-link", api.world.link_for(clerk).hex()}};
    const Response read = api.call("GET", "/v1/envelope", link);
    CHECK(read.status == 200);
    CHECK(read.type == "application/octet-stream");
    CHECK(read.body == as_text(envelope));
    const json record = api.good(200, "GET", "/v1/record", link);
    const auto raw = from_base64url(record.at("record").get<std::string>());
    CHECK(check_verified(raw.value(), signing_public_key(control_seed()))->email == citizen);
    const json get = api.good(200, "POST", "/v1/tickets", recipient, "{}");
    CHECK(members(get) == std::set<std::string>{"ticket", "expires", "relays"});

    const json before = api.good(200, "GET", "/v1/transfers/status", sender);
    CHECK(before == json{{"state", "available"},
                         {"expires", finished.at("expires")},
                         {"created", api.world.clock.now()},
                         {"fetched", false},
                         {"fetched_at", 0},
                         {"signed", false},
                         {"recipient_undeliverable", false},
                         {"lost", false},
                         {"body_len", sending.layout.body_len()},
                         {"copies", 1},
                         {"resends_left", 3}});
    api.good(204, "POST", "/v1/transfers/fetched", recipient, "");
    api.good(204, "POST", "/v1/transfers/fetched", recipient, "{}");
    const json after = api.good(200, "GET", "/v1/transfers/status", sender);
    CHECK(after.at("state") == "fetched");
    CHECK(after.at("fetched") == true);
    const json revoked = api.good(200, "POST", "/v1/transfers/revoke", sender, "{}");
    CHECK(members(revoked) == std::set<std::string>{"state", "history"});
    CHECK(revoked.at("state") == "revoked");
    CHECK(api.good(200, "POST", "/v1/transfers/revoke", sender, "{}") ==
          json{{"state", "revoked"}});
    CHECK(api.refused("GET", "/v1/transfers/status", sender, "") == "purged");
}

TEST_CASE("looking never changes anything: gateways open links by the hundred") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto sending = api.world.available();
    const Headers link{{"plankurier-link", api.world.link_for().hex()}};
    const Headers sender{{"plankurier-transfer", sending.id.hex()},
                         {"plankurier-manage", to_base64url(sending.manage.reveal())}};
    const json before = api.good(200, "GET", "/v1/transfers/status", sender);
    for (int i = 0; i < 100; ++i) {
        CHECK(api.call("GET", "/v1/envelope", link).status == 200);
        CHECK(api.call("GET", "/v1/record", link).status == 200);
    }
    api.world.relay().tick();
    CHECK(api.good(200, "GET", "/v1/transfers/status", sender) == before);
    CHECK(api.world.mails.sent.size() == 2);
}

TEST_CASE("the service page's facts come signed by the control key") {
    const TempFolder folder;
    Api api{folder.path()};
    const json service = api.good(200, "GET", "/v1/service");
    CHECK(service.at("authority") == "Landratsamt Muster");
    CHECK(service.at("types") == json{"pdf", "jpeg", "png"});
    CHECK(service.at("expiry_days_default") == 14);
    const std::string statement = std::string{"plankurier/1 relays"} + '\0' +
                                  known_relay(0).id.hex() + "\n" + known_relay(0).url + "\n";
    const auto raw = from_base64url(service.at("signature").get<std::string>()).value();
    Signature signature{};
    REQUIRE(raw.size() == signature.size());
    std::copy(raw.begin(), raw.end(), signature.begin());
    CHECK(verify(signing_public_key(control_seed()), as_bytes(statement), signature));
}

TEST_CASE("without an installed directory the service says that it is not ready") {
    const TempFolder folder;
    Api api{folder.path()};
    CHECK(api.refused("GET", "/v1/directory", {}, "") == "unavailable");
    api.published.directory = {"a", "b", "c", "d", "e"};
    const json directory = api.good(200, "GET", "/v1/directory");
    CHECK(directory.at("directory_json") == "c");
    CHECK(directory.at("directory_minisig") == "d");
}

TEST_CASE("a relay that says what it holds hears which of it lives") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto uploading = api.world.uploading();
    const auto available = api.world.available();
    const auto revoked = api.world.available();
    REQUIRE(api.world.relay().revoke(revoked.id, revoked.manage));
    const auto stranger = TransferId::random();
    json inner = asking();
    for (const auto& id : {uploading.id, available.id, revoked.id, stranger}) {
        inner["holds"].push_back(id.hex());
    }
    const json answer =
        api.good(200, "POST", "/v1/relay/sync", {}, sync_body(inner, relay_seed(0)));
    CHECK(members(answer) == std::set<std::string>{"now", "seq", "tombstones", "leases", "relays",
                                                   "copies", "copies_max", "full", "halted",
                                                   "lease_ends", "time_trusted", "wrong"});
    CHECK(answer.at("now") == api.world.clock.now());
    CHECK(answer.at("seq") == 1);
    CHECK(answer.at("leases") == json{uploading.id.hex(), available.id.hex()});
    const auto dead = answer.at("tombstones").get<std::set<std::string>>();
    CHECK(dead == std::set<std::string>{revoked.id.hex(), stranger.hex()});
    const json later =
        api.good(200, "POST", "/v1/relay/sync", {}, sync_body(asking(1), relay_seed(0)));
    CHECK(later.at("tombstones") == json{revoked.id.hex()}); // told until it has signed
    CHECK(later.at("seq") == 1);
}

TEST_CASE("a purge counts as confirmed once the relay has signed it, and only then") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto sending = api.world.available();
    REQUIRE(api.world.relay().revoke(sending.id, sending.manage));
    const auto tell = [&](const RelayId& relay, const SigningSeed& key) {
        json inner = asking();
        inner["gone"].push_back(to_base64url(sign_gone({relay, sending.id, 1}, key)));
        return api.refused("POST", "/v1/relay/sync", {}, sync_body(inner, relay_seed(0)));
    };
    CHECK(api.world.relay().copy_counts().not_gone == 1);
    CHECK(tell(known_relay(0).id, relay_seed(1)) == "bad_signature");
    CHECK(tell(known_relay(1).id, relay_seed(0)) == "status 200"); // of a relay that is not it
    CHECK(api.world.relay().copy_counts().not_gone == 1);
    CHECK(tell(known_relay(0).id, relay_seed(0)) == "status 200");
    CHECK(api.world.relay().copy_counts().not_gone == 0);
}

TEST_CASE("nobody but a known relay is told anything about transfers") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto refused = [&](const std::string& body) {
        return api.refused("POST", "/v1/relay/sync", {}, body);
    };
    CHECK(refused(sync_body(asking(), relay_seed(1), known_relay(1).id)) == "not_found");
    CHECK(refused(sync_body(asking(), relay_seed(1))) == "bad_signature");
    CHECK(refused(sync_body(asking(), control_seed())) == "bad_signature");
    json changed = json::parse(sync_body(asking(), relay_seed(0)));
    changed["request"] = asking(7).dump();
    CHECK(refused(changed.dump()) == "bad_signature");
    changed["signature"] = "";
    CHECK(refused(changed.dump()) == "bad_signature");
    CHECK(refused(sync_body(json::array(), relay_seed(0))) == "malformed");
    json many = asking();
    for (int i = 0; i < 1'001; ++i) many["holds"].push_back(TransferId{}.hex());
    CHECK(refused(sync_body(many, relay_seed(0))) == "too_large");
    json odd = asking();
    odd["holds"].push_back("x");
    CHECK(refused(sync_body(odd, relay_seed(0))) == "malformed");
}

} // namespace plankurier::test::http_calls_test
