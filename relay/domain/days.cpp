#include "relay/domain/days.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace plankurier::relay {

std::string internet_date(std::int64_t time, std::string_view zone) {
    const std::time_t seconds = time;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::array<char, 64> text{};
    // Not strftime: its names follow the locale, those of the RFCs do not.
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d ",
                  days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                  months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                  parts.tm_hour, parts.tm_min, parts.tm_sec);
    return text.data() + std::string{zone};
}

} // namespace plankurier::relay
