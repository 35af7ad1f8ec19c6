#pragma once
#include <cstdint>

namespace plankurier::relay {

/// Expiries are told in days of 24 hours, times in seconds.
inline constexpr std::int64_t day_s = 86'400;

} // namespace plankurier::relay
