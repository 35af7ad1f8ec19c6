#include "relay/domain/service_time.hpp"

#include <algorithm>
#include <cstdlib>

namespace plankurier::relay {

ServiceTime::ServiceTime(Clock& machine, TimeMemory& memory, TimeRule rule)
    : machine_(machine), store_(memory), rule_(rule), kept_(memory.load()), judge_(kept_, rule) {
    look({});
}

/// Each verdict that changes something at once, and the passing of time once a minute.
void ServiceTime::remember() {
    constexpr std::int64_t rest_s = 60;
    TrustedTime now = judge_.memory().value();
    if (kept_) {
        TrustedTime passed = now;
        const bool is_fresh = std::abs(now.seen_monotonic - kept_->seen_monotonic) < rest_s;
        passed.seen_wall = kept_->seen_wall;
        passed.seen_monotonic = kept_->seen_monotonic;
        if (is_fresh && passed == *kept_) return;
    }
    store_.save(now);
    kept_ = std::move(now);
}

void ServiceTime::look(const std::vector<std::int64_t>& others) {
    const ClockReading reading = machine_.read();
    const std::scoped_lock lock{mutex_};
    judge_.judge(reading, others);
    remember();
}

void ServiceTime::accept() {
    const ClockReading reading = machine_.read();
    const std::scoped_lock lock{mutex_};
    judge_.accept(reading);
    remember();
}

std::int64_t ServiceTime::now() {
    const std::scoped_lock lock{mutex_};
    return judge_.time(machine_.now(), machine_.monotonic());
}

std::int64_t ServiceTime::latest() {
    const std::scoped_lock lock{mutex_};
    const std::int64_t wall = machine_.now();
    return std::max(wall, judge_.time(wall, machine_.monotonic()));
}

bool ServiceTime::is_trusted() {
    const std::scoped_lock lock{mutex_};
    return judge_.is_trusted() &&
           std::abs(judge_.ahead_s(machine_.now(), machine_.monotonic())) <= rule_.jump_s;
}

std::int64_t ServiceTime::ahead_s() {
    const std::scoped_lock lock{mutex_};
    return judge_.ahead_s(machine_.now(), machine_.monotonic());
}

} // namespace plankurier::relay
