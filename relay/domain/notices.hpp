#pragma once
/// The texts of all mails, German and English. Nothing else may stand in a mail: no names, no
/// subjects, no file names, no messages. Stateless; any thread.

#include "relay/domain/ports.hpp"

namespace plankurier::relay {

struct NoticeFacts {
    std::string authority, link, code, never_link, receipt_number;
    std::string sender_email, sender_phone; ///< password transfers only
    std::int64_t expires{};                 ///< Unix seconds
    std::int64_t created{};
    std::int64_t valid_minutes{};
    std::string code_number; ///< tells code mails apart; no part of the code
};
enum class Notice {
    code,
    department,
    password,
    fetched,
    not_fetched,
    answer,
    message,
    not_yet_fetched,
    reminder,
    undeliverable,
    by_link, ///< the sender passes the link that opens it on; nothing else is said
    lost     ///< to the sender: no relay has all of it any more
};

/// In which language the sender is told what became of a transfer: citizens in the one they chose,
/// the authority in German; the transfer's is then the citizen's.
[[nodiscard]] std::string_view senders_language(const TransferRow& row);

/// Subject and text; `to`, `reply_to` and `id` are left to the caller.
[[nodiscard]] Mail write_notice(Notice notice, std::string_view language, const NoticeFacts& facts);

} // namespace plankurier::relay
