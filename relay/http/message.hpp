#pragma once
/// Requests and answers without an HTTP library, so that routes are plain functions.

#include <plankurier/error.hpp>

#include <map>
#include <string>

namespace plankurier::relay::http {

struct Request {
    std::string method, path;
    std::map<std::string, std::string> headers; ///< only those of ours, names in lower case
    std::string body;
    /// Who asks, as nginx says: a numeric address, of IPv6 its network of 64 bits. Empty: this
    /// machine, past nginx.
    std::string address{};
};
struct Response {
    int status{200};
    std::string body;
    std::string type{"application/json"};
    std::map<std::string, std::string> headers{};
};

/// The status for a code (docs/protocol.md, section 1): the only table.
[[nodiscard]] int status_of(Errc code) noexcept;
/// A problem document (RFC 9457). `extra` is appended as it is, e.g. `,"attempts_left":3`.
[[nodiscard]] Response problem(Errc code, const std::string& extra = {});

} // namespace plankurier::relay::http
