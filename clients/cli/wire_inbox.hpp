#pragma once
/// The JSON texts about sessions by key and what waits in them (docs/protocol.md). Stateless
/// functions; any thread. All parsers fail with `malformed`.

#include <plankurier/keys.hpp>

#include <string>
#include <vector>

namespace plankurier::cli {

[[nodiscard]] std::string encode_department_challenge(std::string_view department,
                                                      const KeyId& kid);
[[nodiscard]] std::string encode_department_answer(std::string_view department,
                                                   const Hash256& answer);
[[nodiscard]] std::string encode_inbox_challenge(const RecipientPublicKey& key);
[[nodiscard]] std::string encode_inbox_answer(const InboxId& inbox, const Hash256& answer);
[[nodiscard]] Result<Bytes> parse_challenge(std::string_view json);
/// The session's token, b64url.
[[nodiscard]] Result<std::string> parse_session(std::string_view json);

/// A transfer that waits to be fetched. Times are Unix seconds.
struct InboxEntry {
    TransferId transfer;
    std::int64_t created{}, expires{};
    std::uint64_t body_len{}; ///< bytes with padding: nobody but its reader knows more
    bool fetched{};
};
/// `GET /v1/inbox`, newest first.
[[nodiscard]] Result<std::vector<InboxEntry>> parse_inbox(std::string_view json);

} // namespace plankurier::cli
