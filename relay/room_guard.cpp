#include "relay/room_guard.hpp"

namespace plankurier::relay {

bool begins_something(const http::Request& request) {
    return request.method == "POST" &&
           (request.path == "/v1/verifications" || request.path == "/v1/transfers");
}

http::Response with_room(adapters::Reserves& reserves, const http::Request& request,
                         const std::function<http::Response(const http::Request&)>& handle) {
    if (reserves.is_short() && begins_something(request)) return http::problem(Errc::no_space);
    try {
        return handle(request);
    } catch (const std::exception&) {
        if (!reserves.make_room() || begins_something(request)) throw;
        return handle(request);
    }
}

} // namespace plankurier::relay
