#pragma once
/// From an opened transfer to files in a folder. One thread.

#include <clients/cli/fetch_open.hpp>
#include <clients/cli/spare_lines.hpp>

namespace plankurier::cli {

/// Fetches all pieces, gives the files their names in the folder of `-o`, and reports that it is
/// done, signed when `department` is given. `spare_lines`: to relays, if any. What was fetched
/// stays in part files when it fails.
[[nodiscard]] Result<void> receive_transfer(const Options& options, Console& console,
                                            ControlClient& control, const Authority& authority,
                                            const OpenedTransfer& transfer,
                                            const KeySeed* department, SpareLines* spare_lines);

} // namespace plankurier::cli
