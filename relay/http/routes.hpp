#pragma once
/// The control plane's calls (docs/protocol.md, sections 2 and 4) on top of the domain. The router
/// holds one mutex around every call into `Relay`; any thread.

#include "relay/domain/relay.hpp"
#include "relay/http/message.hpp"

#include <mutex>
#include <string_view>
#include <vector>

namespace plankurier::relay::http {

/// What the router serves besides the domain.
struct Published {
    SignedDirectory directory;
    RelayId relay_here; ///< the one whose pieces nginx passes on under the service's own address
};

/// A call, and the codes that it may be refused with, but for those that any call may get:
/// `unavailable`, `busy`, and with a body `too_large`, `no_space`.
struct RouteInfo {
    std::string_view method, path, codes;
};

class Router {
public:
    [[nodiscard]] static std::vector<RouteInfo> routes();
    /// `relay` and `published` outlive the router; `mutex` guards both.
    Router(Relay& relay, Published& published, std::mutex& mutex)
        : relay_(relay), published_(published), mutex_(mutex) {}
    /// Answers one request; never throws for what a client sent.
    [[nodiscard]] Response handle(const Request& request);

private:
    using Handler = Response (Router::*)(const Request&);
    struct Route {
        std::string_view method, path, codes;
        Handler handler;
    };
    static const std::vector<Route>& table();
    Response dispatch(const Request& request);
    Response directory(const Request& request);
    Response service(const Request& request);
    Response begin_verification(const Request& request);
    Response too_many_codes(const std::optional<WorkPuzzle>& work);
    Response resend(const Request& request);
    Response check_code(const Request& request);
    Response create_transfer(const Request& request);
    Response put_envelope(const Request& request);
    Response tickets(const Request& request);
    Response finish(const Request& request);
    Response status(const Request& request);
    Response revoke(const Request& request);
    Response history(const Request& request);
    Response change_expiry(const Request& request);
    Response resend_notice(const Request& request);
    Response report(const Request& request);
    Response never(const Request& request);
    Response envelope(const Request& request);
    Response record(const Request& request);
    Response department_challenge(const Request& request);
    Response department_session(const Request& request);
    Response inbox_challenge(const Request& request);
    Response inbox_session(const Request& request);
    Response inbox(const Request& request);
    Response fetched(const Request& request);
    Response sync(const Request& request);
    Response relay_certificates(const Request& request);
    Response swarm_certificate(const Request& request);

    Relay& relay_;
    Published& published_;
    std::mutex& mutex_;
};

} // namespace plankurier::relay::http
