#pragma once
/// Addresses that stay verified, if their sender wants that: the session's token by server and
/// address, in private files that tell neither. One thread.

#include <clients/cli/files.hpp>

#include <optional>

namespace plankurier::cli {

/// Below the state folder.
[[nodiscard]] std::filesystem::path sessions_folder();
/// Keeps a session (b64url) until then (Unix seconds). Durable; fails with `no_space`,
/// `file_unreadable`.
[[nodiscard]] Result<void> remember_session(const std::filesystem::path& folder,
                                            std::string_view server, std::string_view email,
                                            const std::string& session, std::int64_t until);
/// The session, if one was kept and its time is not over; an outdated one is deleted.
[[nodiscard]] std::optional<std::string> recall_session(const std::filesystem::path& folder,
                                                        std::string_view server,
                                                        std::string_view email, std::int64_t now);
void forget_session(const std::filesystem::path& folder, std::string_view server,
                    std::string_view email) noexcept;

} // namespace plankurier::cli
