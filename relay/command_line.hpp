#pragma once
/// What administrators type behind `plankurier-relay`. One thread.

#include <boost/program_options.hpp>

#include <optional>
#include <string>
#include <vector>

namespace plankurier::relay {

extern const char* const usage;

struct CommandLine {
    boost::program_options::variables_map options;
    std::vector<std::string> words; ///< the command and what goes with it

    [[nodiscard]] std::string command() const { return words.empty() ? "" : words[0]; }
    [[nodiscard]] bool has(const char* option) const { return options.count(option) != 0; }
    [[nodiscard]] std::string text(const char* option) const;
};

/// Throws boost::program_options::error for what is no option.
[[nodiscard]] CommandLine parse_command_line(int argc, char** argv);
/// Why nothing can be done by this line: no such command, or what it needs is not there. One
/// sentence.
[[nodiscard]] std::optional<std::string> mistake_of(const CommandLine& line);

} // namespace plankurier::relay
