#include "relay/domain/relays.hpp"

#include <algorithm>

namespace plankurier::relay {

KnownRelays::KnownRelays(std::vector<KnownRelay> relays, std::int64_t now) {
    replace(std::move(relays));
    for (const KnownRelay& relay : relays_) heard_[relay.id] = now;
}

void KnownRelays::replace(std::vector<KnownRelay> relays) {
    relays_ = std::move(relays);
    std::ranges::sort(relays_, {}, &KnownRelay::id);
    const auto is_unknown = [&](const auto& entry) { return find(entry.first) == nullptr; };
    std::erase_if(heard_, is_unknown);
    std::erase_if(space_, is_unknown);
    std::erase_if(clocks_, is_unknown);
    std::erase_if(health_, is_unknown);
}

void KnownRelays::heard(const RelayId& relay, std::int64_t now) {
    if (find(relay) != nullptr) heard_[relay] = now;
}

void KnownRelays::set_space(const RelayId& relay, const RelaySpace& space) {
    if (find(relay) != nullptr) space_[relay] = space;
}

void KnownRelays::set_clock(const RelayId& relay, std::optional<std::int64_t> wall,
                            std::int64_t now) {
    if (wall && find(relay) != nullptr) {
        clocks_[relay] = {*wall, now};
    } else {
        clocks_.erase(relay);
    }
}

std::vector<std::int64_t> KnownRelays::clocks(std::int64_t now) const {
    std::vector<std::int64_t> out;
    for (const auto& [relay, told] : clocks_) {
        if (now - told.at <= live_s) out.push_back(told.wall + (now - told.at));
    }
    return out;
}

void KnownRelays::set_health(const RelayId& relay, const RelayHealth& health) {
    if (find(relay) != nullptr) health_[relay] = health;
}

RelayHealth KnownRelays::health_of(const RelayId& relay) const {
    const auto known = health_.find(relay);
    return known == health_.end() ? RelayHealth{} : known->second;
}

std::optional<RelaySpace> KnownRelays::space_of(const RelayId& relay) const {
    const auto known = space_.find(relay);
    if (known == space_.end()) return std::nullopt;
    return known->second;
}

std::vector<RelayId> KnownRelays::ids() const {
    std::vector<RelayId> out;
    for (const KnownRelay& relay : relays_) out.push_back(relay.id);
    return out;
}

const KnownRelay* KnownRelays::find(const RelayId& relay) const noexcept {
    const auto found = std::ranges::find(relays_, relay, &KnownRelay::id);
    return found == relays_.end() ? nullptr : &*found;
}

bool KnownRelays::is_live(const RelayId& relay, std::int64_t now) const {
    const auto heard = heard_.find(relay);
    return heard != heard_.end() && now - heard->second <= live_s;
}

std::size_t KnownRelays::live_count(std::int64_t now) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        relays_, [&](const KnownRelay& relay) { return is_live(relay.id, now); }));
}

std::size_t KnownRelays::copies_min(std::int64_t now) const {
    return std::clamp<std::size_t>(live_count(now), 1, 2);
}

std::vector<KnownRelay> KnownRelays::ring(const TransferId& transfer) const {
    std::vector<KnownRelay> out = relays_;
    if (out.empty()) return out;
    const auto first = std::to_integer<std::size_t>(transfer.bytes[0]) % out.size();
    std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
    return out;
}

std::vector<KnownRelay> KnownRelays::offered(const TransferId& transfer, std::size_t count_max,
                                             std::int64_t now) const {
    std::vector<KnownRelay> out = ring(transfer);
    if (live_count(now) > 0) {
        std::erase_if(out, [&](const KnownRelay& relay) { return !is_live(relay.id, now); });
    }
    out.resize(std::min(out.size(), count_max));
    return out;
}

bool KnownRelays::should_hold(const RelayId& relay, const TransferId& transfer,
                              std::size_t count_max, std::int64_t now) const {
    const std::vector<KnownRelay> order = ring(transfer);
    std::size_t live_before = 0;
    for (std::size_t place = 0; place < order.size(); ++place) {
        if (order[place].id == relay) return place < count_max || live_before < copies_min(now);
        if (is_live(order[place].id, now)) ++live_before;
    }
    return false;
}

} // namespace plankurier::relay
