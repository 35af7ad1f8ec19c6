#pragma once
/// What becomes of a transfer that cannot go on. One thread.

#include <clients/cli/commands.hpp>
#include <clients/cli/lanes.hpp>
#include <clients/cli/upload_state.hpp>

namespace plankurier::cli {

/// Takes back what the service has of an unfinished transfer, so that it does not count against the
/// sender's address until it ends by itself, and says so. False when the service cannot be asked
/// now: the state is to be kept, so that the next `send --resume` asks again.
[[nodiscard]] bool withdraw(ControlClient& control, const UploadState& state,
                            const RetryRule& retry, Console& console);

} // namespace plankurier::cli
