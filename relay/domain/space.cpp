// What the relays have room for. Nothing begins that would fill a disk half-way through.
#include "relay/domain/relay.hpp"

#include <plankurier/layout.hpp>

#include <algorithm>
#include <utility>

namespace plankurier::relay {

namespace {

/// All of a body's pieces, sealed; a length that no body has takes no room.
std::uint64_t sealed_bytes(std::uint64_t body_len) {
    const auto layout = BodyLayout::from_body_len(body_len);
    return layout ? layout->sealed_bytes() : 0;
}

} // namespace

std::uint64_t free_bytes_wanted(const Limits& limits, std::uint64_t total_bytes) {
    return std::max(limits.free_bytes_min, total_bytes / 100 * limits.free_percent_min);
}

/// What a relay says is free includes what unfinished transfers have taken already, so that each
/// counts once, whole. Uploads keep what they were promised; copies that are missing get what is
/// left, in an order that is the same each time.
RelayRoom Relay::room_at(const RelayId& relay) {
    RelayRoom room;
    room.relay = relay;
    const auto space = relays_.space_of(relay);
    if (!space) return room; // it has not said anything yet
    room.is_known = true;
    room.free_bytes = space->free_bytes;
    const std::uint64_t wanted = free_bytes_wanted(policy_.limits, space->total_bytes);
    for (const Store::ToCome& one : ports_.store.to_come(relay, ports_.clock.now())) {
        if (!relays_.should_hold(relay, one.transfer, policy_.copies_max,
                                 ports_.clock.monotonic())) {
            continue;
        }
        const std::uint64_t bytes = sealed_bytes(one.body_len);
        if (!one.is_upload) ++room.copies_wanted;
        if (one.is_upload || space->free_bytes >= wanted + room.promised_bytes + bytes) {
            room.promised_bytes += bytes;
        } else {
            room.too_large.insert(one.transfer);
        }
    }
    room.is_full = space->free_bytes < wanted + room.promised_bytes;
    if (!room.is_full) room.left_bytes = space->free_bytes - wanted - room.promised_bytes;
    return room;
}

std::vector<RelayRoom> Relay::rooms() {
    std::vector<RelayRoom> out;
    for (const KnownRelay& relay : relays_.all()) out.push_back(room_at(relay.id));
    return out;
}

Result<void> Relay::room_for(const TransferId& transfer, std::uint64_t body_len) {
    const std::int64_t now = ports_.clock.monotonic();
    const auto offered = relays_.offered(transfer, policy_.copies_max, now);
    const auto with_room = std::ranges::count_if(offered, [&](const KnownRelay& relay) {
        const RelayRoom room = room_at(relay.id);
        return !room.is_known || (!room.is_full && room.left_bytes >= sealed_bytes(body_len));
    });
    const std::size_t needed = std::min(offered.size(), relays_.copies_min(now));
    if (std::cmp_less(with_room, needed)) return fail(Errc::no_space, "relays");
    return {};
}

/// A relay without room is spared while enough others take the transfer.
std::vector<KnownRelay> Relay::takers(const TransferId& transfer) {
    const std::int64_t now = ports_.clock.monotonic();
    auto offered = relays_.offered(transfer, policy_.copies_max, now);
    std::vector<KnownRelay> out = offered;
    std::erase_if(out, [&](const KnownRelay& relay) { return room_at(relay.id).is_full; });
    return out.size() < relays_.copies_min(now) ? offered : out;
}

} // namespace plankurier::relay
