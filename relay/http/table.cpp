// Every call and what it may be refused with: the only table (docs/openapi.yaml is checked by it).
#include "relay/http/routes.hpp"

namespace plankurier::relay::http {

const std::vector<Router::Route>& Router::table() {
    using R = Router;
    static const std::vector<Route> routes = {
        {"GET", "/v1/directory", "", &R::directory},
        {"GET", "/v1/service", "", &R::service},
        {"POST", "/v1/verifications", "malformed invalid_argument rate_limited",
         &R::begin_verification},
        {"POST", "/v1/verifications/resend",
         "malformed not_verified code_expired too_early rate_limited", &R::resend},
        {"POST", "/v1/verifications/check",
         "malformed not_verified wrong_code code_expired too_many_attempts invalid_argument",
         &R::check_code},
        {"POST", "/v1/never", "malformed not_found", &R::never},
        {"POST", "/v1/department/challenge", "malformed", &R::department_challenge},
        {"POST", "/v1/department/session", "malformed not_verified", &R::department_session},
        {"POST", "/v1/inbox/challenge", "malformed unsupported", &R::inbox_challenge},
        {"POST", "/v1/inbox/session", "malformed not_verified", &R::inbox_session},
        {"GET", "/v1/inbox", "not_verified", &R::inbox},
        {"POST", "/v1/transfers",
         "malformed not_verified code_expired unknown_department address_not_allowed "
         "link_not_allowed invalid_argument conflict quota_exceeded",
         &R::create_transfer},
        {"PUT", "/v1/envelope",
         "malformed not_found purged revoked expired conflict unsupported link_not_allowed",
         &R::put_envelope},
        {"GET", "/v1/envelope", "malformed not_found not_verified", &R::envelope},
        {"GET", "/v1/record", "malformed not_found not_verified", &R::record},
        {"POST", "/v1/tickets", "malformed not_found purged revoked expired conflict lost",
         &R::tickets},
        {"POST", "/v1/transfers/finish",
         "malformed not_found purged revoked expired conflict bad_signature tampered", &R::finish},
        {"GET", "/v1/transfers/status", "malformed not_found purged revoked expired", &R::status},
        {"GET", "/v1/transfers/history", "malformed not_found purged revoked expired", &R::history},
        {"POST", "/v1/transfers/revoke", "malformed not_found expired", &R::revoke},
        {"POST", "/v1/transfers/expiry",
         "malformed not_found purged revoked expired conflict invalid_argument", &R::change_expiry},
        {"POST", "/v1/transfers/resend-notice",
         "malformed not_found purged revoked expired conflict too_early too_many_attempts",
         &R::resend_notice},
        {"POST", "/v1/transfers/fetched", "malformed not_found bad_signature", &R::fetched},
        {"POST", "/v1/transfers/report", "malformed not_found", &R::report},
        {"POST", "/v1/swarm/certificate", "malformed not_found", &R::swarm_certificate},
        {"POST", "/v1/relay/sync", "malformed not_found bad_signature expired", &R::sync},
        {"POST", "/v1/relay/certificates", "malformed not_found bad_signature expired",
         &R::relay_certificates},
    };
    return routes;
}

std::vector<RouteInfo> Router::routes() {
    std::vector<RouteInfo> out;
    for (const Route& route : table()) out.push_back({route.method, route.path, route.codes});
    return out;
}

Response Router::dispatch(const Request& request) {
    for (const Route& route : table()) {
        if (route.method == request.method && route.path == request.path) {
            return (this->*route.handler)(request);
        }
    }
    return problem(Errc::not_found);
}

} // namespace plankurier::relay::http
