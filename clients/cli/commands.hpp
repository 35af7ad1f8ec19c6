#pragma once
/// The commands. Each reports its own failures and returns the exit code. One thread.

#include <clients/cli/console.hpp>
#include <clients/cli/control_client.hpp>
#include <clients/cli/options.hpp>
#include <clients/cli/trust_store.hpp>

namespace plankurier::cli {

[[nodiscard]] Exit run_trust(const Options& options, Console& console);
[[nodiscard]] Exit run_departments(const Options& options, Console& console);
[[nodiscard]] Exit run_send(const Options& options, Console& console);
[[nodiscard]] Exit run_fetch(const Options& options, Console& console);
[[nodiscard]] Exit run_reply(const Options& options, Console& console);
[[nodiscard]] Exit run_inbox(const Options& options, Console& console);
[[nodiscard]] Exit run_status(const Options& options, Console& console);
[[nodiscard]] Exit run_expire(const Options& options, Console& console);
[[nodiscard]] Exit run_resend(const Options& options, Console& console);
[[nodiscard]] Exit run_report(const Options& options, Console& console);
[[nodiscard]] Exit run_verify(const Options& options, Console& console);
[[nodiscard]] Exit run_revoke(const Options& options, Console& console);
[[nodiscard]] Exit run_keygen(const Options& options, Console& console);
[[nodiscard]] Exit run_members(const Options& options, Console& console);
[[nodiscard]] Exit run_passphrase(const Options& options, Console& console);
[[nodiscard]] Exit run_unlock(const Options& options, Console& console);
[[nodiscard]] Exit run_lock(const Options& options, Console& console);

/// Reports a failure, or nothing, and gives the exit code for it.
[[nodiscard]] Exit conclude(Console& console, const Result<void>& result, bool state_kept = false);

/// The one argument of a command. `missing` says what is missing when there is none.
[[nodiscard]] Result<std::string> only_argument(const Options& options, Console& console,
                                                Mistake missing);
/// Fails when there is any, or the option (with dashes) has no value.
[[nodiscard]] Result<void> no_argument(const Options& options, Console& console);
[[nodiscard]] Result<void> need(const Options& options, Console& console, const char* option,
                                const std::string& value);
/// The service that is named, or the only one that is trusted; says what to do when there is none.
/// Fails with `untrusted_root` (nothing is trusted yet), `invalid_argument`.
[[nodiscard]] Result<std::string> server_for(const Options& options, Console& console);
/// The directory that was seen last, or that of --directory (directory_memory.hpp); says when that
/// file is none.
[[nodiscard]] Result<Directory> known_directory(const std::string& server, const Options& options,
                                                Console& console);
/// The id of a transfer behind `option`.
[[nodiscard]] Result<TransferId> transfer_id(const char* option, const std::string& typed,
                                             Console& console);

[[nodiscard]] HttpSettings http_settings(const Options& options);
/// A control plane that is asked again while it restarts (not with `--retries 0`), and a person who
/// is told so.
[[nodiscard]] ControlClient control_at(const std::string& server, const Options& options,
                                       Console& console);
/// Unix seconds.
[[nodiscard]] std::int64_t unix_now() noexcept;

/// What an authority says, checked against the pinned root.
struct Authority {
    Directory directory;
    Service service;
};
/// Reads and checks directory and service list; remembers a higher serial. Without a pinned root
/// it asks where a person can be asked, else fails with `untrusted_root`.
[[nodiscard]] Result<Authority> open_authority(ControlClient& control, Console& console);

} // namespace plankurier::cli
