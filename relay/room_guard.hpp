#pragma once
/// The control plane's requests on a full disk. Thread safe, as what it wraps.

#include "relay/adapters/reserve.hpp"
#include "relay/http/message.hpp"

#include <functional>

namespace plankurier::relay {

/// Whether a request begins what would need room later: a verification, or a transfer.
[[nodiscard]] bool begins_something(const http::Request& request);

/// Answers no_space at once to what begins something while a reserve is given up. What fails for
/// want of room is done once more after a reserve was given up; requests can be repeated.
[[nodiscard]] http::Response
with_room(adapters::Reserves& reserves, const http::Request& request,
          const std::function<http::Response(const http::Request&)>& handle);

} // namespace plankurier::relay
