#include "relay/pieces/swarm_volumes.hpp"

#include <cstdio>

namespace plankurier::relay::pieces {

namespace {

using std::chrono::steady_clock;
using State = swarm::Report::Kind;

swarm::Command command_for(swarm::Command::Kind kind, const SwarmPlace& place) {
    swarm::Command command;
    command.kind = kind;
    command.volume.name = place.volume;
    return command;
}

} // namespace

SwarmVolumes::SwarmVolumes(Catalog& catalog, Certificates& certificates,
                           const std::filesystem::path& socket, Times times)
    : catalog_(catalog), certificates_(certificates), times_(times), link_(socket, *this),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

SwarmVolumes::~SwarmVolumes() {
    thread_.request_stop();
    changed_.notify_all();
}

void SwarmVolumes::want(const SwarmPlace& place, Told told) {
    std::unique_lock lock{mutex_};
    if (!is_up(place.kind)) {
        lock.unlock();
        told(fail(Errc::unavailable, "no swarm process"));
        return;
    }
    const auto found = table_.find(place);
    if (found != table_.end()) {
        Loaded& entry = found->second;
        entry.asked = steady_clock::now();
        const bool old = place.kind == SwarmKind::tls && !entry.news &&
                         certificates_.end_soon(entry.certificate_expires);
        if (entry.state == Loaded::State::ready && !old) {
            const std::uint16_t port = ports_.at(static_cast<std::size_t>(place.kind));
            lock.unlock();
            told(port);
            return;
        }
        end_if_deaf(place.kind, entry);
        entry.askers.push_back(std::move(told)); // as many as there are connections, at most
        if (entry.state == Loaded::State::ready) remove(place, entry); // and load it anew
        return;
    }
    if (table_.size() >= loaded_max) {
        lock.unlock();
        told(fail(Errc::unavailable, "too many volumes"));
        return;
    }
    Loaded& entry = table_[place];
    entry.asked = steady_clock::now();
    entry.askers.push_back(std::move(told));
    to_load_.push_back(place);
    lock.unlock();
    changed_.notify_all();
}

/// A swarm process that is stuck would keep everybody waiting; a new one starts in a moment.
void SwarmVolumes::end_if_deaf(SwarmKind kind, const Loaded& entry) {
    const bool ordered =
        entry.state == Loaded::State::adding || entry.state == Loaded::State::removing;
    if (!ordered || steady_clock::now() - entry.ordered < times_.obey) return;
    std::fprintf(stderr, "pieces: a swarm process does not answer, it is ended\n");
    link_.kill(kind);
}

Result<std::optional<Certificates::Issued>> SwarmVolumes::certificate_for(const SwarmPlace& place) {
    if (place.kind == SwarmKind::plain) return std::nullopt;
    auto issued = certificates_.get(place.volume.transfer);
    if (!issued) return tl::unexpected(issued.error());
    return std::move(*issued);
}

/// With the mutex held, so that `unload` comes either before (then the catalog forbids or halts) or
/// after (then it finds the entry).
Result<void> SwarmVolumes::send_add(const SwarmPlace& place, Loaded& entry, SwarmVolume volume,
                                    std::uint64_t have, std::shared_ptr<VolumeFile> file,
                                    std::optional<Certificates::Issued> issued) {
    if (catalog_.forbidden(place.volume.transfer)) return fail(Errc::purged, "transfer");
    if (catalog_.halted(place.volume.transfer)) return fail(Errc::not_found, "transfer");
    auto command = command_for(swarm::Command::Kind::add, place);
    entry.pieces = static_cast<std::uint32_t>(volume.piece_roots.size());
    command.volume = std::move(volume);
    command.have = have;
    if (issued) {
        entry.certificate_expires = issued->expires;
        command.certificate = std::move(issued->certificate);
    }
    if (!is_up(place.kind) || !link_.send(place.kind, command, std::move(file))) {
        return fail(Errc::unavailable, "no swarm process");
    }
    entry.state = Loaded::State::adding;
    entry.ordered = steady_clock::now();
    return {};
}

/// On demand: what is whole here, opened for reading only.
void SwarmVolumes::load(const SwarmPlace& place) {
    const auto attempt = [&]() -> Result<void> {
        auto whole = catalog_.whole(place.volume.transfer, place.volume.volume);
        if (!whole) return tl::unexpected(whole.error());
        auto issued = certificate_for(place);
        if (!issued) return fail(Errc::unavailable, "no certificate");
        SwarmVolume volume{place.volume, whole->piece_bytes, std::move(whole->piece_roots)};
        const std::scoped_lock lock{mutex_};
        const auto found = table_.find(place);
        // Unloaded meanwhile, or loaded by a copy.
        if (found == table_.end() || found->second.state != Loaded::State::waiting) return {};
        return send_add(place, found->second, std::move(volume), ~std::uint64_t{0},
                        std::move(whole->file), std::move(*issued));
    };
    Result<void> done = fail(Errc::unavailable, "load");
    try {
        done = attempt();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "pieces: load a volume: %s\n", error.what());
    }
    if (done) return;
    std::vector<Told> askers;
    {
        const std::scoped_lock lock{mutex_};
        const auto found = table_.find(place);
        if (found == table_.end() || found->second.state != Loaded::State::waiting) return;
        askers = std::move(found->second.askers);
        table_.erase(found);
    }
    changed_.notify_all();
    for (const Told& one : askers) one(tl::unexpected(done.error()));
}

void SwarmVolumes::run(const std::stop_token& stop) {
    for (;;) {
        SwarmPlace place;
        {
            std::unique_lock lock{mutex_};
            if (!changed_.wait(lock, stop, [&] { return !to_load_.empty(); })) return;
            place = to_load_.front();
            to_load_.pop_front();
        }
        load(place);
    }
}

void SwarmVolumes::remove(const SwarmPlace& place, Loaded& entry) {
    if (entry.state == Loaded::State::removing) return;
    entry.state = Loaded::State::removing;
    entry.ordered = steady_clock::now();
    // A process that is gone has removed everything: `down` comes for the entry.
    link_.send(place.kind, command_for(swarm::Command::Kind::remove, place));
}

void SwarmVolumes::up(SwarmKind kind, std::uint16_t port) {
    {
        const std::scoped_lock lock{mutex_};
        ports_.at(static_cast<std::size_t>(kind)) = port;
        // What the process before had loaded: its peers come again by themselves.
        for (const auto& [place, entry] : table_) {
            if (place.kind == kind && entry.state == Loaded::State::waiting && !entry.news) {
                to_load_.push_back(place);
            }
        }
    }
    changed_.notify_all();
}

void SwarmVolumes::down(SwarmKind kind) {
    std::vector<Told> askers;
    {
        const std::scoped_lock lock{mutex_};
        ports_.at(static_cast<std::size_t>(kind)) = 0;
        for (auto at = table_.begin(); at != table_.end();) {
            auto& [place, entry] = *at;
            if (place.kind != kind) {
                ++at;
                continue;
            }
            std::ranges::move(entry.askers, std::back_inserter(askers));
            entry.askers.clear();
            if (entry.news) entry.news->tell([](CopyNews::State& news) { news.ended = true; });
            const bool gone = entry.news || entry.state == Loaded::State::removing;
            entry.state = Loaded::State::waiting;
            at = gone ? table_.erase(at) : std::next(at);
        }
    }
    changed_.notify_all();
    for (const Told& one : askers) one(fail(Errc::unavailable, "no swarm process"));
}

/// The root of the piece comes from the descriptor, and only pieces of a running copy are heard of.
/// That the file holds such a piece is the swarm process's word: it hashes every piece before it
/// says so, and reading it again here would read and hash each byte twice. A process that was taken
/// over could lie, but it could also alter the file at any later time, for which it has the
/// descriptor; whoever fetches the volume verifies it and goes to another relay.
void SwarmVolumes::on_piece(Loaded& entry, const swarm::Report& report) {
    if (!entry.news || report.piece >= entry.pieces) return;
    entry.news->tell(
        [&](CopyNews::State& news) { news.pieces |= std::uint64_t{1} << report.piece; });
}

void SwarmVolumes::on_removed(Table::iterator entry) {
    if (entry->second.state != Loaded::State::removing) return;
    if (entry->second.askers.empty()) {
        table_.erase(entry);
        return;
    }
    entry->second.state = Loaded::State::waiting; // somebody asked meanwhile
    to_load_.push_back(entry->first);
}

void SwarmVolumes::heard(SwarmKind kind, const swarm::Report& report) {
    std::vector<Told> askers;
    Result<std::uint16_t> answer = fail(Errc::unavailable, "volume failed");
    {
        const std::scoped_lock lock{mutex_};
        const auto found = table_.find({report.volume, kind});
        if (found == table_.end()) return;
        auto& [place, entry] = *found;
        switch (report.kind) {
        case State::ready:
            if (entry.state != Loaded::State::adding) break;
            entry.state = Loaded::State::ready;
            if (entry.news) entry.news->tell([](CopyNews::State& news) { news.ready = true; });
            answer = ports_.at(static_cast<std::size_t>(kind));
            askers.swap(entry.askers);
            break;
        case State::piece: on_piece(entry, report); break;
        case State::bad_peer:
            if (entry.news) entry.news->tell([](CopyNews::State& news) { news.bad_peer = true; });
            break;
        case State::quiet:
            if (!entry.news && steady_clock::now() - entry.asked >= times_.quiet) {
                remove(place, entry);
            }
            break;
        case State::failed:
            if (entry.news) {
                entry.news->tell([&](CopyNews::State& news) { news.failed = report.error; });
            } else {
                askers.swap(entry.askers);
                remove(place, entry);
            }
            break;
        case State::removed: on_removed(found); break;
        case State::hello:
        case State::complete: break; // the last piece has said it
        }
    }
    changed_.notify_all();
    for (const Told& one : askers) one(answer);
}

} // namespace plankurier::relay::pieces
