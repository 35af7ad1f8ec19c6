#pragma once
/// Runs one test of this program in a process of its own, so that it may be killed at a fault
/// point. Such tests carry the tag [.child]: they run only when asked for by name.
/// Any thread.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace plankurier::test {

struct ChildEnd {
    int signal{};    ///< 0: it ended by itself
    int exit_code{}; ///< of a child that ended by itself; 0: its test passed
};
using Environment = std::map<std::string, std::string>;

/// Runs the test case with these variables on top of ours. Throws std::system_error.
[[nodiscard]] ChildEnd run_child(const std::string& test_case, const Environment& variables);
/// A variable that the parent has set. Throws std::runtime_error when it has not.
[[nodiscard]] std::string from_parent(const char* variable);
/// The lines of a file, for example of a fault log; none when there is no such file.
[[nodiscard]] std::vector<std::string> lines_of(const std::filesystem::path& file);

} // namespace plankurier::test
