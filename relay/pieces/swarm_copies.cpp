// Loading for a copy, and unloading so that nothing is served any more.
#include "relay/pieces/swarm_volumes.hpp"

#include <algorithm>
#include <cstdio>

namespace plankurier::relay::pieces {

Result<void> SwarmVolumes::begin_copy(const SwarmPlace& place, SwarmVolume volume,
                                      const CopyTarget& target, std::shared_ptr<CopyNews> news) {
    auto issued = certificate_for(place);
    if (!issued) return tl::unexpected(issued.error());
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, times_.obey, [&] { return !table_.contains(place); }) ||
        table_.size() >= loaded_max) {
        return fail(Errc::unavailable, "loaded already, or too many volumes");
    }
    Loaded& entry = table_[place];
    entry.asked = std::chrono::steady_clock::now();
    entry.news = std::move(news);
    auto sent =
        send_add(place, entry, std::move(volume), target.have, target.file, std::move(*issued));
    if (!sent) table_.erase(place);
    return sent;
}

bool SwarmVolumes::connect(const SwarmPlace& place, const std::string& address,
                           std::uint16_t port) {
    swarm::Command command;
    command.kind = swarm::Command::Kind::connect;
    command.volume.name = place.volume;
    command.address = address;
    command.port = port;
    return link_.send(place.kind, command);
}

void SwarmVolumes::wait_removed(std::unique_lock<std::mutex>& lock,
                                const std::function<bool(const SwarmPlace&)>& concerns) {
    const auto still = [&](SwarmKind kind) {
        return std::ranges::any_of(table_, [&](const auto& one) {
            return one.first.kind == kind && one.second.state == Loaded::State::removing &&
                   concerns(one.first);
        });
    };
    for (const SwarmKind kind : {SwarmKind::tls, SwarmKind::plain}) {
        while (!changed_.wait_for(lock, times_.obey, [&] { return !still(kind); })) {
            std::fprintf(stderr, "pieces: a swarm process does not unload, it is ended\n");
            link_.kill(kind);
        }
    }
}

void SwarmVolumes::end_copy(const SwarmPlace& place) {
    std::unique_lock lock{mutex_};
    const auto found = table_.find(place);
    if (found == table_.end()) return; // the process has ended meanwhile
    found->second.news.reset();
    remove(place, found->second);
    wait_removed(lock, [&](const SwarmPlace& one) { return one == place; });
}

void SwarmVolumes::keep_copy(const SwarmPlace& place) {
    const std::scoped_lock lock{mutex_};
    const auto found = table_.find(place);
    if (found != table_.end()) found->second.news.reset();
}

void SwarmVolumes::unload_all(const std::function<bool(const SwarmPlace&)>& concerns, Errc why) {
    std::vector<Told> askers;
    {
        std::unique_lock lock{mutex_};
        for (auto at = table_.begin(); at != table_.end();) {
            auto& [place, entry] = *at;
            if (!concerns(place)) {
                ++at;
                continue;
            }
            std::ranges::move(entry.askers, std::back_inserter(askers));
            entry.askers.clear();
            if (entry.news) {
                entry.news->tell([&](CopyNews::State& news) {
                    news.canceled = why == Errc::purged;
                    news.ended = true;
                });
            }
            if (entry.state == Loaded::State::waiting) {
                at = table_.erase(at); // never sent, or the process is gone
            } else {
                remove(place, entry);
                ++at;
            }
        }
        wait_removed(lock, concerns);
    }
    changed_.notify_all();
    for (const Told& one : askers) one(fail(why, "unloaded"));
}

void SwarmVolumes::unload(const TransferId& transfer) {
    unload_all([&](const SwarmPlace& one) { return one.volume.transfer == transfer; },
               Errc::purged);
    certificates_.forget(transfer);
}

void SwarmVolumes::unload(const VolumeName& volume) {
    unload_all([&](const SwarmPlace& one) { return one.volume == volume; }, Errc::unavailable);
}

std::size_t SwarmVolumes::loaded() {
    const std::scoped_lock lock{mutex_};
    return table_.size();
}

} // namespace plankurier::relay::pieces
