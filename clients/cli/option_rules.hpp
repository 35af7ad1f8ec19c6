#pragma once
/// Which commands and options there are, which go together, and what somebody may have meant.
/// Stateless functions; any thread.

#include <clients/cli/options.hpp>

#include <span>

namespace plankurier::cli {

/// All commands with the words for them, in the order of the help.
[[nodiscard]] std::span<const std::pair<std::string_view, Command>> all_commands() noexcept;
[[nodiscard]] std::optional<Command> command_named(std::string_view word) noexcept;
[[nodiscard]] std::string_view name_of(Command command) noexcept;

/// What a command takes besides the global options, without dashes.
[[nodiscard]] std::span<const std::string_view> options_of(Command command) noexcept;
[[nodiscard]] std::span<const std::string_view> global_options() noexcept;
/// The commands that take an option (without dashes), separated by commas.
[[nodiscard]] std::string commands_with(std::string_view option);

/// The command that was probably meant; empty when none is near.
[[nodiscard]] std::string_view nearest_command(std::string_view typed) noexcept;
/// The option (with dashes) of a command that was probably meant; empty when none is near.
[[nodiscard]] std::string nearest_option(std::string_view typed, Command command);
/// The one of these words that was probably meant; empty when none is near.
[[nodiscard]] std::string_view nearest_word(std::string_view typed,
                                            std::span<const std::string> words) noexcept;

} // namespace plankurier::cli
