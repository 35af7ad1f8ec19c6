#pragma once
/// From the words behind options to values: numbers, periods, choices, the configuration file,
/// texts and addresses. Stateless functions; any thread.

#include <clients/cli/options.hpp>

#include <boost/program_options.hpp>

#include <filesystem>

namespace plankurier::cli {

namespace po = boost::program_options;

using Read = tl::expected<void, CommandLineError>;

/// The failure branch of a `Read`.
[[nodiscard]] tl::unexpected<CommandLineError> wrong(std::string option, Mistake mistake,
                                                     std::vector<std::string> values,
                                                     Errc code = Errc::invalid_argument);

/// `key = value` lines: server, ca, retries, timeout, as the options of these names.
[[nodiscard]] Read read_config(const std::filesystem::path& path, bool must_exist, Options& out);
/// `choices`: separated by ", ".
[[nodiscard]] Read check_choice(const char* option, const std::string& value,
                                const std::string& choices);
/// What is not read as it stands. An option comes before `server_env`, that before `out`.
[[nodiscard]] Read apply_values(const po::variables_map& map, const std::string& server_env,
                                Options& out);
/// What people wrote is UTF-8 from here on.
[[nodiscard]] Read settle_texts(Options& out);
/// Addresses go into mails, so they are in ASCII from here on.
[[nodiscard]] Read settle_addresses(Options& out);

} // namespace plankurier::cli
