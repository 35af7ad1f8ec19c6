#include "relay/http/message.hpp"

namespace plankurier::relay::http {

int status_of(Errc code) noexcept {
    switch (code) {
    case Errc::invalid_argument:
    case Errc::malformed:
    case Errc::unsupported: return 400;
    case Errc::not_verified:
    case Errc::bad_signature: return 401;
    case Errc::wrong_code:
    case Errc::address_not_allowed:
    case Errc::type_not_allowed:
    case Errc::link_not_allowed: return 403;
    case Errc::not_found:
    case Errc::unknown_department: return 404;
    case Errc::conflict:
    case Errc::exists:
    case Errc::tampered: return 409;
    case Errc::expired:
    case Errc::code_expired:
    case Errc::revoked:
    case Errc::purged:
    case Errc::lost: return 410;
    case Errc::too_large:
    case Errc::too_many_files: return 413;
    case Errc::too_many_attempts:
    case Errc::too_early:
    case Errc::rate_limited:
    case Errc::quota_exceeded: return 429;
    case Errc::no_space: return 507;
    default: return 503;
    }
}

Response problem(Errc code, const std::string& extra) {
    const int status = status_of(code);
    Response out{status,
                 R"({"type":"about:blank","title":")" + std::string{name(code)} + R"(","status":)" +
                     std::to_string(status) + R"(,"code":")" + std::string{name(code)} + '"' +
                     extra + "}",
                 "application/problem+json"};
    // Others are through in a second, or in a few: clients wait longer each time.
    if (code == Errc::busy) out.headers["Retry-After"] = "1";
    return out;
}

} // namespace plankurier::relay::http
