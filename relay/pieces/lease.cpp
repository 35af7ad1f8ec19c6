#include "relay/pieces/lease.hpp"

#include "relay/adapters/local.hpp"

#include <algorithm>

namespace plankurier::relay::pieces {

Lease::Lease()
    : Lease(Clocks{[] { return adapters::SystemClock{}.now(); },
                   [] { return adapters::SystemClock{}.monotonic(); }}) {}

void Lease::renew(std::int64_t control_now, bool is_trusted) {
    const std::int64_t steady = clocks_.steady_s();
    const std::scoped_lock lock{mutex_};
    renewed_steady_ = steady;
    renewed_control_ = control_now;
    is_trusted_ = is_trusted;
}

bool Lease::holds() const {
    const std::int64_t steady = clocks_.steady_s();
    const std::scoped_lock lock{mutex_};
    return renewed_steady_ && steady - *renewed_steady_ < seconds;
}

std::optional<std::int64_t> Lease::control_now() const {
    const std::int64_t steady = clocks_.steady_s();
    const std::scoped_lock lock{mutex_};
    if (!renewed_steady_) return std::nullopt;
    return renewed_control_ + (steady - *renewed_steady_);
}

std::optional<std::int64_t> Lease::trusted_control_now() const {
    const auto told = control_now();
    const std::scoped_lock lock{mutex_};
    return is_trusted_ ? told : std::nullopt;
}

std::int64_t Lease::latest() const { return std::max(now(), clocks_.wall_s()); }

std::int64_t Lease::now() const {
    const auto told = control_now();
    return told ? *told : clocks_.wall_s();
}

} // namespace plankurier::relay::pieces
