#pragma once
/// Reads what a mail server sends back. Stateless; any thread.

#include <optional>
#include <string>
#include <string_view>

namespace plankurier::relay::adapters {

/// The first 16 digits of the id of the mail that could not be delivered: when the message is a
/// report of a failure for good (RFC 3464: action "failed", status 5) to "bounce+<digits>@host".
/// Delays, automatic replies and everything else give nothing. `bounce`: "bounce@host".
[[nodiscard]] std::optional<std::string> failed_mail(std::string_view message,
                                                     std::string_view bounce);

} // namespace plankurier::relay::adapters
