#include <clients/cli/relay_choice.hpp>

#include <algorithm>
#include <utility>

namespace plankurier::cli {

std::optional<std::size_t> RelayChoice::pick(std::size_t wanted, Time now) const {
    const std::lock_guard guard{mutex_};
    std::optional<std::size_t> best;
    for (std::size_t step = 0; step < relays_.size(); ++step) {
        const auto at = (wanted + step) % relays_.size();
        const auto& relay = relays_[at];
        if (relay.lied) continue;
        if (relay.rests_until <= now) return at;
        if (!best || relay.rests_until < relays_[*best].rests_until) best = at;
    }
    return best;
}

void RelayChoice::failed(std::size_t relay, Time now) {
    const std::lock_guard guard{mutex_};
    auto& one = relays_[relay];
    one.rests_until = now + std::min(std::chrono::seconds{10} * (1U << std::min(one.failures, 5U)),
                                     std::chrono::seconds{300});
    ++one.failures;
}

void RelayChoice::worked(std::size_t relay) {
    const std::lock_guard guard{mutex_};
    relays_[relay].failures = 0;
    relays_[relay].rests_until = {};
}

bool RelayChoice::lied(std::size_t relay) {
    const std::lock_guard guard{mutex_};
    return !std::exchange(relays_[relay].lied, true);
}

bool RelayChoice::usable(std::size_t relay, Time now) const {
    const std::lock_guard guard{mutex_};
    return !relays_[relay].lied && relays_[relay].rests_until <= now;
}

std::size_t RelayChoice::honest_count() const {
    const std::lock_guard guard{mutex_};
    return static_cast<std::size_t>(std::count_if(relays_.begin(), relays_.end(),
                                                  [](const Relay& relay) { return !relay.lied; }));
}

} // namespace plankurier::cli
