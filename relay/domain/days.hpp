#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace plankurier::relay {

/// Expiries are told in days of 24 hours, times in seconds.
inline constexpr std::int64_t day_s = 86'400;

/// Unix seconds as mails and HTTP write them: "Sun, 06 Nov 1994 08:49:37 " and the zone, which is
/// "+0000" in RFC 5322 (3.3) and "GMT" in RFC 9110 (5.6.7). Any thread.
std::string internet_date(std::int64_t time, std::string_view zone);

} // namespace plankurier::relay
