#include <clients/cli/control_client.hpp>

#include <clients/cli/signals.hpp>
#include <clients/cli/texts_mistakes.hpp>

#include <plankurier/envelope.hpp>

#include <algorithm>
#include <utility>

namespace plankurier::cli {

namespace {

HttpLine::Headers headers_for(const ManageRight& right) {
    return {"Plankurier-Transfer: " + right.transfer.hex(),
            "Plankurier-Manage: " + to_base64url(right.token.reveal())};
}
HttpLine::Headers headers_for(const FetchRight& right) {
    return {"Plankurier-Transfer: " + right.transfer.hex(),
            "Plankurier-Fetch: " + to_base64url(right.token.reveal())};
}
HttpLine::Headers headers_for(const InboxRight& right) {
    return {"Plankurier-Transfer: " + right.transfer.hex(), "Plankurier-Session: " + right.session};
}
HttpLine::Headers headers_for(const LinkId& link) { return {"Plankurier-Link: " + link.hex()}; }

const ByteView empty_object = as_bytes("{}");
constexpr std::size_t answer_bytes_max = 16u << 20; // a directory of ten thousand clerks
constexpr const char* json_type = "Content-Type: application/json";

/// An answer that is not the service's, or not a whole one, is none: a login page of the network, a
/// proxy's own page, a redirect, JSON that breaks off; or half a head, which libcurl lets pass.
Result<HttpAnswer> of_the_service(Result<HttpAnswer> answer) {
    if (!answer || answer->status >= 400) return answer;
    const bool has_body = answer->status != 204;
    const bool odd =
        answer->status >= 300 || answer->is_page() || (has_body && answer->type.empty());
    const bool json = has_body && answer->type.starts_with("application/json");
    if (odd || (json && !is_whole_object(answer->body))) {
        return fail(Errc::network, "not the service's answer");
    }
    return answer;
}

/// What a proxy says when nobody is behind it, and what nobody says.
bool nobody_there(const Result<HttpAnswer>& answer) {
    if (!answer) return answer.error().code == Errc::network && !mistake_of(answer.error());
    return answer->status >= 502 && answer->status <= 504;
}

template <typename T>
Result<void> nothing(const Result<T>& result) {
    if (!result) return tl::unexpected(result.error());
    return {};
}

} // namespace

ControlClient::ControlClient(std::string server, const HttpSettings& settings)
    : server_(std::move(server)), settings_(settings), line_(settings) {}

void ControlClient::be_patient(Waiting waiting) {
    waiting_ = std::move(waiting);
    line_.on_busy(waiting_);
}

/// A call is an affair of milliseconds, so silence soon means that nobody is there, and asking
/// anew, by a new connection, does no harm; longer each time, since the service may only be slow.
unsigned ControlClient::silence_for(unsigned tries) const {
    if (!waiting_) return settings_.silence_seconds;
    return std::min(settings_.silence_seconds, 5U << std::min(tries, 4U));
}

Result<HttpAnswer> ControlClient::ask(std::string_view method, const std::string& url,
                                      const HttpLine::Headers& headers, ByteView body) {
    using std::chrono::steady_clock, std::chrono::seconds;
    auto settings = settings_;
    unsigned tries = 0;
    for (seconds pause{1};; pause = std::min(2 * pause, seconds{4})) {
        const auto begun = steady_clock::now();
        settings.silence_seconds = silence_for(tries++);
        line_.use(settings);
        auto answer = of_the_service(line_.request(method, url, headers, body, answer_bytes_max));
        if (!nobody_there(answer)) {
            silent_since_.reset();
            return answer;
        }
        if (!silent_since_) silent_since_ = begun;
        const bool again =
            waiting_ && steady_clock::now() + pause < *silent_since_ + control_patience;
        if (!again) return answer;
        waiting_(static_cast<unsigned>(pause.count()));
        if (!pause_for(pause)) return fail(Errc::canceled, "waiting");
    }
}

void ControlClient::hear(std::int64_t date) {
    if (date == 0) return;
    clock_.hear(date);
    if (!clock_.is_wrong() || !wrong_clock_) return;
    std::exchange(wrong_clock_, nullptr)(clock_);
}

Result<std::string> ControlClient::read(Result<HttpAnswer> answer) {
    problem_ = {};
    if (!answer) {
        const Error& error = answer.error();
        if (error.detail == certificate_time) hear(line_.unchecked_date(server_));
        return tl::unexpected(error);
    }
    hear(answer->date);
    if (answer->status >= 200 && answer->status < 300) return std::move(answer->body);
    problem_ = parse_problem(answer->status, answer->body);
    return fail(problem_.code, "status " + std::to_string(answer->status));
}

Result<std::string> ControlClient::call(std::string_view method, std::string_view path,
                                        HttpLine::Headers headers, ByteView body,
                                        std::string_view type) {
    if (!body.empty()) headers.push_back("Content-Type: " + std::string{type});
    return read(ask(method, server_ + std::string{path}, headers, body));
}

Result<SignedDirectory> ControlClient::directory() {
    return call("GET", "/v1/directory", {}, {}).and_then(parse_directory_answer);
}

Result<Service> ControlClient::service(const SigningPublicKey& record_key) {
    auto service = call("GET", "/v1/service", {}, {}).and_then(parse_service);
    if (!service) return service;
    if (!verify(record_key, as_bytes(relay_list_text(service->relays)), service->signature)) {
        return fail(Errc::bad_signature, "service");
    }
    return service;
}

/// Asks once more with work done, where that is what helps.
template <typename Ask>
std::invoke_result_t<Ask, std::optional<WorkDone>> ControlClient::with_work(const Ask& ask) {
    auto done = ask(std::nullopt);
    if (done || !problem_.work) return done;
    const WorkPuzzle puzzle = *problem_.work;
    if (work_begins_) work_begins_(puzzle);
    if (is_too_much(puzzle)) return fail(Errc::rate_limited, "too much work");
    auto numbers = solve_work(puzzle, interrupted);
    if (!numbers) return tl::unexpected(numbers.error());
    return ask(WorkDone{puzzle.salt, std::move(*numbers)});
}

Result<VerificationBegun> ControlClient::begin_verification(std::string_view email,
                                                            std::string_view language) {
    // Said again after a line that broke, it is the same verification: no second mail.
    std::array<std::byte, 16> once{};
    fill_random(once);
    const auto key = "Idempotency-Key: " + to_base64url(once);
    const auto ask = [&](const std::optional<WorkDone>& work) {
        const auto body = encode_verification(email, language, work);
        return call("POST", "/v1/verifications", {key}, as_bytes(body))
            .and_then(parse_verification);
    };
    return with_work(ask);
}

Result<unsigned> ControlClient::resend_code(const std::string& session) {
    const auto ask = [&](const std::optional<WorkDone>& work) {
        const auto body = encode_code_again(work);
        return call("POST", "/v1/verifications/resend", {"Plankurier-Session: " + session},
                    as_bytes(body))
            .and_then(parse_verification)
            .map([](const VerificationBegun& begun) { return begun.number; });
    };
    return with_work(ask);
}

Result<void> ControlClient::check_code(const std::string& session, const SecretText& code,
                                       unsigned remember_days,
                                       std::optional<unsigned>& attempts_left) {
    const auto body = encode_code(code.reveal(), remember_days);
    const auto answer =
        call("POST", "/v1/verifications/check", {"Plankurier-Session: " + session}, as_bytes(body));
    attempts_left = problem_.attempts_left;
    return nothing(answer);
}

Result<void> ControlClient::create_transfer(const std::string& session,
                                            const TransferRequest& request) {
    const auto body = encode_transfer(request);
    return nothing(
        call("POST", "/v1/transfers", {"Plankurier-Session: " + session}, as_bytes(body)));
}

Result<void> ControlClient::put_envelope(const ManageRight& right, ByteView envelope) {
    return nothing(
        call("PUT", "/v1/envelope", headers_for(right), envelope, "application/octet-stream"));
}

Result<TicketAnswer> ControlClient::ticket(const ManageRight& right) {
    return call("POST", "/v1/tickets", headers_for(right), empty_object).and_then(parse_ticket);
}

Result<TicketAnswer> ControlClient::ticket(const FetchRight& right) {
    return call("POST", "/v1/tickets", headers_for(right), empty_object).and_then(parse_ticket);
}

Result<Finished> ControlClient::finish(const ManageRight& right,
                                       const std::vector<std::string>& receipts,
                                       const Hash256& content_root) {
    const auto body = encode_receipts(receipts, content_root);
    auto headers = headers_for(right);
    headers.push_back(json_type);
    return read(line_.request("POST", server_ + "/v1/transfers/finish", headers, as_bytes(body)))
        .and_then(parse_finished);
}

Result<TransferStatus> ControlClient::status(const ManageRight& right) {
    return call("GET", "/v1/transfers/status", headers_for(right), {}).and_then(parse_status);
}

Result<Bytes> ControlClient::revoke(const ManageRight& right) {
    return call("POST", "/v1/transfers/revoke", headers_for(right), empty_object)
        .and_then(parse_revoked);
}

Result<Bytes> ControlClient::history(const ManageRight& right) {
    return call("GET", "/v1/transfers/history", headers_for(right), {}).and_then(parse_history);
}

Result<std::int64_t> ControlClient::change_expiry(const ManageRight& right,
                                                  std::uint32_t days_from_now) {
    const auto body = encode_expiry(days_from_now);
    return call("POST", "/v1/transfers/expiry", headers_for(right), as_bytes(body))
        .and_then(parse_expiry);
}

Result<std::int64_t> ControlClient::resend_notice(const ManageRight& right) {
    return call("POST", "/v1/transfers/resend-notice", headers_for(right), empty_object)
        .and_then(parse_resends_left);
}

Result<Bytes> ControlClient::department_challenge(std::string_view department, const KeyId& kid) {
    const auto body = encode_department_challenge(department, kid);
    return call("POST", "/v1/department/challenge", {}, as_bytes(body)).and_then(parse_challenge);
}

Result<std::string> ControlClient::department_session(std::string_view department,
                                                      const Hash256& answer) {
    const auto body = encode_department_answer(department, answer);
    return call("POST", "/v1/department/session", {}, as_bytes(body)).and_then(parse_session);
}

Result<Bytes> ControlClient::inbox_challenge(const RecipientPublicKey& key) {
    const auto body = encode_inbox_challenge(key);
    return call("POST", "/v1/inbox/challenge", {}, as_bytes(body)).and_then(parse_challenge);
}

Result<std::string> ControlClient::inbox_session(const InboxId& inbox, const Hash256& answer) {
    const auto body = encode_inbox_answer(inbox, answer);
    return call("POST", "/v1/inbox/session", {}, as_bytes(body)).and_then(parse_session);
}

Result<std::vector<InboxEntry>> ControlClient::inbox(const std::string& session) {
    return call("GET", "/v1/inbox", {"Plankurier-Session: " + session}, {}).and_then(parse_inbox);
}

Result<Bytes> ControlClient::envelope_with(HttpLine::Headers headers) {
    auto answer = call("GET", "/v1/envelope", std::move(headers), {});
    if (!answer) return tl::unexpected(answer.error());
    const auto view = as_bytes(*answer);
    if (view.size() > envelope_bytes_max) return fail(Errc::too_large, "envelope");
    return Bytes{view.begin(), view.end()};
}

Result<Bytes> ControlClient::envelope(const LinkId& link) {
    return envelope_with(headers_for(link));
}

Result<Bytes> ControlClient::envelope(const InboxRight& right) {
    return envelope_with(headers_for(right));
}

Result<Bytes> ControlClient::record(const InboxRight& right) {
    return call("GET", "/v1/record", headers_for(right), {}).and_then(parse_record);
}

Result<Bytes> ControlClient::record(const LinkId& link) {
    return call("GET", "/v1/record", headers_for(link), {}).and_then(parse_record);
}

Result<CertificateAnswer> ControlClient::swarm_certificate(const FetchRight& right,
                                                           ByteView public_key) {
    const auto body = encode_public_key(public_key);
    return call("POST", "/v1/swarm/certificate", headers_for(right), as_bytes(body))
        .and_then(parse_certificate);
}

Result<void> ControlClient::fetched(const FetchRight& right, std::optional<Bytes> report) {
    const auto body = encode_report(std::move(report));
    return nothing(call("POST", "/v1/transfers/fetched", headers_for(right), as_bytes(body)));
}

Result<void> ControlClient::report(const FetchRight& right) {
    return nothing(call("POST", "/v1/transfers/report", headers_for(right), empty_object));
}

} // namespace plankurier::cli
