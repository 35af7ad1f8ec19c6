#include "relay/http/request_limits.hpp"

#include <plankurier/bytes.hpp>
#include <plankurier/secret.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

namespace plankurier::relay::http {

namespace {

constexpr double burst_s = 10; ///< so many seconds' worth of requests may come at once
constexpr std::size_t buckets_max = 50'000;

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
    if (proof != nullptr && by_proof_.contains(*proof)) {
        return take(by_proof_, *proof, rates_.per_proof_s);
    }
    return take(by_address_, address, rates_.per_address_s);
}

void RequestLimits::proved(const Hash256& proof, bool good) {
    const std::scoped_lock lock{mutex_};
    if (!good) {
        by_proof_.erase(proof);
        return;
    }
    make_room(by_proof_);
    const double full = static_cast<double>(rates_.per_proof_s) * burst_s;
    if (by_proof_.size() < buckets_max) by_proof_.try_emplace(proof, Bucket{full, now_()});
}

template <typename Key>
bool RequestLimits::take(Buckets<Key>& buckets, const Key& key, std::size_t rate) {
    make_room(buckets);
    const double now = now_(), full = static_cast<double>(rate) * burst_s;
    // With more addresses than there is room for, those without a bucket of their own share one.
    const bool own = buckets.size() < buckets_max || buckets.contains(key);
    Bucket& bucket = buckets.try_emplace(own ? key : Key{}, Bucket{full, now}).first->second;
    bucket.left = std::min(full, bucket.left + (now - bucket.since) * static_cast<double>(rate));
    bucket.since = now;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
}

/// Only when there are very many: who has not asked for ten seconds has a full bucket, as a
/// newcomer has; a proof is kept longer, since it would have to be found good again.
template <typename Key>
void RequestLimits::make_room(Buckets<Key>& buckets) {
    if (buckets.size() < buckets_max) return;
    const double kept_s = std::is_same_v<Key, Hash256> ? 900 : burst_s;
    const double now = now_();
    std::erase_if(buckets, [&](const auto& one) { return now - one.second.since > kept_s; });
}

} // namespace plankurier::relay::http
