#pragma once
/// Who may ask how often. What nginx limits by address alone would shut out an office behind one
/// address; here a request that has shown something good (a verified session, the token of a
/// transfer, a link) counts for that, and only all others count for their address.

#include "relay/http/buckets.hpp"
#include "relay/http/message.hpp"

#include <plankurier/ids.hpp>

#include <cstddef>
#include <functional>
#include <mutex>

namespace plankurier::relay::http {

/// Requests a second; ten times as many may come at once.
struct RequestRates {
    std::size_t per_address_s{100}; ///< without a good proof
    std::size_t per_proof_s{50};
};

/// Thread safe: one mutex. Memory: at most some 100,000 entries of 250 bytes.
class RequestLimits {
public:
    using Seconds = std::function<double()>; ///< a clock that never goes back
    /// With the system's monotonic clock.
    explicit RequestLimits(const RequestRates& rates);
    RequestLimits(const RequestRates& rates, Seconds now);

    /// `serve` answers the request, unless there were too many of its kind: then `busy`. Its
    /// answer decides whether what the request showed is good: nothing that a client made up is.
    [[nodiscard]] Response handle(const Request& request,
                                  const std::function<Response(const Request&)>& serve);
    /// See Buckets.
    [[nodiscard]] std::size_t looked_at();

private:
    [[nodiscard]] bool admit(const std::string& address, const Hash256* proof);
    void proved(const Hash256& proof, bool good);

    const Seconds now_;
    std::mutex mutex_; ///< guards both below
    Buckets<std::string> by_address_;
    Buckets<Hash256> by_proof_; ///< those that were found good lately
};

} // namespace plankurier::relay::http
