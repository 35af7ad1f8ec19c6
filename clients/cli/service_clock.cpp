#include <clients/cli/service_clock.hpp>

#include <cstdlib>
#include <ctime>

namespace plankurier::cli {

void ServiceClock::hear(std::int64_t date) noexcept { ahead_s_ = std::time(nullptr) - date; }

std::int64_t ServiceClock::now() const noexcept {
    return std::time(nullptr) - ahead_s_.value_or(0);
}

bool ServiceClock::is_wrong() const noexcept {
    return ahead_s_ && std::abs(*ahead_s_) > difference_max_s;
}

std::optional<std::int64_t> ServiceClock::agreed_now() const noexcept {
    if (!ahead_s_ || is_wrong()) return std::nullopt;
    return now();
}

} // namespace plankurier::cli
