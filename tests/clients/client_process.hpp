#pragma once
/// Runs the program that is tested as a process of its own. Any thread.

#include "tests/clients/service_world.hpp"
#include "tests/support/child.hpp"

namespace plankurier::test {

/// With exactly these variables and nothing to read on standard input. What it writes goes through
/// files in `folder`; on a terminal, standard input and error are a pseudo-terminal.
[[nodiscard]] ClientRun run_client(const std::vector<std::string>& arguments,
                                   const Environment& variables,
                                   const std::filesystem::path& folder, bool terminal);

} // namespace plankurier::test
