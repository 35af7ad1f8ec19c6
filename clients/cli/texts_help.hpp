#pragma once
/// The help of each command, with examples: the part of the catalogue (texts.hpp) that people ask
/// for by `plankurier help`. Any thread.

#include <clients/cli/options.hpp>

namespace plankurier::cli {

/// What a command does, every option that it takes, and two examples. `Command::help`: what
/// commands there are.
[[nodiscard]] inline std::string_view help_text(Language language, Command command) noexcept;

/// The catalogues; use `help_text`.
[[nodiscard]] std::string_view help_de(Command command) noexcept;
[[nodiscard]] std::string_view help_en(Command command) noexcept;

inline std::string_view help_text(Language language, Command command) noexcept {
    return language == Language::de ? help_de(command) : help_en(command);
}

} // namespace plankurier::cli
