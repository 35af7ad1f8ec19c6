// Requests that are wrong in form get the answers of docs/protocol.md, section 1.
#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>

namespace plankurier::test::http_test {

namespace {

using nlohmann::json;
using relay::http::Request;
using relay::http::Response;

std::string code_of(const Response& response) {
    if (response.status < 400) return "status " + std::to_string(response.status);
    CHECK(response.type == "application/problem+json");
    const json problem = json::parse(response.body);
    CHECK(problem.at("status") == response.status);
    CHECK(problem.at("type") == "about:blank");
    CHECK(problem.at("title").is_string());
    return problem.at("code").get<std::string>();
}

/// The table of docs/protocol.md, section 1: code -> status.
std::map<std::string, int> documented() {
    std::map<std::string, int> out;
    std::ifstream in{std::filesystem::path{PLANKURIER_SOURCE_DIR} / "docs" / "protocol.md"};
    for (std::string line; std::getline(in, line);) {
        int status = 0;
        if (std::sscanf(line.c_str(), "| %3d |", &status) != 1 || status < 400) continue;
        std::istringstream words{line.substr(7)};
        for (std::string word; words >> word && word != "|";) out[word] = status;
    }
    return out;
}

struct Call {
    std::string method, path;
    std::vector<std::string> headers;
};
const std::vector<Call> calls{
    {"GET", "/v1/directory", {}},
    {"GET", "/v1/service", {}},
    {"POST", "/v1/verifications", {}},
    {"POST", "/v1/verifications/resend", {"session"}},
    {"POST", "/v1/verifications/check", {"session"}},
    {"POST", "/v1/transfers", {"session"}},
    {"PUT", "/v1/envelope", {"transfer", "manage"}},
    {"POST", "/v1/tickets", {"transfer", "manage"}},
    {"POST", "/v1/tickets", {"transfer", "fetch"}},
    {"POST", "/v1/transfers/finish", {"transfer", "manage"}},
    {"GET", "/v1/transfers/status", {"transfer", "manage"}},
    {"POST", "/v1/transfers/revoke", {"transfer", "manage"}},
    {"GET", "/v1/envelope", {"link"}},
    {"GET", "/v1/record", {"link"}},
    {"POST", "/v1/transfers/fetched", {"transfer", "fetch"}},
    {"POST", "/v1/never", {}},
    {"GET", "/v1/transfers/history", {"transfer", "manage"}},
    {"POST", "/v1/transfers/expiry", {"transfer", "manage"}},
    {"POST", "/v1/transfers/resend-notice", {"transfer", "manage"}},
    {"POST", "/v1/transfers/report", {"transfer", "fetch"}},
    {"POST", "/v1/department/challenge", {}},
    {"POST", "/v1/department/session", {}},
    {"POST", "/v1/inbox/challenge", {}},
    {"POST", "/v1/inbox/session", {}},
    {"GET", "/v1/inbox", {"session"}},
    {"POST", "/v1/relay/sync", {}},
    {"POST", "/v1/relay/certificates", {}},
    {"POST", "/v1/swarm/certificate", {"transfer", "fetch"}},
};

/// Headers of the right form that belong to nothing.
std::map<std::string, std::string> formed(const Call& call) {
    std::map<std::string, std::string> out;
    for (const std::string& name : call.headers) {
        const bool id = name == "transfer" || name == "link";
        out["plankurier-" + name] =
            id ? TransferId::random().hex() : to_base64url(SessionToken::random().reveal());
    }
    return out;
}

json transfer_body(const Sending& sending) {
    const auto request = sending.request();
    return {{"tid", sending.id.hex()},
            {"department", "bauamt"},
            {"body_len", request.body_len},
            {"expiry_days", 14},
            {"fetch_sha256", to_base64url(request.fetch_hash)},
            {"manage_sha256", to_base64url(request.manage_hash)}};
}

} // namespace

TEST_CASE("every code has the status that the protocol's table names") {
    const auto table = documented();
    CHECK(table.size() == 28);
    for (const auto& [code, status] : table) {
        INFO(code);
        const Errc errc = errc_from_name(code);
        CHECK(name(errc) == code);
        CHECK(relay::http::status_of(errc) == status);
        const Response problem = relay::http::problem(errc);
        CHECK(problem.status == status);
        CHECK(code_of(problem) == code);
    }
}

TEST_CASE("codes that never leave a client are answered as unavailable, if ever") {
    const auto table = documented();
    for (int number = 0; number <= static_cast<int>(Errc::canceled); ++number) {
        const auto errc = static_cast<Errc>(number);
        if (!table.contains(std::string{name(errc)})) CHECK(relay::http::status_of(errc) == 503);
    }
}

TEST_CASE("unknown paths and wrong methods are not found") {
    const TempFolder folder;
    Api api{folder.path()};
    for (const char* path :
         {"", "/", "/v1", "/v1/", "/v2/service", "/v1/service/", "/v1//service", "/v1/Service",
          "/v1/service?x=1", "/v1/transfers/status/x", "/../v1/service", "/v1/%73ervice",
          "/metrics", "/v1/service\n", "/v1/verifications/"}) {
        for (const char* method : {"GET", "POST", "PUT"}) {
            INFO(method << " " << path);
            CHECK(code_of(api.call(method, path, {}, "{}")) == "not_found");
        }
    }
    for (const Call& call : calls) {
        for (const char* method : {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "get", ""}) {
            const bool known = std::ranges::any_of(calls, [&](const Call& one) {
                return one.path == call.path && one.method == method;
            });
            INFO(method << " " << call.path);
            if (!known) CHECK(code_of(api.call(method, call.path, {}, "{}")) == "not_found");
        }
    }
}

TEST_CASE("a missing or odd header is refused and tells nothing") {
    const TempFolder folder;
    Api api{folder.path()};
    const std::string token = to_base64url(SessionToken::random().reveal());
    const std::string id = TransferId::random().hex();
    const std::vector<std::string> odd{"",
                                       "x",
                                       token + "A",
                                       token + "=",
                                       token.substr(1),
                                       "=" + token,
                                       id + id,
                                       id + "0",
                                       "null",
                                       std::string(128, 'A'),
                                       id.substr(1),
                                       "-",
                                       "g" + id.substr(1),
                                       token.substr(0, 42) + "_"};
    for (const Call& call : calls) {
        for (const std::string& name : call.headers) {
            const std::string full = "plankurier-" + name;
            const std::string expected = name == "session"    ? "not_verified"
                                         : name == "transfer" ? "malformed"
                                                              : "not_found";
            auto headers = formed(call);
            headers.erase(full);
            INFO(call.method << " " << call.path << " " << full);
            CHECK(code_of(api.call(call.method, call.path, headers, "{}")) == expected);
            for (const std::string& value : odd) {
                headers[full] = value;
                INFO(value);
                const auto code = code_of(api.call(call.method, call.path, headers, "{}"));
                // The last digit of a token holds two unused bits; either they are zero or not.
                CHECK((code == expected || (name == "session" && code == "malformed")));
            }
        }
    }
}

TEST_CASE("headers of the right form that belong to nothing get the strangers' answer") {
    const TempFolder folder;
    Api api{folder.path()};
    const std::string body = json{{"code", "ABCD-EFGH"},
                                  {"receipts", json::array()},
                                  {"content_root", to_base64url(Hash256{})},
                                  {"report", ""},
                                  {"public_key", ""},
                                  {"expires_days_from_now", 1}}
                                 .dump();
    for (const Call& call : calls) {
        if (call.headers.empty()) continue;
        INFO(call.method << " " << call.path);
        std::string expected = call.headers.front() == "session" ? "not_verified" : "not_found";
        if (call.path == "/v1/verifications/check") expected = "code_expired";
        if (call.path == "/v1/transfers") {
            CHECK(code_of(api.call(call.method, call.path, formed(call),
                                   transfer_body(Sending{}).dump())) == expected);
        } else {
            CHECK(code_of(api.call(call.method, call.path, formed(call), body)) == expected);
        }
    }
}

TEST_CASE("a body that is no JSON, or JSON of another kind, is malformed and changes nothing") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto session = api.world.verified_session();
    const auto sending = api.world.uploading();
    const std::map<std::string, std::string> headers{
        {"plankurier-session", to_base64url(session.reveal())},
        {"plankurier-transfer", sending.id.hex()},
        {"plankurier-manage", to_base64url(sending.manage.reveal())}};
    const std::vector<std::string> bodies{"",
                                          " ",
                                          "{",
                                          "}",
                                          "[]",
                                          "null",
                                          "true",
                                          "0",
                                          "-1e999",
                                          "\"x\"",
                                          "{\"email\"}",
                                          "{\"email\":}",
                                          "{'email':'a@b.example'}",
                                          "{\"email\":\"a@b.example\"",
                                          "\xff\xfe",
                                          "{\"email\":\"\xc3\x28@b.example\"}",
                                          "{\"email\":5}",
                                          "{\"email\":[\"a@b.example\"]}",
                                          "{\"email\":null}",
                                          "{\"email\":{}}",
                                          "{}{}",
                                          "{\"Email\":\"a@b.example\"}",
                                          std::string("{\"email\":\"a\0\"", 13),
                                          std::string(30'000, '['),
                                          std::string(30'000, '[') + std::string(30'000, ']'),
                                          "<xml/>",
                                          "email=a@b.example",
                                          "{\"code\":7,\"receipts\":7,\"tid\":7}",
                                          "{\"code\":[],\"receipts\":[7],\"tid\":[]}",
                                          "{\"receipts\":{\"a\":[]}}"};
    for (const char* path :
         {"/v1/verifications", "/v1/verifications/check", "/v1/transfers", "/v1/transfers/finish",
          "/v1/never", "/v1/department/challenge", "/v1/department/session", "/v1/inbox/challenge",
          "/v1/inbox/session", "/v1/relay/sync", "/v1/relay/certificates"}) {
        for (const std::string& body : bodies) {
            INFO(path << " " << body.substr(0, 60));
            CHECK(code_of(api.call("POST", path, headers, body)) == "malformed");
        }
    }
    CHECK(api.world.store().counts().uploading == 1);
    api.world.relay().tick();
    CHECK(api.world.mails.tried.size() == 2);
}

TEST_CASE("numbers in JSON that are none, or too large, get no transfer") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto session = api.world.verified_session();
    const std::map<std::string, std::string> headers{
        {"plankurier-session", to_base64url(session.reveal())}};
    for (const char* member : {"body_len", "expiry_days"}) {
        for (const char* value :
             {"-1", "0", "1e300", "1e19", "18446744073709551616", "\"14\"", "null", "[]",
              "-9223372036854775808", "9007199254740993", "14.0", "14.5", "1.4e1"}) {
            json body = transfer_body(Sending{});
            body[member] = "number";
            std::string text = body.dump();
            text.replace(text.find("\"number\""), 8, value);
            INFO(member << " " << value);
            const Response response = api.call("POST", "/v1/transfers", headers, text);
            CHECK(response.status == 400);
        }
    }
    for (const char* member : {"tid", "fetch_sha256", "manage_sha256"}) {
        for (const char* value : {"", "00", "zz", "0123456789abcdef0123456789abcde",
                                  "0123456789abcdef0123456789abcdef0"}) {
            json body = transfer_body(Sending{});
            body[member] = value;
            INFO(member << " " << value);
            CHECK(code_of(api.call("POST", "/v1/transfers", headers, body.dump())) == "malformed");
        }
    }
    CHECK(api.world.store().counts().uploading == 0);
    CHECK(api.call("POST", "/v1/transfers", headers, transfer_body(Sending{}).dump()).status ==
          201);
}

TEST_CASE("a JSON body has at most 64 KiB, a relay's 256, an envelope may be larger") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto body = [](std::size_t bytes) {
        const std::string start = R"({"email":"a@buerger.example","x":")";
        return start + std::string(bytes - start.size() - 2, 'x') + "\"}";
    };
    CHECK(api.call("POST", "/v1/verifications", {}, body(65'536)).status == 202);
    for (const Call& call : calls) {
        if (call.path == "/v1/envelope") continue;
        INFO(call.path);
        const bool of_relay = call.path.starts_with("/v1/relay/");
        const std::size_t bytes_max = of_relay ? 262'144 : 65'536;
        CHECK(code_of(api.call(call.method, call.path, formed(call), body(bytes_max + 1))) ==
              "too_large");
        if (of_relay) {
            CHECK(code_of(api.call(call.method, call.path, {}, body(bytes_max))) == "malformed");
        }
    }
    const Call put{"PUT", "/v1/envelope", {"transfer", "manage"}};
    CHECK(code_of(api.call("PUT", put.path, formed(put), body(65'537))) == "not_found");
}

TEST_CASE("a wrong code is answered with what is left") {
    const TempFolder folder;
    Api api{folder.path()};
    const Response begun = api.call("POST", "/v1/verifications", {},
                                    R"({"email":"a@buerger.example","language":"en"})");
    REQUIRE(begun.status == 202);
    const json session = json::parse(begun.body);
    CHECK(session.at("valid_s") == 1'800);
    CHECK(session.at("resend_s") == 60);
    const std::map<std::string, std::string> headers{
        {"plankurier-session", session.at("session").get<std::string>()}};
    const auto check = [&] {
        return api.call("POST", "/v1/verifications/check", headers, R"({"code":"ABCD-EFGH"})");
    };
    for (const int left : {4, 3, 2, 1, 0}) {
        const Response answer = check();
        CHECK(code_of(answer) == "wrong_code");
        CHECK(json::parse(answer.body).at("attempts_left") == left);
    }
    CHECK(code_of(check()) == "too_many_attempts");
    CHECK(code_of(api.call("POST", "/v1/verifications/resend", headers, "{}")) == "too_early");
}

} // namespace plankurier::test::http_test
