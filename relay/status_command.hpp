#pragma once
/// `plankurier-relay status`: what the running processes have written down. Any thread.

#include "relay/config.hpp"

#include <iosfwd>

namespace plankurier::relay {

/// For monitoring: somebody has to look at the clock, or at transfers that no relay has.
inline constexpr int status_exit_clock = 3;
/// The relay does not run, and the counts are from its end.
inline constexpr int status_exit_stopped = 4;

/// The counts go to `out`; to `trouble` what is wrong with them and what to do. Returns the
/// exit code: 0, `status_exit_stopped` or `status_exit_clock`. Throws std::runtime_error when there
/// is no status.
int show_status(const Config& config, std::ostream& out, std::ostream& trouble);

} // namespace plankurier::relay
