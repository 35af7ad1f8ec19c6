#pragma once
/// Time that goes on while the computer sleeps and that nobody sets: for ends that were promised
/// in hours, while the clock on the wall may be wrong. Any thread.

#include <chrono>
#include <ctime>

namespace plankurier::cli {

/// CLOCK_BOOTTIME (Linux, clock_gettime(2)).
struct BootClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;

    [[nodiscard]] static time_point now() noexcept { return time_point{since_boot()}; }
    /// How long the computer has slept since it was started.
    [[nodiscard]] static duration slept() noexcept {
        return since_boot() - reading(CLOCK_MONOTONIC);
    }

private:
    [[nodiscard]] static duration reading(clockid_t clock) noexcept {
        timespec time{};
        ::clock_gettime(clock, &time);
        return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    }
    [[nodiscard]] static duration since_boot() noexcept { return reading(CLOCK_BOOTTIME); }
};

} // namespace plankurier::cli
