#pragma once
/// What administrators hear about room on the relays' disks. One thread at a time.

#include "relay/config.hpp"
#include "relay/domain/relay.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace plankurier::relay {

/// Says once when a relay takes nothing new any more, and once when it does again.
class SpaceWatch {
public:
    /// What is new, one line each; most of the time nothing.
    [[nodiscard]] std::vector<std::string> news(const std::vector<RelayRoom>& rooms);

private:
    std::set<RelayId> full_;
};

/// Lines of the status: how many relays are full, and the bytes of the one with the least left.
[[nodiscard]] std::string space_status(const std::vector<RelayRoom>& rooms);

/// What is wrong when new transfers would be refused because this machine's disk is too small or
/// too full for the limits; else nothing. On a control plane only, whose limits count for all.
[[nodiscard]] std::optional<std::string> space_warning(const Config& config);

} // namespace plankurier::relay
