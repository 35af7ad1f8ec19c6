#pragma once
/// What `check-config` looks at beyond relay.toml itself. One thread.

#include "relay/config.hpp"

#include <sys/types.h>
#include <optional>
#include <string>
#include <vector>

namespace plankurier::relay {

/// What is wrong around a configuration that could be read, one sentence each: certificate, data
/// folder, addresses that clients cannot reach, files that it names, departments that no directory
/// has. Empty when all is well.
[[nodiscard]] std::vector<std::string> config_problems(const Config& config);

/// The user whom the data folder belongs to, when `user` is root and it is not root's: what root
/// writes there the relay could not read. A name, or a number without one.
[[nodiscard]] std::optional<std::string> other_owner(const Config& config, uid_t user);

} // namespace plankurier::relay
