#pragma once
/// What administrators hear about what relays have lost, found damaged or signed wrongly. One
/// thread at a time.

#include "relay/domain/relay.hpp"

#include <map>
#include <string>
#include <vector>

namespace plankurier::relay {

/// Says once what is new; the first call only remembers.
class RelayWatch {
public:
    /// One line each; most of the time nothing.
    [[nodiscard]] std::vector<std::string> news(const std::vector<RelayReport>& reports,
                                                const Store::Counts& counts);

private:
    struct Seen {
        std::int64_t copies_lost{}, lies{}, damaged_pieces{};
    };
    std::map<RelayId, Seen> seen_;
    std::int64_t lost_{}, without_copy_{};
};

/// Lines of the status.
[[nodiscard]] std::string relay_status(const std::vector<RelayReport>& reports,
                                       const std::vector<RelayRoom>& rooms,
                                       const Store::Counts& counts);

} // namespace plankurier::relay
