#pragma once
/// Calls of docs/protocol.md for tests.

#include "relay/http/routes.hpp"

#include "tests/support/control.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <map>
#include <set>

namespace plankurier::test {

using Headers = std::map<std::string, std::string>;

/// A control plane behind its router: requests go in as the HTTP server hands them over.
/// One thread at a time.
struct Api {
    explicit Api(const std::filesystem::path& folder, Control::Options options = {})
        : world(folder, std::move(options)), router(world.relay(), published, mutex) {}

    relay::http::Response call(const std::string& method, const std::string& path,
                               Headers headers = {}, std::string body = {}) {
        return router.handle({method, path, std::move(headers), std::move(body)});
    }
    nlohmann::json good(int status, const std::string& method, const std::string& path,
                        Headers headers = {}, std::string body = {}) {
        const relay::http::Response response =
            call(method, path, std::move(headers), std::move(body));
        INFO(path << " " << response.body);
        CHECK(response.status == status);
        return response.body.empty() ? nlohmann::json{} : nlohmann::json::parse(response.body);
    }
    std::string refused(const std::string& method, const std::string& path, Headers headers,
                        std::string body) {
        const relay::http::Response response =
            call(method, path, std::move(headers), std::move(body));
        if (response.status < 400) return "status " + std::to_string(response.status);
        std::string code = nlohmann::json::parse(response.body).at("code").get<std::string>();
        INFO(method << " " << path << " " << code);
        CHECK(is_documented(method, path, code));
        return code;
    }
    /// True when the router's table names the code for the call.
    static bool is_documented(const std::string& method, const std::string& path,
                              const std::string& code) {
        std::string codes = " too_large unavailable no_space ";
        for (const auto& route : relay::http::Router::routes()) {
            if (route.method != method || route.path != path) continue;
            codes += std::string{route.codes} + " ";
        }
        return codes.find(" " + code + " ") != codes.npos;
    }
    Control world;
    relay::http::Published published;
    std::mutex mutex;
    relay::http::Router router;
};

/// The names of an object's members.
inline std::set<std::string> members(const nlohmann::json& object) {
    std::set<std::string> out;
    for (const auto& [name, value] : object.items()) out.insert(name);
    return out;
}

/// A relay's statement: the text of `inner`, signed by the key under the context.
inline std::string statement_body(const std::string& context, const nlohmann::json& inner,
                                  const SigningSeed& key, const RelayId& id) {
    const std::string text = inner.dump();
    const std::string statement = context + '\0' + text;
    return nlohmann::json{{"relay", id.hex()},
                          {"request", text},
                          {"signature", to_base64url(sign(key, as_bytes(statement)))}}
        .dump();
}

} // namespace plankurier::test
