#pragma once
/// Being stopped by the user, and keeping secrets out of core dumps.

#include <chrono>

namespace plankurier::cli {

/// From now on SIGINT and SIGTERM only set the flag that `interrupted` reads (a second SIGINT
/// ends the program at once), and SIGPIPE is ignored. Call once at the start.
void catch_signals();
/// True once the user has asked to stop. Any thread.
[[nodiscard]] bool interrupted() noexcept;
/// Waits, but returns early (false) when the user asks to stop. Any thread.
bool pause_for(std::chrono::milliseconds duration);
/// No core dump, no attaching by other programs of the same user.
void forbid_dumps() noexcept;

} // namespace plankurier::cli
