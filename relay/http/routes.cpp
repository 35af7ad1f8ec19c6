#include "relay/http/routes.hpp"
#include "relay/http/calls.hpp"

#include <plankurier/json.hpp>
#include <plankurier/records.hpp>

#include <set>
#include <string_view>

namespace plankurier::relay::http {

namespace {

constexpr std::size_t json_bytes_max = 64 * 1'024;
constexpr std::size_t relay_bytes_max = 256 * 1'024;
/// Each is looked for at every relay.
constexpr std::size_t finish_receipts_max = 64;

Response no_content() { return {204, {}}; }

Json relays_json(const std::vector<KnownRelay>& relays) {
    Json out = Json::array();
    for (const KnownRelay& relay : relays) {
        out.push_back({{"id", relay.id.hex()}, {"url", relay.url}});
    }
    return out;
}

/// Header fields of draft-ietf-httpapi-ratelimit-headers-06, section 5.
void add_limits(Response& response, std::size_t max, std::size_t left, std::int64_t reset_s) {
    response.headers = {{"RateLimit-Limit", std::to_string(max)},
                        {"RateLimit-Remaining", std::to_string(left)},
                        {"RateLimit-Reset", std::to_string(reset_s)}};
}

std::optional<WorkDone> work_done(const Json& body) {
    if (!body.contains("work")) return std::nullopt;
    const Json& work = body.at("work");
    return WorkDone{work.at("salt").get<std::string>(),
                    work.at("numbers").get<std::vector<std::uint64_t>>()};
}

/// A key that could be guessed would give somebody else's session away: it is not heeded.
CodeWish code_wish(const Request& request, const Json& body) {
    constexpr std::size_t key_min = 22; // 128 bits in base64
    CodeWish wish;
    if (const std::string key = header(request, "idempotency-key"); key.size() >= key_min) {
        wish.request_key = key;
    }
    wish.work = work_done(body);
    return wish;
}

/// What a sender was given by relays, one of each. Only the form is judged here: a wrong word of
/// one relay must not keep the others' from counting. Fails with `malformed`, `too_large`.
Result<std::vector<Bytes>> stored_receipts(const Json& said) {
    if (list(said).size() > finish_receipts_max) return fail(Errc::too_large, "receipts");
    std::vector<Bytes> out;
    std::set<RelayId> relays;
    for (const Json& one : said) {
        auto raw = from_base64url(one.get<std::string>());
        if (!raw) return tl::unexpected(raw.error());
        const auto receipt = read_stored(*raw);
        if (!receipt) return tl::unexpected(receipt.error());
        if (!relays.insert(receipt->relay).second) return fail(Errc::malformed, "a relay twice");
        out.push_back(std::move(*raw));
    }
    return out;
}

Json department_json(const Policy& policy) {
    Json out = Json::object();
    for (const auto& [id, limits] : policy.departments) {
        out[id] = {{"types", limits.types},
                   {"transfer_bytes_max", limits.transfer_bytes_max},
                   {"expiry_days_min", limits.expiry_days_min},
                   {"expiry_days_default", limits.expiry_days_default},
                   {"expiry_days_max", limits.expiry_days_max}};
    }
    return out;
}

} // namespace

Result<Hash256> hash(const Json& value) {
    const auto raw = from_base64url(value.get<std::string>());
    if (!raw || raw->size() != 32) return fail(Errc::malformed, "hash");
    Hash256 out{};
    std::copy(raw->begin(), raw->end(), out.begin());
    return out;
}

std::string_view state_name(TransferState state) {
    switch (state) {
    case TransferState::uploading: return "uploading";
    case TransferState::available: return "available";
    case TransferState::fetched: return "fetched";
    case TransferState::expired: return "expired";
    case TransferState::revoked: return "revoked";
    case TransferState::quarantined: return "withheld";
    }
    return "uploading";
}

Response Router::handle(const Request& request) {
    const bool of_relay = request.path.starts_with("/v1/relay/");
    if (request.body.size() > (of_relay ? relay_bytes_max : json_bytes_max) &&
        request.path != "/v1/envelope") {
        return problem(Errc::too_large);
    }
    try {
        const std::scoped_lock lock{mutex_};
        return dispatch(request);
    } catch (const Json::exception&) {
        return problem(Errc::malformed);
    }
}

Response Router::directory(const Request&) {
    const SignedDirectory& bundle = published_.directory;
    if (bundle.directory_json.empty()) return problem(Errc::unavailable);
    return ok({{"signer_pub", bundle.signer_pub},
               {"signer_minisig", bundle.signer_minisig},
               {"directory_json", bundle.directory_json},
               {"directory_minisig", bundle.directory_minisig},
               {"root_pub", bundle.root_pub}});
}

Response Router::service(const Request&) {
    const Policy& policy = relay_.policy();
    std::string signed_text{"plankurier/1 relays"};
    signed_text += '\0';
    for (const KnownRelay& relay : relay_.relays().all()) {
        signed_text += relay.id.hex() + "\n" + relay.url + "\n";
    }
    return ok({{"authority", policy.authority},
               {"link_base", policy.link_base},
               {"types", policy.types},
               {"transfer_bytes_max", policy.limits.transfer_bytes_max},
               {"files_max", policy.limits.files_max},
               {"message_bytes_max", policy.limits.message_bytes_max},
               {"expiry_days_min", policy.limits.expiry_days_min},
               {"expiry_days_default", policy.limits.expiry_days_default},
               {"expiry_days_max", policy.limits.expiry_days_max},
               {"expiry_extend", policy.limits.expiry_extend},
               {"remember_days_max", policy.limits.remember_days_max},
               {"link_allowed", policy.link_allowed},
               {"staff_domains", staff_domains(policy)},
               {"departments", department_json(policy)},
               {"relays", relays_json(relay_.relays().all())},
               {"relay_here", published_.relay_here.hex()},
               {"signature", to_base64url(relay_.sign_as_control(as_bytes(signed_text)))}});
}

/// With what has to be worked out when that is what helps.
Response Router::too_many_codes(const std::optional<WorkPuzzle>& work) {
    const CodeBudget budget = relay_.code_budget();
    std::string extra;
    if (work) {
        const Json told{{"salt", work->salt}, {"bits", work->bits}, {"count", work->count}};
        extra = ",\"work\":" + told.dump();
    }
    Response response = problem(Errc::rate_limited, extra);
    add_limits(response, budget.max, budget.left, budget.reset_s);
    return response;
}

Response Router::begin_verification(const Request& request) {
    const Json body = parse_json(request.body);
    const auto email = body.at("email").get<std::string>();
    const auto begun = relay_.begin_verification(email, body.value("language", std::string{"de"}),
                                                 code_wish(request, body));
    if (!begun && begun.error().code == Errc::rate_limited)
        return too_many_codes(relay_.code_work(email));
    if (!begun) return from(begun);
    // Of the whole site: what is left for one address would tell who else has asked for it.
    const CodeBudget budget = relay_.code_budget();
    Response response = ok({{"session", to_base64url(begun->session.reveal())},
                            {"valid_s", begun->valid_s},
                            {"resend_s", begun->resend_s},
                            {"number", begun->number}},
                           202);
    add_limits(response, budget.max, budget.left, budget.reset_s);
    return response;
}

Response Router::resend(const Request& request) {
    const auto session = secret<SessionToken>(request, "plankurier-session", Errc::not_verified);
    if (!session) return from(session);
    const Json body = body_or_nothing(request);
    const auto done = relay_.resend(*session, work_done(body));
    if (!done && done.error().code == Errc::rate_limited) {
        return too_many_codes(relay_.code_work(*session));
    }
    if (!done) return from(done);
    const Limits& limits = relay_.policy().limits;
    return ok({{"session", to_base64url(session->reveal())},
               {"valid_s", limits.code_valid_s},
               {"resend_s", limits.code_resend_s},
               {"number", *done}},
              202);
}

Response Router::check_code(const Request& request) {
    const auto session = secret<SessionToken>(request, "plankurier-session", Errc::not_verified);
    if (!session) return from(session);
    const Json body = parse_json(request.body);
    const SecretText code{body.at("code").get<std::string>()};
    const auto remember_days = body.value("remember_days", std::int64_t{0});
    std::int64_t attempts_left = 0;
    const auto checked = relay_.check_code(*session, code, attempts_left, remember_days);
    const auto is_refused = [&](Errc why) { return !checked && checked.error().code == why; };
    if (is_refused(Errc::invalid_argument) || is_refused(Errc::malformed)) return from(checked);
    if (!checked) {
        return problem(checked.error().code, ",\"attempts_left\":" + std::to_string(attempts_left));
    }
    return ok({{"verified", true}});
}

Response Router::create_transfer(const Request& request) {
    const auto session = secret<SessionToken>(request, "plankurier-session", Errc::not_verified);
    if (!session) return from(session);
    const Json body = parse_json(request.body);
    TransferRequest wanted;
    const auto id = TransferId::from_hex(body.at("tid").get<std::string>());
    const auto fetch = hash(body.at("fetch_sha256"));
    const auto manage = hash(body.at("manage_sha256"));
    if (!id) return from(id);
    if (!fetch) return from(fetch);
    if (!manage) return from(manage);
    wanted.transfer = *id;
    wanted.fetch_hash = *fetch;
    wanted.manage_hash = *manage;
    wanted.department = body.value("department", std::string{});
    wanted.also = body.value("also", std::vector<std::string>{});
    wanted.staff = body.value("staff", std::string{});
    wanted.citizen = body.value("citizen", std::string{});
    if (body.contains("inbox")) {
        const auto inbox = InboxId::from_hex(body.at("inbox").get<std::string>());
        if (!inbox) return from(inbox);
        wanted.inbox = *inbox;
    }
    wanted.body_len = body.at("body_len").get<std::uint64_t>();
    wanted.expiry_days = body.at("expiry_days").get<std::int64_t>();
    wanted.notify_fetch = body.value("notify_fetch", true);
    wanted.notify_unfetched = body.value("notify_unfetched", false);
    wanted.remind_recipient = body.value("remind_recipient", false);
    wanted.language = body.value("language", std::string{"de"});
    wanted.phone = body.value("phone", std::string{});
    wanted.by_link = body.value("by_link", false);
    const auto created = relay_.create_transfer(*session, wanted);
    if (!created) return from(created);
    Response response = ok({{"state", "uploading"}, {"upload_until", created->upload_until}}, 201);
    if (created->quota) {
        add_limits(response, created->quota->open_max, created->quota->open_left, 0);
    }
    return response;
}

Response Router::put_envelope(const Request& request) {
    const auto id = transfer(request);
    if (!id) return from(id);
    const auto token = secret<ManageToken>(request, "plankurier-manage", Errc::not_found);
    if (!token) return from(token);
    const auto done = relay_.put_envelope(*id, *token, as_bytes(request.body));
    return done ? no_content() : from(done);
}

Response Router::tickets(const Request& request) {
    const auto id = transfer(request);
    if (!id) return from(id);
    static_cast<void>(body_or_nothing(request)); // says nothing yet
    Result<TicketAnswer> answer = fail(Errc::not_found);
    if (request.headers.contains("plankurier-manage")) {
        const auto token = secret<ManageToken>(request, "plankurier-manage", Errc::not_found);
        if (token) answer = relay_.put_ticket(*id, *token);
    } else {
        const auto token = secret<FetchToken>(request, "plankurier-fetch", Errc::not_found);
        if (token) answer = relay_.get_ticket(*id, *token);
    }
    if (!answer) return from(answer);
    Json out{{"ticket", to_base64url(answer->ticket)},
             {"expires", answer->expires},
             {"relays", relays_json(answer->relays)}};
    if (answer->stored_min != 0) out["stored_min"] = answer->stored_min;
    return ok(out);
}

Response Router::finish(const Request& request) {
    const auto id = transfer(request);
    if (!id) return from(id);
    const auto token = secret<ManageToken>(request, "plankurier-manage", Errc::not_found);
    if (!token) return from(token);
    const Json body = parse_json(request.body);
    const auto receipts = stored_receipts(body.at("receipts"));
    if (!receipts) return from(receipts);
    const auto content_root = hash(body.at("content_root"));
    if (!content_root) return from(content_root);
    const auto finished = relay_.finish(*id, *token, *receipts, *content_root);
    if (!finished) return from(finished);
    Json out{{"state", "available"},
             {"expires", finished->expires},
             {"receipt_number", finished->receipt_number}};
    if (finished->link) out["link"] = finished->link->hex();
    return ok(out);
}

Response Router::status(const Request& request) {
    const auto id = transfer(request);
    if (!id) return from(id);
    const auto token = secret<ManageToken>(request, "plankurier-manage", Errc::not_found);
    if (!token) return from(token);
    const auto state = relay_.status(*id, *token);
    if (!state) return from(state);
    return ok({{"state", state_name(state->state)},
               {"expires", state->expires},
               {"created", state->created},
               {"fetched", state->fetched != 0},
               {"fetched_at", state->fetched},
               {"signed", state->fetch_signed},
               {"recipient_undeliverable", state->undeliverable},
               {"body_len", state->body_len},
               {"copies", state->copies},
               {"lost", state->lost},
               {"resends_left", state->resends_left}});
}

Response Router::fetched(const Request& request) {
    const auto id = transfer(request);
    if (!id) return from(id);
    const auto token = secret<FetchToken>(request, "plankurier-fetch", Errc::not_found);
    if (!token) return from(token);
    const Json body = body_or_nothing(request);
    const auto report = from_base64url(body.value("report", std::string{}));
    if (!report) return from(report);
    const auto done = relay_.fetched(*id, *token, *report);
    return done ? no_content() : from(done);
}

} // namespace plankurier::relay::http
