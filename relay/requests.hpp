#pragma once
/// What commands ask of the running control plane, as empty files in the data folder.

#include "relay/config.hpp"

namespace plankurier::relay {

/// Leaves DATA/request.NAME, also on a full disk. Throws std::system_error.
void leave_request(const Config& config, const std::string& name);

} // namespace plankurier::relay
