#pragma once
/// What commands ask of the running control plane, as empty files in the data folder.

#include "relay/config.hpp"

#include <functional>

namespace plankurier::relay {

/// Leaves DATA/request.NAME, also on a full disk. A relay that does not run takes it at its start:
/// only for what is right then too. Throws std::system_error.
void leave_request(const Config& config, const std::string& name);
/// As that, and refuses when no relay runs: nothing is to happen days later that somebody wanted
/// now. Throws std::runtime_error.
void ask_running_relay(const Config& config, const std::string& name);
/// Does what was asked for, if it was, and only then takes the request away: one that is cut short
/// is obeyed by the next start, so `obey` can be done twice. Throws what `obey` throws.
void obey_request(const std::filesystem::path& data_dir, const std::string& name,
                  const std::function<void()>& obey);

} // namespace plankurier::relay
