// Transfers that no relay has all of any more.
#include "relay/domain/relay.hpp"

namespace plankurier::relay {

/// A relay may come back with its disk, and relays may put together what each of them has left. So
/// the sender hears only after a while; administrators see it at once.
void Relay::look_for_lost() {
    constexpr std::size_t rows_max = 100;
    const std::int64_t now = ports_.clock.now();
    for (TransferRow& row : ports_.store.without_copy(relays_.ids(), rows_max)) {
        const bool is_new = row.no_copy_since == 0;
        if (is_new) row.no_copy_since = now;
        const bool is_lost = now - row.no_copy_since >= policy_.limits.lost_after_s;
        if (is_lost) row.lost = now;
        if (!is_new && !is_lost) continue;
        ports_.store.transaction([&] {
            ports_.store.put(row);
            // Who has fetched it has everything.
            if (is_lost && row.state == TransferState::available) tell_sender(row, Notice::lost);
        });
    }
}

std::vector<RelayReport> Relay::relay_reports() {
    std::vector<RelayReport> out;
    for (const RelayId& id : relays_.ids()) {
        out.push_back({ports_.store.relay(id), relays_.health_of(id)});
    }
    return out;
}

} // namespace plankurier::relay
