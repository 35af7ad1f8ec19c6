#include "relay/pieces/relays.hpp"

#include <algorithm>

namespace plankurier::relay::pieces {

namespace {
auto is(const RelayId& id) {
    return [&id](const OtherRelay& relay) { return relay.id == id; };
}
} // namespace

std::vector<OtherRelay> holders_of(std::vector<OtherRelay> relays, const TransferId& transfer,
                                   std::size_t copies_max) {
    if (relays.empty()) return relays;
    std::ranges::sort(relays, {}, &OtherRelay::id);
    const auto first = std::to_integer<std::size_t>(transfer.bytes[0]) % relays.size();
    std::ranges::rotate(relays, relays.begin() + static_cast<std::ptrdiff_t>(first));
    relays.resize(std::min(relays.size(), std::max<std::size_t>(copies_max, 1)));
    return relays;
}

std::vector<OtherRelay> upstreams_of(const std::vector<OtherRelay>& relays,
                                     const std::vector<OtherRelay>& holders, const RelayId& entry,
                                     const RelayId& self) {
    std::vector<OtherRelay> chain;
    std::vector<OtherRelay> rest;
    for (const OtherRelay& one : relays) {
        const bool holds = std::ranges::any_of(holders, is(one.id));
        (holds || one.id == entry || one.id == self ? chain : rest).push_back(one);
    }
    std::ranges::sort(chain, {}, &OtherRelay::id);
    std::ranges::rotate(chain, std::ranges::find_if(chain, is(entry)));
    const auto own = std::ranges::find_if(chain, is(self));
    if (chain.empty() || chain.front().id != entry || own == chain.end() || own == chain.begin()) {
        return {};
    }
    // From the predecessor the order goes on at the entry, and round.
    std::vector<OtherRelay> out{*std::prev(own)};
    std::ranges::copy_if(chain, std::back_inserter(out), [&](const OtherRelay& one) {
        return one.id != self && one.id != out.front().id;
    });
    std::ranges::copy(rest, std::back_inserter(out));
    return out;
}

void Relays::set(std::vector<OtherRelay> relays, std::size_t copies_max) {
    const std::scoped_lock lock{mutex_};
    relays_ = std::move(relays);
    copies_max_ = copies_max;
}

std::vector<OtherRelay> Relays::others() const {
    const std::scoped_lock lock{mutex_};
    std::vector<OtherRelay> out = relays_;
    std::erase_if(out, is(self_));
    return out;
}

std::vector<OtherRelay> Relays::holders(const TransferId& transfer) const {
    const std::scoped_lock lock{mutex_};
    return holders_of(relays_, transfer, copies_max_);
}

std::vector<OtherRelay> Relays::upstreams(const TransferId& transfer, const RelayId& entry) const {
    const std::scoped_lock lock{mutex_};
    return upstreams_of(relays_, holders_of(relays_, transfer, copies_max_), entry, self_);
}

bool Relays::knows(const RelayId& id) const {
    const std::scoped_lock lock{mutex_};
    return std::ranges::any_of(relays_, is(id));
}

} // namespace plankurier::relay::pieces
