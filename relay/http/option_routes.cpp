// What a sender may change later, what a recipient may refuse.
#include "relay/http/calls.hpp"
#include "relay/http/routes.hpp"
#include <plankurier/json.hpp>

namespace plankurier::relay::http {

namespace {

/// Calls `then` with the transfer and its sender's token.
template <typename Then>
Response managed(const Request& request, Then then) {
    const auto id = transfer(request);
    if (!id) return from(id);
    const auto token = secret<ManageToken>(request, "plankurier-manage", Errc::not_found);
    if (!token) return from(token);
    return then(*id, *token);
}

} // namespace

Response Router::history(const Request& request) {
    return managed(request, [&](const TransferId& id, const ManageToken& token) {
        const auto history = relay_.history(id, token);
        if (!history) return from(history);
        return ok({{"history", to_base64url(*history)}});
    });
}

Response Router::revoke(const Request& request) {
    return managed(request, [&](const TransferId& id, const ManageToken& token) {
        static_cast<void>(body_or_nothing(request)); // says nothing yet
        const auto history = relay_.revoke(id, token);
        if (!history) return from(history);
        Json out{{"state", "revoked"}};
        if (!history->empty()) out["history"] = to_base64url(*history);
        return ok(out);
    });
}

Response Router::change_expiry(const Request& request) {
    return managed(request, [&](const TransferId& id, const ManageToken& token) {
        const Json body = parse_json(request.body);
        const auto expires =
            relay_.change_expiry(id, token, body.at("expires_days_from_now").get<std::int64_t>());
        if (!expires) return from(expires);
        return ok({{"expires", *expires}});
    });
}

Response Router::resend_notice(const Request& request) {
    return managed(request, [&](const TransferId& id, const ManageToken& token) {
        static_cast<void>(body_or_nothing(request));
        const auto left = relay_.resend_notice(id, token);
        if (!left) return from(left);
        return ok({{"resends_left", *left}});
    });
}

Response Router::report(const Request& request) {
    const auto id = transfer(request);
    if (!id) return from(id);
    const auto token = secret<FetchToken>(request, "plankurier-fetch", Errc::not_found);
    if (!token) return from(token);
    static_cast<void>(body_or_nothing(request));
    const auto done = relay_.report(*id, *token);
    if (!done) return from(done);
    return {204, {}};
}

Response Router::never(const Request& request) {
    const SecretText token{parse_json(request.body).at("token").get<std::string>()};
    const auto done = relay_.never_again(token);
    if (!done) return from(done);
    return {204, {}};
}

} // namespace plankurier::relay::http
