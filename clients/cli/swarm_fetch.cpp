#include <clients/cli/swarm_fetch.hpp>

#include <clients/cli/swarm_key.hpp>

#include <algorithm>
#include <bit>
#include <ctime>

namespace plankurier::cli {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

/// So much is always wanted, in volumes, and so that it never runs out while the next one begins:
/// asking relays and shaking hands takes about 50 ms.
constexpr std::uint64_t volumes_under_way_min = 3;
constexpr std::size_t window_max = 8; ///< volumes, most of them nearly done
constexpr milliseconds ask_pause{250};
constexpr milliseconds answers_max{100}; ///< so long the first relay that answered waits for others
constexpr seconds patience_with_bytes{120};
constexpr std::uint64_t bytes_that_count = 65'536;
/// So many volumes in a row without a single piece: there is no way through.
constexpr unsigned give_ups_max = 4;

} // namespace

SwarmFetch::SwarmFetch(const SwarmFetchJob& job, const DownloadWatcher& watcher)
    : job_(job), watcher_(watcher), ledger_(job.download.parts, job.download.store,
                                            job.download.state, job.download.layout.piece_bytes()),
      peers_(job.download.relays.size()), peers_choice_(job.download.relays.size()) {}

SwarmFetch::~SwarmFetch() = default;

bool SwarmFetch::renew_certificate() {
    // Near the transfer's end none is good for long: then one a minute must do.
    const std::int64_t now = std::time(nullptr);
    const bool fresh = certificate_until_ > now && now - certificate_asked_ < 60;
    if (fresh || certificate_until_ - now > 600) return true;
    certificate_asked_ = now;
    auto key = make_swarm_key();
    auto answer = job_.certificate(key.public_key);
    if (!answer) return certificate_until_ > now;
    certificate_ = {std::move(answer->authority), std::move(answer->certificate),
                    std::move(key.private_key)};
    certificate_until_ = answer->expires;
    return true;
}

std::uint64_t SwarmFetch::missing_in(std::uint32_t volume) const {
    std::uint64_t missing = 0;
    const auto first = std::uint64_t{volume} * volume_pieces_max;
    for (std::uint32_t piece = 0; piece < job_.download.layout.pieces_in_volume(volume); ++piece) {
        if (!job_.download.state.pieces[first + piece]) missing |= std::uint64_t{1} << piece;
    }
    return missing;
}

SwarmVolume SwarmFetch::description(std::uint32_t volume) const {
    const auto first = job_.roots.begin() + std::ptrdiff_t{volume} * volume_pieces_max;
    return {{job_.download.transfer, volume},
            job_.download.layout.piece_bytes(),
            {first, first + job_.download.layout.pieces_in_volume(volume)}};
}

std::uint64_t SwarmFetch::pieces_under_way() const {
    std::uint64_t out = 0;
    for (const auto& [volume, active] : active_) {
        out += static_cast<std::uint64_t>(std::popcount(active.missing));
    }
    return out;
}

void SwarmFetch::start_volumes() {
    const auto volumes = job_.download.layout.volumes();
    for (; next_volume_ < volumes; ++next_volume_) {
        const bool enough = active_.size() >= window_max ||
                            pieces_under_way() >= volumes_under_way_min * volume_pieces_max;
        if (enough) return;
        if (given_up_in_row_ >= give_ups_max || peers_choice_.honest_count() == 0 ||
            !renew_certificate()) {
            next_volume_ = volumes;
            return;
        }
        const auto missing = missing_in(next_volume_);
        if (missing == 0) continue;
        Active active;
        active.missing = missing;
        active.places.resize(job_.download.relays.size());
        active.moved = steady_clock::now();
        ask(active_.emplace(next_volume_, std::move(active)).first, steady_clock::now());
    }
}

/// Asks relays that did not say yet where they serve the volume. They are ready when they say so:
/// whoever connects too early waits long for the next try.
void SwarmFetch::ask(ActiveAt active, Time now) {
    for (std::size_t relay = 0; relay < job_.download.relays.size(); ++relay) {
        auto& place = active->second.places[relay];
        const bool usable = job_.choice.usable(relay) && peers_choice_.usable(relay);
        if (place.asked || place.peer || !usable || now < place.ask_again) continue;
        place.asked = true;
        asking_->ask(relay, active->first);
    }
}

void SwarmFetch::take(SwarmPlaces::Answer answer) {
    const auto now = steady_clock::now();
    auto& peer = answer.peer;
    if (peer) {
        peers_choice_.worked(answer.relay);
        const bool bare = peer->address.find(':') == std::string::npos;
        peers_[answer.relay] =
            (bare ? peer->address : "[" + peer->address + "]") + ":" + std::to_string(peer->port);
    } else if (peer.error().code == Errc::network || peer.error().code == Errc::tls) {
        peers_choice_.failed(answer.relay);
    }
    const auto active = active_.find(answer.volume);
    if (active == active_.end()) return;
    auto& volume = active->second;
    auto& place = volume.places[answer.relay];
    place.asked = false;
    place.ask_again = now + ask_pause;
    if (!peer) return;
    place.peer = std::move(*peer);
    if (volume.first_answer == Time{}) volume.first_answer = now;
    if (!volume.joined) return;
    const VolumeName name{job_.download.transfer, active->first};
    if (!swarm_->connect(name, place.peer->address, place.peer->port)) place.peer.reset();
}

bool SwarmFetch::join(ActiveAt active) {
    const auto& download = job_.download;
    const auto described = description(active->first);
    const auto whole = ~std::uint64_t{0} >> (volume_pieces_max - described.piece_roots.size());
    auto backing = opened_backing(download.key, download.transfer, download.header, download.layout,
                                  active->first, [this](std::uint64_t offset, ByteView plain) {
                                      return job_.download.parts.write(offset, plain);
                                  });
    const auto added =
        swarm_->add(described, std::move(backing), whole & ~active->second.missing, &certificate_);
    if (!added) return false;
    active->second.joined = true;
    for (auto& place : active->second.places) {
        if (place.peer && !swarm_->connect(described.name, place.peer->address, place.peer->port)) {
            place.peer.reset();
        }
    }
    return true;
}

/// As soon as all relays have answered, or one of them long enough ago.
void SwarmFetch::join_if_due(ActiveAt active, Time now) {
    const auto& volume = active->second;
    if (volume.joined || volume.first_answer == Time{}) return;
    const bool waits = std::ranges::any_of(volume.places, &Place::asked);
    if (waits && now - volume.first_answer < answers_max) return;
    if (!join(active)) give_up(active);
}

void SwarmFetch::give_up(ActiveAt active) {
    swarm_->remove({job_.download.transfer, active->first});
    ++given_up_in_row_;
    active_.erase(active);
}

bool SwarmFetch::stuck(const Active& active, Time now) {
    if (peers_choice_.honest_count() == 0) return true;
    if (now - active.moved < job_.patience) return false;
    return now - bytes_moved_ >= job_.patience || now - active.moved >= patience_with_bytes;
}

void SwarmFetch::drop(const std::string& peer, std::uint32_t volume) {
    for (std::size_t relay = 0; relay < peers_.size(); ++relay) {
        if (peer.empty() || peers_[relay] != peer) continue;
        peers_choice_.lied(relay);
        if (job_.complain) job_.complain(relay, volume);
    }
}

Result<void> SwarmFetch::take(const SwarmEvent& event) {
    if (event.kind == SwarmEvent::Kind::bad_peer) drop(event.peer, event.volume.volume);
    const auto active = active_.find(event.volume.volume);
    if (active == active_.end()) return {};
    auto& volume = active->second;
    const auto now = steady_clock::now();
    if (event.kind == SwarmEvent::Kind::piece) {
        const auto bit = std::uint64_t{1} << (event.piece % volume_pieces_max);
        if ((volume.missing & bit) == 0) return {};
        volume.missing &= ~bit;
        volume.moved = bytes_moved_ = now;
        given_up_in_row_ = 0;
        ++fetched_;
        ledger_.add(std::uint64_t{active->first} * volume_pieces_max + event.piece);
    } else if (event.kind == SwarmEvent::Kind::failed) {
        if (is_local(event.error.code)) return tl::unexpected(event.error);
        give_up(active);
        return {};
    }
    if (volume.missing != 0) return {};
    swarm_->remove(event.volume);
    active_.erase(active);
    return {};
}

Result<void> SwarmFetch::take_events() {
    std::deque<SwarmEvent> events;
    std::deque<SwarmPlaces::Answer> answers;
    {
        std::unique_lock guard{mutex_};
        changed_.wait_for(guard, milliseconds{100},
                          [&] { return !events_.empty() || !answers_.empty(); });
        events.swap(events_);
        answers.swap(answers_);
    }
    for (auto& answer : answers) take(std::move(answer));
    for (const auto& event : events) {
        if (auto taken = take(event); !taken) return taken;
    }
    return {};
}

void SwarmFetch::look_after_volumes() {
    const auto now = steady_clock::now();
    const auto bytes = swarm_->totals().received_bytes;
    if (bytes - seen_bytes_ >= bytes_that_count) {
        seen_bytes_ = bytes;
        bytes_moved_ = now;
    }
    for (auto at = active_.begin(); at != active_.end();) {
        const auto active = at++;
        if (stuck(active->second, now)) {
            give_up(active);
        } else {
            ask(active, now);
            join_if_due(active, now);
        }
    }
}

Result<void> SwarmFetch::loop() {
    for (start_volumes(); !active_.empty(); start_volumes()) {
        if (interrupted()) return fail(Errc::canceled, "swarm");
        if (auto taken = take_events(); !taken) return taken;
        look_after_volumes();
        if (auto durable = ledger_.flush_if_due(); !durable) return durable;
        watcher_.progress((before_pieces_ + fetched_) * job_.download.layout.piece_bytes(),
                          job_.download.layout.sealed_bytes());
    }
    return {};
}

void SwarmFetch::prepare() {
    const auto& have = job_.download.state.pieces;
    before_pieces_ = static_cast<std::uint64_t>(std::count(have.begin(), have.end(), true));
    if (before_pieces_ == have.size() || !renew_certificate()) return;
    swarm_ = std::make_unique<Swarm>(SwarmSettings{}, [this](const SwarmEvent& event) {
        const std::lock_guard guard{mutex_};
        events_.push_back(event);
        changed_.notify_one();
    });
    asking_ = std::make_unique<SwarmPlaces>(job_.download.relays.size(), job_.where,
                                            [this](SwarmPlaces::Answer answer) {
                                                const std::lock_guard guard{mutex_};
                                                answers_.push_back(std::move(answer));
                                                changed_.notify_one();
                                            });
    start_volumes();
}

Result<void> SwarmFetch::run() {
    if (!asking_) return {};
    bytes_moved_ = steady_clock::now();
    auto done = loop();
    asking_.reset();
    for (const auto& [volume, active] : std::exchange(active_, {})) {
        swarm_->remove({job_.download.transfer, volume}); // nothing is written any more
    }
    auto durable = ledger_.flush();
    return done ? durable : done;
}

} // namespace plankurier::cli
