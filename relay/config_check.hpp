#pragma once
/// What `check-config` looks at beyond relay.toml itself. One thread.

#include "relay/config.hpp"

#include <string>
#include <vector>

namespace plankurier::relay {

/// What is wrong around a configuration that could be read, one sentence each: certificate, files
/// that it names, departments that no directory has. Empty when all is well.
[[nodiscard]] std::vector<std::string> config_problems(const Config& config);

} // namespace plankurier::relay
