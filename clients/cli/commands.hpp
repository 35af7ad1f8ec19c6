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

/// Reports a failure, or nothing, and gives the exit code for it.
[[nodiscard]] Exit conclude(Console& console, const Result<void>& result, bool state_kept = false);

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
