#include "relay/http/request_limits.hpp"

#include <plankurier/bytes.hpp>
#include <plankurier/secret.hpp>

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace plankurier::relay::http {

namespace {

/// A proof is kept, since it would have to be found good again; who has not asked for a while and
/// shows none is a newcomer.
constexpr double proof_kept_s = 900;

/// What a call checks before it answers well, as headers. None for a call that checks nothing, or
/// whose good answer proves nothing.
std::vector<const char*> proof_headers(const Request& request) {
    constexpr const char* transfer = "plankurier-transfer";
    const std::string_view path = request.path;
    const auto has = [&](const char* name) { return request.headers.contains(name); };
    if (path == "/v1/verifications/check") return {"plankurier-session"};
    if (path == "/v1/transfers" && request.method == "POST") return {"plankurier-session"};
    if (path == "/v1/record" || (path == "/v1/envelope" && request.method == "GET")) {
        if (has("plankurier-link")) return {"plankurier-link"};
        return {"plankurier-session", transfer};
    }
    if (path == "/v1/tickets" && !has("plankurier-manage")) return {transfer, "plankurier-fetch"};
    for (const std::string_view managed :
         {"/v1/envelope", "/v1/tickets", "/v1/transfers/finish", "/v1/transfers/status",
          "/v1/transfers/history", "/v1/transfers/expiry", "/v1/transfers/resend-notice"}) {
        if (path == managed) return {transfer, "plankurier-manage"};
    }
    for (const std::string_view fetched :
         {"/v1/transfers/fetched", "/v1/transfers/report", "/v1/swarm/certificate"}) {
        if (path == fetched) return {transfer, "plankurier-fetch"};
    }
    return {};
}

/// What the request shows, decoded, so that another spelling of it is not another proof.
std::optional<Hash256> proof_of(const Request& request) {
    const auto names = proof_headers(request);
    Bytes all;
    for (const std::string_view name : names) {
        const auto header = request.headers.find(std::string{name});
        if (header == request.headers.end()) return std::nullopt;
        const bool hex = name == "plankurier-transfer" || name == "plankurier-link";
        auto raw = hex ? from_hex(header->second) : from_base64url(header->second);
        if (!raw) return std::nullopt;
        const ByteView label = as_bytes(name);
        all.insert(all.end(), label.begin(), label.end());
        all.push_back(std::byte{0});
        all.insert(all.end(), raw->begin(), raw->end());
        wipe(*raw);
    }
    if (names.empty()) return std::nullopt;
    const Hash256 out = sha256(all);
    wipe(all);
    return out;
}

} // namespace

RequestLimits::RequestLimits(const RequestRates& rates, Seconds now)
    : now_(std::move(now)), by_address_(rates.per_address_s, 0),
      by_proof_(rates.per_proof_s, proof_kept_s) {}

RequestLimits::RequestLimits(const RequestRates& rates)
    : RequestLimits(rates, [] {
          return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
              .count();
      }) {}

Response RequestLimits::handle(const Request& request,
                               const std::function<Response(const Request&)>& serve) {
    // What does not come through nginx comes from this machine's own relay.
    if (request.address.empty()) return serve(request);
    const auto proof = proof_of(request);
    if (!admit(request.address, proof ? &*proof : nullptr)) return problem(Errc::busy);
    Response answer = serve(request);
    if (proof && answer.status < 300) proved(*proof, true);
    if (proof && (answer.status == 401 || answer.status == 404)) proved(*proof, false);
    return answer;
}

bool RequestLimits::admit(const std::string& address, const Hash256* proof) {
    const std::scoped_lock lock{mutex_};
    const double now = now_();
    if (proof != nullptr && by_proof_.contains(*proof)) return by_proof_.take(*proof, now);
    return by_address_.take(address, now);
}

void RequestLimits::proved(const Hash256& proof, bool good) {
    const std::scoped_lock lock{mutex_};
    if (good) {
        by_proof_.add(proof, now_());
    } else {
        by_proof_.erase(proof);
    }
}

std::size_t RequestLimits::looked_at() {
    const std::scoped_lock lock{mutex_};
    return by_address_.looked_at() + by_proof_.looked_at();
}

} // namespace plankurier::relay::http
