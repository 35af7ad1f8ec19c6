#include "relay/domain/time_judge.hpp"

#include <plankurier/error.hpp>

#include <algorithm>
#include <cstdlib>

namespace plankurier::relay {

namespace {

std::int64_t middle_of(std::vector<std::int64_t> times) {
    const auto half = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), half, times.end());
    return *half;
}

} // namespace

/// In another run of the machine this is the earliest that it can be: it was off for 0 s or more.
std::int64_t TimeJudge::expected(std::int64_t monotonic) const {
    expects(memory_.has_value(), "judged before");
    if (!is_same_boot()) return memory_->seen_wall + monotonic;
    return memory_->wall + (monotonic - memory_->monotonic);
}

std::int64_t TimeJudge::ahead_s(std::int64_t wall, std::int64_t monotonic) const {
    return wall - expected(monotonic);
}

std::int64_t TimeJudge::time(std::int64_t wall, std::int64_t monotonic) const {
    if (trusted_ && std::abs(ahead_s(wall, monotonic)) <= rule_.jump_s) return wall;
    if (others_ahead_ && (memory_->doubted || !is_same_boot())) return monotonic + *others_ahead_;
    if (is_same_boot()) return memory_->seen_wall + (monotonic - memory_->seen_monotonic);
    return std::max(wall, expected(monotonic));
}

void TimeJudge::trust(const ClockReading& reading, bool is_borne_out, bool is_accepted) {
    trusted_ = true;
    const bool begins = !memory_ || !is_same_boot() || is_accepted ||
                        std::abs(ahead_s(reading.wall, reading.monotonic)) > rule_.jump_s ||
                        reading.monotonic - memory_->monotonic >= rule_.steady_s;
    const bool goes_on = memory_ && is_same_boot();
    TrustedTime now = memory_.value_or(TrustedTime{});
    if (begins) {
        now.boot = reading.boot;
        now.wall = reading.wall;
        now.monotonic = reading.monotonic;
    }
    now.seen_wall = reading.wall;
    now.seen_monotonic = reading.monotonic;
    now.confirmed =
        (goes_on && now.confirmed) || reading.synchronised || is_borne_out || is_accepted;
    now.doubted = false;
    now.accepted = is_accepted || (goes_on && now.accepted && !is_borne_out);
    memory_ = now;
}

void TimeJudge::judge(const ClockReading& reading, const std::vector<std::int64_t>& others) {
    boot_ = reading.boot;
    const auto agree = std::ranges::count_if(
        others, [&](std::int64_t other) { return std::abs(other - reading.wall) <= rule_.jump_s; });
    const auto differ = static_cast<std::ptrdiff_t>(others.size()) - agree;
    others_ahead_.reset();
    if (!others.empty()) others_ahead_ = middle_of(others) - reading.monotonic;
    const bool is_outvoted = differ > agree + 1;
    if (agree > differ) return trust(reading, true, false);
    if (!memory_) {
        trust(reading, false, false);
        memory_->doubted = is_outvoted;
        trusted_ = !is_outvoted;
        return;
    }
    const std::int64_t ahead = std::abs(ahead_s(reading.wall, reading.monotonic));
    const bool is_continuous = ahead <= rule_.jump_s;
    if (is_continuous && memory_->accepted && is_same_boot()) return trust(reading, false, false);
    if (is_outvoted) memory_->doubted = true;
    const bool kernel_knows = reading.synchronised && ahead <= rule_.away_max_s &&
                              !(is_same_boot() && memory_->confirmed);
    const bool is_good = is_continuous || kernel_knows;
    if (is_good && !memory_->doubted) return trust(reading, false, false);
    trusted_ = false;
}

void TimeJudge::accept(const ClockReading& reading) {
    boot_ = reading.boot;
    trust(reading, false, true);
}

} // namespace plankurier::relay
