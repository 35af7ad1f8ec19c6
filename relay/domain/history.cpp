// The signed record of a transfer, for its sender to keep. It is gone with the transfer.
#include "relay/domain/relay.hpp"

namespace plankurier::relay {

/// Rows from before histories were sealed have theirs in clear. One that was changed at rest comes
/// as it is: whoever checks it sees that it does not hold.
Bytes Relay::history_of(const TransferRow& row) {
    if (row.sealed_history.empty()) return begin_history(row.transfer, row.created, control_key_);
    auto opened = ports_.vault.open(row.slot, "history", row.sealed_history);
    return opened ? std::move(*opened) : row.sealed_history;
}

void Relay::note(TransferRow& row, HistoryEvent event, std::uint64_t detail) {
    Result<Bytes> history = history_of(row);
    if (event != HistoryEvent::accepted) {
        history = append_history(*history, event, ports_.clock.now(), detail, control_key_);
    }
    // A full one still has a place for its end. One that was changed at rest is neither signed
    // again nor a reason to keep the transfer.
    if (history) row.sealed_history = ports_.vault.seal(row.slot, "history", *history);
}

Result<Bytes> Relay::history(const TransferId& transfer, const ManageToken& token) {
    const auto row = managed(transfer, token);
    if (!row) return tl::unexpected(row.error());
    return history_of(*row);
}

} // namespace plankurier::relay
