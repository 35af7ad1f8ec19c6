#pragma once
/// What a person keeps to show later what happened: receipts, saved states, saved messages. They
/// hold statements that the control plane or a department has signed. Values; any thread.

#include <clients/cli/receipt.hpp>
#include <clients/cli/wire.hpp>

#include <optional>

namespace plankurier::cli {

/// A JSON text without any secret: the state of a transfer and its signed history.
[[nodiscard]] std::string encode_saved_status(const Receipt& receipt, const TransferStatus& status,
                                              ByteView history);
/// True for such a text about this transfer.
[[nodiscard]] bool is_saved_status(std::string_view content, const TransferId& transfer);
/// A JSON text: a sealed message with the control plane's record of it. Only who can open the
/// message can read it.
[[nodiscard]] std::string encode_saved_message(const std::string& server, ByteView envelope,
                                               ByteView record);

/// What can be checked in a file, whatever kind it is.
struct Proof {
    std::string server;                 ///< whose statements these are; empty when not told
    std::optional<TransferId> transfer; ///< that they must be about; nothing when not told
    Bytes history;                      ///< of a transfer (history.hpp); or empty
    Bytes record;                       ///< of a verified address (records.hpp); or empty
    Bytes envelope;                     ///< that `record` is about; or empty
};
/// A receipt, a saved state, a saved message, or the bare bytes of a history or record. Fails with
/// `malformed` (also when nothing in it is signed).
[[nodiscard]] Result<Proof> decode_proof(std::string_view content);

} // namespace plankurier::cli
