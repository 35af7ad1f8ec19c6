// Which relays get a transfer, which have it, and when that is enough.
#include "relay/domain/days.hpp"
#include "relay/domain/relay.hpp"

#include <plankurier/fault.hpp>

#include <algorithm>
#include <functional>
#include <iterator>

namespace plankurier::relay {

namespace {

/// So many pairs of relay and transfer are remembered of one kind.
constexpr std::size_t pairs_max = 10'000;

} // namespace

void Relay::set_relays(std::vector<KnownRelay> relays) {
    relays_.replace(std::move(relays));
    copies_seen_.clear();
}

/// The relay's own last resort: the expiry clock starts at `available`, which is at the latest when
/// the upload's time is over.
std::int64_t Relay::delete_at(const TransferRow& row) const {
    // Where senders may lengthen, a relay must not delete before the control plane says so.
    const bool may_extend = policy_.limits.expiry_extend;
    const std::int64_t days =
        may_extend ? limits_of(policy_, row.department).expiry_days_max : row.expiry_days;
    if (may_extend && row.available != 0) {
        return std::max(row.ends, row.available + days * day_s);
    }
    return row.state == TransferState::uploading ? row.ends + days * day_s : row.ends;
}

Bytes Relay::ticket(const TransferRow& row, TicketRole role, std::int64_t expires) {
    Ticket ticket;
    ticket.transfer = row.transfer;
    ticket.role = role;
    ticket.body_len = row.body_len;
    ticket.not_before = expires - ticket_seconds_max;
    ticket.expires = expires;
    ticket.delete_at = delete_at(row);
    return mint_ticket(ticket, control_key_);
}

Result<TicketAnswer> Relay::put_ticket(const TransferId& transfer, const ManageToken& token) {
    auto row = managed(transfer, token);
    if (!row) return tl::unexpected(row.error());
    if (row->envelope_hash.empty()) return fail(Errc::conflict, "no envelope yet");
    if (row->state == TransferState::quarantined) return fail(Errc::conflict, "quarantined");
    if (row->state == TransferState::uploading) {
        row->ends = ports_.clock.now() + policy_.limits.upload_idle_s;
        ports_.store.transaction([&] { ports_.store.put(*row); });
    }
    const std::int64_t expires = ports_.clock.now() + ticket_seconds_max;
    const std::int64_t now = ports_.clock.monotonic();
    return TicketAnswer{ticket(*row, TicketRole::put, expires), expires, takers(transfer),
                        relays_.copies_min(now)};
}

Result<TicketAnswer> Relay::get_ticket(const TransferId& transfer, const FetchToken& token) {
    const auto row = fetchable(transfer, token);
    if (!row) return tl::unexpected(row.error());
    if (row->lost != 0) return fail(Errc::lost, "transfer");
    std::vector<KnownRelay> have = holders(transfer);
    const auto is_live = [&](const KnownRelay& relay) {
        return relays_.is_live(relay.id, ports_.clock.monotonic());
    };
    // A relay that says nothing may still serve, so it is left out only if another one can.
    if (std::ranges::any_of(have, is_live)) std::erase_if(have, std::not_fn(is_live));
    const std::int64_t expires = ports_.clock.now() + ticket_seconds_max;
    return TicketAnswer{ticket(*row, TicketRole::get, expires), expires,
                        have.empty() ? relays_.ring(transfer) : std::move(have), 0};
}

/// Registered relays that have signed, in the order of the ring.
std::vector<KnownRelay> Relay::holders(const TransferId& transfer) {
    const std::vector<RelayId> signers = ports_.store.copies_of(transfer);
    std::vector<KnownRelay> out = relays_.ring(transfer);
    std::erase_if(out, [&](const KnownRelay& relay) {
        return std::ranges::find(signers, relay.id) == signers.end();
    });
    return out;
}

Result<void> Relay::enough_copies(TransferRow& row, const std::vector<Bytes>& receipts) {
    constexpr std::int64_t patience_s = 600;
    const std::int64_t now = ports_.clock.now();
    if (auto ok = take_receipts(row, receipts); !ok) return ok;
    const std::size_t stored = holders(row.transfer).size();
    if (stored == 0) return fail(Errc::bad_signature, "no stored receipt");
    if (stored >= relays_.copies_min(ports_.clock.monotonic())) return {};
    if (row.waits_for_copies == 0) {
        row.waits_for_copies = now;
        ports_.store.transaction([&] { ports_.store.put(row); });
    }
    if (now - row.waits_for_copies < patience_s) return fail(Errc::unavailable, "too few copies");
    return {}; // one copy is better than a sender who waits: `wanted_copies` asks for the others
}

/// Those in hand and those that came by sync before the sender had said what it sealed.
Result<void> Relay::take_receipts(const TransferRow& row, const std::vector<Bytes>& receipts) {
    std::map<RelayId, CopyRow> said;
    for (CopyRow& copy : ports_.store.copy_rows(row.transfer)) said[copy.relay] = std::move(copy);
    for (const KnownRelay& relay : relays_.all()) {
        const RelayRow word = ports_.store.relay(relay.id);
        for (const Bytes& bytes : receipts) {
            const auto receipt = check_stored(bytes, relay.key);
            const bool counts = receipt && receipt->relay == relay.id &&
                                receipt->transfer == row.transfer &&
                                receipt->body_len == row.body_len;
            // One from before the relay told all that it stores has been told again, or is void. If
            // the clock was set back since, nobody can tell: none is void.
            const std::int64_t now = ports_.clock.now();
            const bool is_old = word.told <= now && receipt->time < word.told - 5;
            // A client may show one that the relay has taken back since.
            const auto lost = lost_told_.find({relay.id, row.transfer});
            const bool is_taken_back =
                lost != lost_told_.end() && lost->second <= now && receipt->time <= lost->second;
            if (!counts || is_old || is_taken_back) continue;
            said[relay.id] = {row.transfer, relay.id, ports_.clock.now(), word.generation,
                              to_hex(receipt->content_root)};
        }
    }
    const auto is_right = [&](const auto& one) {
        return one.second.content_root == row.content_root;
    };
    if (!said.empty() && std::ranges::none_of(said, is_right)) {
        return fail(Errc::tampered, "content root");
    }
    ports_.store.transaction([&] {
        for (const auto& one : said) {
            if (is_right(one)) {
                ports_.store.put(one.second);
            } else {
                ports_.store.remove_copy(row.transfer, one.first);
                count_lie(one.first, row.transfer);
            }
        }
    });
    return {};
}

Result<void> Relay::check_caller(const RelayId& relay, std::int64_t time) {
    constexpr std::int64_t difference_max_s = 300;
    if (relays_.find(relay) == nullptr) return fail(Errc::not_found, "relay");
    const std::int64_t now = ports_.clock.now();
    if (time < now - difference_max_s || time > now + difference_max_s) {
        return fail(Errc::expired, "time of the request");
    }
    return {};
}

/// Once for each transfer, as far as memory reaches: a relay repeats itself every second.
void Relay::count_lie(const RelayId& relay, const TransferId& transfer) {
    if (lies_counted_.size() >= pairs_max) lies_counted_.clear();
    if (!lies_counted_.emplace(relay, transfer).second) return;
    RelayRow word = ports_.store.relay(relay);
    ++word.lies;
    ports_.store.put(word);
}

/// False for a receipt for other content than the sender's.
bool Relay::take_stored(const RelayId& relay, const StoredReceipt& stored,
                        std::int64_t generation) {
    auto row = ports_.store.transfer(stored.transfer);
    if (!row || !is_open(row->state) || row->body_len != stored.body_len) return true;
    const std::string root = to_hex(stored.content_root);
    if (!row->content_root.empty() && row->content_root != root) {
        ports_.store.remove_copy(stored.transfer, relay);
        count_lie(relay, stored.transfer);
        return false;
    }
    const std::size_t before = holders(stored.transfer).size();
    ports_.store.put(CopyRow{stored.transfer, relay, ports_.clock.now(), generation, root});
    const std::size_t now = holders(stored.transfer).size();
    if (now == before || row->state == TransferState::uploading) return true;
    note(*row, HistoryEvent::stored, now);
    row->no_copy_since = row->lost = 0;
    ports_.store.put(*row);
    return true;
}

/// A relay that starts anew, maybe from an older copy of its data or with an empty disk, tells all
/// that it stores. What it had signed for before and does not name now, it does not have.
void Relay::take_generation(const RelayId& relay, const SyncRequest& request) {
    if (request.generation == 0 || !request.all_told) return;
    RelayRow word = ports_.store.relay(relay);
    if (word.generation == request.generation) return;
    word.copies_lost += ports_.store.remove_copies_before(relay, request.generation);
    word.generation = request.generation;
    word.told = ports_.clock.now();
    ports_.store.put(word);
}

/// A relay speaks for itself only, and of what this control plane knows. Gives the transfers that
/// it has signed for with other content than the sender's.
std::vector<TransferId> Relay::take_statements(const RelayId& relay, const SyncRequest& request) {
    std::vector<TransferId> wrong;
    ports_.store.transaction([&] {
        for (const GoneReceipt& gone : request.gone) {
            if (gone.relay != relay) continue;
            ports_.store.mark_gone(gone.transfer, relay, relays_.ids());
            ports_.store.remove_copy(gone.transfer, relay);
        }
        for (const TransferId& lost : request.lost) {
            ports_.store.remove_copy(lost, relay);
            if (lost_told_.size() >= pairs_max) lost_told_.clear();
            lost_told_[{relay, lost}] = request.time;
        }
        for (const StoredReceipt& stored : request.stored) {
            if (stored.relay != relay) continue;
            if (!take_stored(relay, stored, request.generation)) wrong.push_back(stored.transfer);
        }
        take_generation(relay, request);
    });
    PK_FAULT("control.after_statements");
    return wrong;
}

/// Looks at a part of the transfers each time and goes on where it stopped: many that cannot be
/// copied now keep none of the others waiting, and a sync costs the same however many there are.
std::vector<WantedCopy> Relay::wanted_copies(const RelayRoom& room) {
    constexpr std::size_t rows_max = 1'000, copies_max = 100;
    if (room.is_full) return {};
    const RelayId& relay = room.relay;
    const std::int64_t now = ports_.clock.now();
    std::optional<TransferId> after;
    if (const auto seen = copies_seen_.find(relay); seen != copies_seen_.end()) {
        after = seen->second;
    }
    Store::MissingCopies part = ports_.store.missing_copies(relay, after, rows_max, now);
    std::vector<WantedCopy> out;
    for (const TransferId& transfer : part.transfers) {
        if (!relays_.should_hold(relay, transfer, policy_.copies_max, ports_.clock.monotonic())) {
            continue;
        }
        const auto row = ports_.store.transfer(transfer);
        if (!row || room.too_large.contains(transfer)) continue;
        out.push_back({transfer, ticket(*row, TicketRole::peer, now + ticket_seconds_max)});
        if (out.size() == copies_max) {
            part.last = transfer;
            break;
        }
    }
    if (part.last) {
        copies_seen_[relay] = *part.last;
    } else {
        copies_seen_.erase(relay);
    }
    return out;
}

Result<SyncAnswer> Relay::sync(const RelayId& relay, const SyncRequest& request) {
    constexpr std::size_t tombstones_max = 1'000, again_max = 100, halted_max = 1'000;
    relays_.set_clock(relay, request.clock, ports_.clock.monotonic());
    if (auto ok = check_caller(relay, request.time); !ok) return tl::unexpected(ok.error());
    relays_.heard(relay, ports_.clock.monotonic());
    if (request.space) relays_.set_space(relay, *request.space);
    if (request.health) relays_.set_health(relay, *request.health);
    SyncAnswer answer;
    answer.wrong = take_statements(relay, request);
    answer.now = ports_.clock.now();
    answer.is_time_trusted = ports_.clock.is_trusted();
    answer.sequence = request.after;
    for (const TombstoneRow& row : ports_.store.tombstones_after(request.after, tombstones_max)) {
        answer.tombstones.push_back(row.transfer);
        answer.sequence = row.sequence;
    }
    // What it was told before and has not signed for: it died in between, or its disk is another.
    std::ranges::copy(ports_.store.unsigned_tombstones(relay, request.after, again_max),
                      std::back_inserter(answer.tombstones));
    for (const TransferId& transfer : request.holds) {
        const auto row = ports_.store.transfer(transfer);
        const bool live = row && is_open(row->state);
        (live ? answer.leases : answer.tombstones).push_back(transfer);
        if (live) answer.lease_ends.push_back(delete_at(*row));
    }
    // Tickets and certificates of what was reported before these are over by themselves.
    answer.halted = ports_.store.latest_reported(halted_max);
    const RelayRoom room = room_at(relay);
    answer.copies = wanted_copies(room);
    answer.is_full = room.is_full;
    return answer;
}

CopyCounts Relay::copy_counts() {
    const std::vector<RelayId> ids = relays_.ids();
    return {ports_.store.count_short_of_copies(ids, std::min<std::size_t>(ids.size(), 2)),
            ports_.store.count_not_gone(ids), relays_.live_count(ports_.clock.monotonic()),
            ids.size()};
}

} // namespace plankurier::relay
