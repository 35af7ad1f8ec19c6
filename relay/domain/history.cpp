// The signed record of a transfer, for its sender to keep. It is gone with the transfer.
#include "relay/domain/relay.hpp"

namespace plankurier::relay {

void Relay::note(TransferRow& row, HistoryEvent event, std::uint64_t detail) {
    if (row.history.empty()) row.history = begin_history(row.transfer, row.created, control_key_);
    if (event == HistoryEvent::accepted) return;
    auto longer = append_history(row.history, event, ports_.clock.now(), detail, control_key_);
    // A full one still has a place for its end. One that was changed at rest is neither signed
    // again nor a reason to keep the transfer: whoever checks it sees that it does not hold.
    if (longer) row.history = std::move(*longer);
}

Result<Bytes> Relay::history(const TransferId& transfer, const ManageToken& token) {
    auto row = managed(transfer, token);
    if (!row) return tl::unexpected(row.error());
    note(*row, HistoryEvent::accepted); // rows from before there were histories
    return std::move(row->history);
}

} // namespace plankurier::relay
