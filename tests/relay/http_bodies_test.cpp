// Bodies of requests: what has the form of docs/protocol.md, and what only looks like it.
#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::http_bodies_test {

using nlohmann::json;

TEST_CASE("a call that needs no members takes an object or no body, and nothing else") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto session = api.world.verified_session();
    const auto sending = api.world.available();
    std::map<std::string, std::string> headers{
        {"plankurier-session", to_base64url(session.reveal())},
        {"plankurier-transfer", sending.id.hex()},
        {"plankurier-manage", to_base64url(sending.manage.reveal())},
        {"plankurier-fetch", to_base64url(sending.fetch().reveal())}};
    const auto ask = [&](const std::string& path, const std::string& body) {
        return api.refused("POST", path, headers, body);
    };
    const std::vector<std::string> paths{"/v1/tickets",           "/v1/transfers/resend-notice",
                                         "/v1/transfers/fetched", "/v1/transfers/report",
                                         "/v1/transfers/revoke",  "/v1/verifications/resend"};
    const json before = api.good(200, "GET", "/v1/transfers/status", headers);
    for (const std::string& path : paths) {
        for (const char* body : {" ", "{", "[]", "null", "0", "\"x\"", "{}{}", "ticket=1", "<a/>",
                                 "{\"a\":1,\"a\":1}", "\xff"}) {
            INFO(path << " " << body);
            CHECK(ask(path, body) == "malformed");
        }
    }
    CHECK(api.good(200, "GET", "/v1/transfers/status", headers) == before);
    for (const char* body : {"", "{}", "{\"later\":[1]}"}) {
        CHECK(ask("/v1/tickets", body) == "status 200");
        CHECK(ask("/v1/transfers/fetched", body) == "status 204");
        CHECK(ask("/v1/verifications/resend", body) != "malformed");
    }
    headers.erase("plankurier-manage");
    CHECK(ask("/v1/tickets", "[]") == "malformed");
    CHECK(ask("/v1/tickets", "") == "status 200");
}

TEST_CASE("finish takes a list of whole receipts, one of a relay, and nothing that looks like it") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto sending = api.world.uploading();
    const std::map<std::string, std::string> headers{
        {"plankurier-transfer", sending.id.hex()},
        {"plankurier-manage", to_base64url(sending.manage.reveal())}};
    const std::string good = to_base64url(sending.signed_receipt());
    const auto finish = [&](const json& receipts) {
        return api.refused(
            "POST", "/v1/transfers/finish", headers,
            json{{"receipts", receipts}, {"content_root", to_base64url(sending.content())}}.dump());
    };
    for (const json& odd : {json(good), json::object({{"0", good}}), json(), json(1), json(true),
                            json::array({json::array({good})}), json::array({json::object()}),
                            json::array({nullptr}), json::array({good, 7})}) {
        INFO(odd.dump());
        CHECK(finish(odd) == "malformed");
    }
    // The form of each; whose word it is only counts later.
    for (const std::string& text : {std::string{}, std::string{"UEtTMQ"}, good + "A", good + "=",
                                    good.substr(1), to_base64url(Bytes(148))}) {
        INFO(text);
        CHECK(finish(json::array({good, text})) == "malformed");
    }
    CHECK(finish({good, good}) == "malformed");
    auto later = sending.receipt();
    later.time += 1;
    CHECK(finish({good, to_base64url(sign_stored(later, relay_seed(0)))}) == "malformed");
    CHECK(finish(json(std::vector<std::string>(65, good))) == "too_large");
    CHECK(api.world.store().counts().available == 0);
    // A relay that is no longer registered, or lies, keeps the others' words from nothing.
    CHECK(finish({to_base64url(sending.signed_receipt(7)),
                  to_base64url(sign_stored(sending.receipt(1), relay_seed(0))), good}) ==
          "status 200");
}

} // namespace plankurier::test::http_bodies_test
