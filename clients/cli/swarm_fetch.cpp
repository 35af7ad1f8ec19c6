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

constexpr std::size_t window_min = 4;
constexpr milliseconds ask_pause{250};
constexpr seconds patience_with_bytes{120};
constexpr std::uint64_t bytes_that_count = 65'536;
/// So many volumes in a row without a single piece: there is no way through.
constexpr unsigned give_ups_max = 4;

bool local(Errc code) {
    return code == Errc::no_space || code == Errc::file_unreadable || code == Errc::canceled;
}

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

bool SwarmFetch::start(std::uint32_t volume) {
    const auto& download = job_.download;
    auto described = description(volume);
    const auto missing = missing_in(volume);
    const auto whole = ~std::uint64_t{0} >> (volume_pieces_max - described.piece_roots.size());
    auto backing = opened_backing(download.key, download.transfer, download.header, download.layout,
                                  volume, [this](std::uint64_t offset, ByteView plain) {
                                      return job_.download.parts.write(offset, plain);
                                  });
    const auto added = swarm_->add(described, std::move(backing), whole & ~missing, &certificate_);
    if (!added) return false;
    Active active;
    active.missing = missing;
    active.connected.resize(download.relays.size());
    active.moved = steady_clock::now();
    connect(active_.emplace(volume, std::move(active)).first);
    return true;
}

void SwarmFetch::start_volumes() {
    const auto window = std::max(window_min, job_.download.relays.size());
    const auto volumes = job_.download.layout.volumes();
    for (; active_.size() < window && next_volume_ < volumes; ++next_volume_) {
        if (given_up_in_row_ >= give_ups_max || peers_choice_.honest_count() == 0 ||
            !renew_certificate()) {
            next_volume_ = volumes;
            return;
        }
        if (missing_in(next_volume_) == 0) continue;
        if (!start(next_volume_)) ++given_up_in_row_;
    }
}

/// Asks relays that are not connected yet where they serve the volume. They are ready when they
/// say so: whoever connects too early waits long for the next try.
void SwarmFetch::connect(ActiveAt active) {
    const auto now = steady_clock::now();
    auto& volume = active->second;
    if (now < volume.ask_again) return;
    volume.ask_again = now + ask_pause;
    for (std::size_t relay = 0; relay < job_.download.relays.size(); ++relay) {
        const bool usable = job_.choice.usable(relay) && peers_choice_.usable(relay);
        if (volume.connected[relay] || !usable) continue;
        auto peer = job_.where(relay, active->first);
        if (!peer) {
            const auto code = peer.error().code;
            if (code == Errc::network || code == Errc::tls) peers_choice_.failed(relay);
            continue;
        }
        peers_choice_.worked(relay);
        const bool bare = peer->address.find(':') == std::string::npos;
        peers_[relay] =
            (bare ? peer->address : "[" + peer->address + "]") + ":" + std::to_string(peer->port);
        const VolumeName name{job_.download.transfer, active->first};
        if (swarm_->connect(name, peer->address, peer->port)) volume.connected[relay] = true;
    }
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

void SwarmFetch::drop(const std::string& peer) {
    for (std::size_t relay = 0; relay < peers_.size(); ++relay) {
        if (!peer.empty() && peers_[relay] == peer) peers_choice_.lied(relay);
    }
}

Result<void> SwarmFetch::take(const SwarmEvent& event) {
    if (event.kind == SwarmEvent::Kind::bad_peer) drop(event.peer);
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
        if (local(event.error.code)) return tl::unexpected(event.error);
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
    {
        std::unique_lock guard{mutex_};
        changed_.wait_for(guard, milliseconds{100}, [&] { return !events_.empty(); });
        events.swap(events_);
    }
    for (const auto& event : events) {
        if (auto taken = take(event); !taken) return taken;
    }
    return {};
}

Result<void> SwarmFetch::loop() {
    for (start_volumes(); !active_.empty(); start_volumes()) {
        if (interrupted()) return fail(Errc::canceled, "swarm");
        if (auto taken = take_events(); !taken) return taken;
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
                connect(active);
            }
        }
        if (auto durable = ledger_.flush_if_due(); !durable) return durable;
        watcher_.progress((before_pieces_ + fetched_) * job_.download.layout.piece_bytes(),
                          job_.download.layout.sealed_bytes());
    }
    return {};
}

Result<void> SwarmFetch::run() {
    const auto& have = job_.download.state.pieces;
    before_pieces_ = static_cast<std::uint64_t>(std::count(have.begin(), have.end(), true));
    if (before_pieces_ == have.size() || !renew_certificate()) return {};
    swarm_ = std::make_unique<Swarm>(SwarmSettings{}, [this](const SwarmEvent& event) {
        const std::lock_guard guard{mutex_};
        events_.push_back(event);
        changed_.notify_one();
    });
    bytes_moved_ = steady_clock::now();
    auto done = loop();
    swarm_.reset(); // nothing is written any more
    auto durable = ledger_.flush();
    return done ? durable : done;
}

} // namespace plankurier::cli
