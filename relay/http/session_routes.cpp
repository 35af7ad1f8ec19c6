// Sessions of those who hold a private key, and what waits for them.
#include "relay/http/calls.hpp"
#include "relay/http/routes.hpp"
#include <plankurier/json.hpp>

namespace plankurier::relay::http {

namespace {

Response challenge_answer(const Result<KeyChallenge>& challenge) {
    if (!challenge) return from(challenge);
    return ok({{"challenge", to_base64url(challenge->bytes)}, {"valid_s", challenge->valid_s}});
}

/// Opens the session of `holder` by the answer in `body`.
Response open_session(Relay& relay, const KeyHolder& holder, const Json& body) {
    const auto answer = hash(body.at("answer"));
    if (!answer) return from(answer);
    const auto session = relay.open_key_session(holder, *answer);
    if (!session) return from(session);
    return ok({{"session", to_base64url(session->reveal())}, {"valid_s", KeySessions::idle_max_s}});
}

/// What `get` finds by the link of a notice, or by a session and an id that its inbox lists.
template <typename Get>
Result<Bytes> read(const Request& request, Get get) {
    if (!request.headers.contains("plankurier-session")) {
        const auto link = LinkId::from_hex(header(request, "plankurier-link"));
        if (!link) return fail(Errc::not_found, "link");
        return get(*link);
    }
    const auto session = secret<SessionToken>(request, "plankurier-session", Errc::not_verified);
    if (!session) return tl::unexpected(session.error());
    const auto id = transfer(request);
    if (!id) return tl::unexpected(id.error());
    return get(*session, *id);
}

} // namespace

Response Router::department_challenge(const Request& request) {
    const Json body = parse_json(request.body);
    const auto raw = from_hex(body.at("kid").get<std::string>());
    KeyId kid{};
    if (!raw || raw->size() != kid.size()) return problem(Errc::malformed);
    std::copy(raw->begin(), raw->end(), kid.begin());
    return challenge_answer(
        relay_.department_challenge(body.at("department").get<std::string>(), kid));
}

Response Router::department_session(const Request& request) {
    const Json body = parse_json(request.body);
    KeyHolder holder{body.at("department").get<std::string>(), {}};
    if (holder.department.empty()) return problem(Errc::not_verified); // would name the inbox 0
    return open_session(relay_, holder, body);
}

Response Router::inbox_challenge(const Request& request) {
    const Json body = parse_json(request.body);
    const auto inbox = InboxId::from_hex(body.at("inbox").get<std::string>());
    if (!inbox) return from(inbox);
    auto key = from_base64url(body.at("public_key").get<std::string>());
    if (!key) return from(key);
    const auto type = body.at("type").get<std::int64_t>();
    if (type < 0 || type > 0xFFFF) return problem(Errc::unsupported);
    return challenge_answer(
        relay_.inbox_challenge(*inbox, {static_cast<StanzaType>(type), std::move(*key)}));
}

Response Router::inbox_session(const Request& request) {
    const Json body = parse_json(request.body);
    const auto inbox = InboxId::from_hex(body.at("inbox").get<std::string>());
    if (!inbox) return from(inbox);
    return open_session(relay_, {{}, *inbox}, body);
}

Response Router::inbox(const Request& request) {
    const auto session = secret<SessionToken>(request, "plankurier-session", Errc::not_verified);
    if (!session) return from(session);
    const auto entries = relay_.inbox(*session);
    if (!entries) return from(entries);
    Json transfers = Json::array();
    for (const InboxEntry& one : *entries) {
        transfers.push_back({{"tid", one.transfer.hex()},
                             {"state", state_name(one.state)},
                             {"created", one.created},
                             {"expires", one.expires},
                             {"body_len", one.body_len},
                             {"fetched", one.state == TransferState::fetched}});
    }
    return ok({{"transfers", transfers}});
}

Response Router::envelope(const Request& request) {
    const auto bytes = read(request, [&](const auto&... who) { return relay_.envelope(who...); });
    if (!bytes) return from(bytes);
    return {200, std::string{as_text(*bytes)}, "application/octet-stream"};
}

Response Router::record(const Request& request) {
    const auto bytes =
        read(request, [&](const auto&... who) { return relay_.verified_record(who...); });
    if (!bytes) return from(bytes);
    return ok({{"record", to_base64url(*bytes)}});
}

} // namespace plankurier::relay::http
