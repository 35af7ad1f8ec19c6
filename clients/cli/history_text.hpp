#pragma once
/// A transfer's signed history for people: lines for a terminal, a page for a printer. Any thread.

#include <clients/cli/receipt.hpp>
#include <clients/cli/texts.hpp>
#include <clients/cli/wire.hpp>

#include <plankurier/history.hpp>

namespace plankurier::cli {

/// What happened, in words.
[[nodiscard]] std::string event_text(Language language, const HistoryEntry& entry);
/// The state in words; a state that this program does not know as the service names it.
[[nodiscard]] std::string state_text(Language language, const std::string& state);

/// A page of HTML that loads nothing from anywhere and holds no secret: it may be handed on.
[[nodiscard]] std::string status_page(Language language, const Receipt& receipt,
                                      const TransferStatus& status, const History& history);
/// True for such a page about this transfer.
[[nodiscard]] bool is_status_page(std::string_view content, const TransferId& transfer);

} // namespace plankurier::cli
