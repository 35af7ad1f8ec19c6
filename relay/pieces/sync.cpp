#include "relay/pieces/sync.hpp"

#include <plankurier/fault.hpp>
#include <plankurier/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

constexpr std::size_t ids_max = 500;
constexpr std::size_t receipts_max = 100;
/// So long a start waits for the control plane before it deletes by itself.
constexpr std::chrono::seconds patience{30};

TransferId id_from(const Json& value) {
    const auto id = TransferId::from_hex(value.get_ref<const std::string&>());
    if (!id) throw std::runtime_error("control sends no ids");
    return *id;
}

std::vector<OtherRelay> relays_from(const Json& list) {
    std::vector<OtherRelay> out;
    for (const Json& one : list) {
        OtherRelay relay;
        const auto id = RelayId::from_hex(one.at("id").get_ref<const std::string&>());
        const auto key = from_base64url(one.at("key").get_ref<const std::string&>());
        if (!id || !key || key->size() != relay.key.size()) {
            throw std::runtime_error("control sends no relays");
        }
        relay.id = *id;
        relay.url = one.at("url").get<std::string>();
        std::ranges::copy(*key, relay.key.begin());
        out.push_back(std::move(relay));
    }
    return out;
}

/// By lot, so that a process that starts from an old copy of the data never repeats an earlier one.
/// Fits the numbers of JSON and SQL.
std::uint64_t new_generation() {
    std::array<std::byte, 6> dice{};
    fill_random(dice);
    std::uint64_t value = 1;
    for (const std::byte one : dice) value = value << 8 | std::to_integer<std::uint64_t>(one);
    return value;
}

} // namespace

Sync::Sync(Parts parts, SigningSeed seed, SigningPublicKey control_key)
    : parts_(parts), seed_(std::move(seed)), control_key_(control_key),
      generation_(new_generation()), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Sync::~Sync() {
    thread_.request_stop();
    pause_.notify_all();
}

void Sync::nudge() {
    {
        const std::scoped_lock lock{mutex_};
        nudged_ = true;
    }
    pause_.notify_all();
}

std::string Sync::request_text() {
    const std::vector<Catalog::Held> all = parts_.catalog.held();
    const std::int64_t now = by_own_clock_ ? parts_.time.now() : parts_.lease.now();
    const RelayId& self = parts_.relays.self();
    Json holds = Json::array();
    for (std::size_t i = 0; i < std::min(ids_max, all.size()); ++i) {
        holds.push_back(all[(rotation_ + i) % all.size()].transfer.hex());
    }
    rotation_ = all.empty() ? 0 : (rotation_ + ids_max) % all.size();
    Json gone = Json::array();
    told_ = std::min(ids_max, gone_.size());
    for (std::size_t i = 0; i < told_; ++i) {
        gone.push_back(to_base64url(sign_gone({self, gone_[i], now}, seed_)));
    }
    Json request{
        {"time", now}, {"after", parts_.catalog.sync_sequence()}, {"holds", holds}, {"gone", gone}};
    choose_stored(all, now);
    Json lost = Json::array();
    for (const TransferId& one : losing_) lost.push_back(one.hex());
    const Catalog::Health health = parts_.catalog.health();
    request.update(
        {{"stored", receipts_},
         {"lost", lost},
         {"generation", generation_},
         {"all_told", !has_more_},
         {"damaged", health.damaged_pieces},
         {"scrubbed_s",
          health.oldest_scrub == 0 ? 0 : std::max<std::int64_t>(0, now - health.oldest_scrub)}});
    if (const auto clock = parts_.time.for_others()) request["clock"] = *clock;
    if (const auto space = parts_.catalog.space()) {
        request["free_bytes"] = space->available;
        request["total_bytes"] = space->capacity;
    }
    return request.dump();
}

/// What is stored, what is not any more, and whether that is all: a control plane that has heard
/// all of one generation forgets what it heard of those before.
void Sync::choose_stored(const std::vector<Catalog::Held>& all, std::int64_t now) {
    receipts_.clear();
    telling_.clear();
    losing_.clear();
    has_more_ = false;
    handed_.merge(parts_.catalog.take_signed());
    for (const Catalog::Held& one : all) {
        const bool is_told = told_stored_.contains(one.transfer);
        const bool is_known = is_told || handed_.contains(one.transfer);
        if (is_known && !one.complete && losing_.size() < receipts_max) {
            losing_.push_back(one.transfer);
        }
        if (is_told || !one.complete) continue;
        has_more_ = telling_.size() == receipts_max;
        if (has_more_) break;
        const auto stored = parts_.catalog.stored(one.transfer);
        if (!stored) continue; // purged meanwhile
        telling_.push_back(one.transfer);
        receipts_.push_back(to_base64url(sign_stored(
            {parts_.relays.self(), one.transfer, stored->root, stored->body_len, now}, seed_)));
    }
}

/// In this order nothing is served by swarm, copied or read any more when the files go.
void Sync::purge(const TransferId& transfer) {
    if (std::ranges::find(gone_, transfer) != gone_.end()) return; // done, and yet to be told
    parts_.catalog.forbid(transfer);
    if (parts_.copying != nullptr) parts_.copying->stop(transfer);
    parts_.catalog.purge(transfer);
    told_stored_.erase(transfer);
    handed_.erase(transfer);
    gone_.push_back(transfer);
}

/// Our receipt names other content than what the sender sealed: whatever has happened to our
/// records, the other relays have the right ones.
void Sync::drop(const TransferId& transfer) {
    std::fprintf(stderr, "pieces: the records of a transfer are wrong: it is copied again\n");
    parts_.catalog.drop_volumes(transfer);
    told_stored_.erase(transfer);
}

/// Before the lease is renewed, so that a start reads nothing of them either.
void Sync::halt(const Json& list) {
    std::set<TransferId> halted;
    for (const Json& one : list) halted.insert(id_from(one));
    for (const TransferId& one : parts_.catalog.halt(std::move(halted))) {
        if (parts_.copying != nullptr) parts_.copying->stop(one);
    }
}

/// An older control plane says no ends.
void Sync::lengthen(const Json& leases, const Json& ends) {
    for (std::size_t i = 0; i < std::min(leases.size(), ends.size()); ++i) {
        parts_.catalog.lengthen(id_from(leases[i]), ends[i].get<std::int64_t>());
    }
}

void Sync::obey(const std::string& text) {
    const Json answer = parse_json(text);
    // The last request's statements have arrived.
    gone_.erase(gone_.begin(),
                gone_.begin() + static_cast<std::ptrdiff_t>(std::exchange(told_, 0)));
    told_stored_.insert(telling_.begin(), telling_.end());
    for (const TransferId& one : losing_) {
        told_stored_.erase(one);
        handed_.erase(one);
    }
    for (const Json& one : answer.at("tombstones")) purge(id_from(one));
    PK_FAULT("sync.after_purge");
    parts_.catalog.set_sync_sequence(answer.at("seq").get<std::int64_t>());
    PK_FAULT("sync.after_sequence");
    halt(answer.value("halted", Json::array())); // an older control plane says nothing
    parts_.relays.set(relays_from(answer.at("relays")), answer.at("copies_max").get<std::size_t>());
    // Only now: what was deleted while we were away is not read in between.
    parts_.lease.renew(answer.at("now").get<std::int64_t>(), answer.value("time_trusted", true));
    lengthen(answer.at("leases"), answer.value("lease_ends", Json::array()));
    for (const Json& one : answer.value("wrong", Json::array())) drop(id_from(one));
    std::vector<Healer::Wanted> wanted;
    for (const Json& one : answer.at("copies")) {
        const std::string& ticket_text = one.at("ticket").get_ref<const std::string&>();
        const auto raw = from_base64url(ticket_text);
        if (!raw) throw std::runtime_error("control sends no tickets");
        const auto ticket = check_ticket(*raw, control_key_, parts_.lease.now());
        if (!ticket || ticket->transfer != id_from(one.at("tid"))) continue;
        told_stored_.erase(ticket->transfer); // it does not know our receipt
        if (!parts_.catalog.complete(ticket->transfer)) wanted.push_back({*ticket, ticket_text});
    }
    if (parts_.copying == nullptr) return;
    parts_.copying->set_full(answer.value("full", false)); // an older control plane says nothing
    parts_.copying->heal(std::move(wanted));
}

void Sync::once() {
    const auto told = parts_.lease.trusted_control_now();
    parts_.time.look(told);
    const bool is_heard = parts_.lease.control_now().has_value();
    // What was lengthened meanwhile is known with the first answer, and whether clocks are trusted.
    const bool is_alone = std::chrono::steady_clock::now() - begun_ >= patience;
    const auto now = parts_.time.delete_time(told, is_heard && !told);
    if (now && (is_heard || is_alone)) {
        for (const TransferId& id : parts_.catalog.overdue(*now)) purge(id);
    }
    const auto answer = parts_.control.post("/v1/relay/sync", "sync", request_text());
    if (!answer) {
        // Was its clock set right since we last heard it? Then what we reckon is refused for good.
        by_own_clock_ = !by_own_clock_;
        throw std::runtime_error(
            "no answer from control: " + std::string{name(answer.error().code)} + ", " +
            answer.error().detail);
    }
    by_own_clock_ = false;
    obey(*answer);
}

void Sync::run(const std::stop_token& stop) {
    constexpr unsigned patient = 3;
    unsigned failures = 0; // in a row
    while (!stop.stop_requested()) {
        bool at_once = false;
        try {
            once();
            failures = 0;
            at_once = has_more_;
        } catch (const std::exception& error) {
            // The control plane may be starting, which is not worth a word; its absence stops no
            // writing, and for a day no reading.
            if (++failures == patient) std::fprintf(stderr, "pieces: sync: %s\n", error.what());
        }
        if (at_once) continue;
        std::unique_lock lock{mutex_};
        pause_.wait_for(lock, stop, std::chrono::seconds{1},
                        [&] { return std::exchange(nudged_, false); });
    }
}

} // namespace plankurier::relay::pieces
