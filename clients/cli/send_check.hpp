#pragma once
/// What can be wrong with a command line that sends, said before anything is sent: no code is asked
/// for in vain. Each says what is wrong. One thread.

#include <clients/cli/commands.hpp>

namespace plankurier::cli {

/// What needs no service to be seen. Fails with `invalid_argument`.
[[nodiscard]] Result<void> check_send_options(const Options& options, Console& console);
/// What this service allows to these recipients: periods, remembering, transfers by link. Fails
/// with `invalid_argument`, `link_not_allowed`.
[[nodiscard]] Result<void> check_with_service(const Options& options, const Service& service,
                                              Console& console);
/// A typed address may be one of the authority's staff, by its domain: the service would refuse all
/// others, but only after the code. Fails with `address_not_allowed`.
[[nodiscard]] Result<void> check_typed(const std::string& address, const Service& service,
                                       Console& console);
/// What counts is the size that is stored, sealed and padded. Fails with `too_large`.
[[nodiscard]] Result<void> check_size(std::uint64_t content_bytes, const Service& service,
                                      Console& console);
/// The message, in UTF-8, from the command line, standard input or a file. Fails with
/// `invalid_argument`, `file_unreadable`, `too_large`.
[[nodiscard]] Result<std::string> message_of(const Options& options, const Service& service,
                                             Console& console);

} // namespace plankurier::cli
