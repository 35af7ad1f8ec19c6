#include "engine/swarm/control.hpp"

#include <libtorrent/address.hpp>
#include <libtorrent/peer_info.hpp>

#include <algorithm>

namespace plankurier::swarm {

namespace {

constexpr std::chrono::milliseconds retry_min{20}, retry_max{1'000};
/// libtorrent begins at the latest with its next tick, once a second.
constexpr std::chrono::seconds begin_max{2};

std::chrono::milliseconds retry_after(unsigned failures) {
    return std::min(retry_max, retry_min * (1U << std::min(failures, 6U)));
}

std::string text_of(const lt::tcp::endpoint& peer) {
    const std::string address = peer.address().to_string();
    return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(peer.port());
}

Wanted* find_wanted(Loaded& volume, const Note& note) {
    if (!note.outgoing) return nullptr;
    const auto found = std::ranges::find(volume.wanted, note.peer, &Wanted::peer);
    return found == volume.wanted.end() ? nullptr : &*found;
}

/// As if a tracker had named it: that lets a peer be tried again that failed before.
void ask(Loaded& volume, Wanted& wanted) {
    wanted.busy = true;
    wanted.next = Clock::now() + begin_max;
    volume.handle.connect_peer(wanted.peer, lt::peer_info::tracker);
}

} // namespace

Control::Control(Swarm::Listener listener, std::chrono::seconds quiet_after)
    : listener_(std::move(listener)), quiet_after_(quiet_after), thread_([this] { run(); }) {}

Control::~Control() { stop(); }

void Control::stop() {
    {
        const std::scoped_lock lock{notes_mutex_};
        stopped_ = true;
    }
    more_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Control::notify(Note note) {
    {
        const std::scoped_lock lock{notes_mutex_};
        notes_.push_back(std::move(note));
    }
    more_.notify_one();
}

Result<void> Control::add(const VolumeName& name,
                          const std::function<Result<std::shared_ptr<Loaded>>()>& load) {
    const std::scoped_lock lock{mutex_};
    if (volumes_.contains(name)) return fail(Errc::exists, "volume");
    auto loaded = load();
    if (!loaded) return tl::unexpected(loaded.error());
    volumes_.emplace(name, std::move(*loaded));
    return {};
}

Result<void> Control::connect(const VolumeName& name, const lt::tcp::endpoint& peer) {
    {
        const std::scoped_lock lock{mutex_};
        const auto found = volumes_.find(name);
        if (found == volumes_.end()) return fail(Errc::not_found, "volume");
        Loaded& volume = *found->second;
        if (volume.failed || volume.have == volume.all) return {};
        if (std::ranges::find(volume.wanted, peer, &Wanted::peer) != volume.wanted.end()) return {};
        volume.wanted.push_back({peer});
        set_timer(volume, Clock::now());
    }
    // Under the other lock, so that the thread is not just about to wait.
    { const std::scoped_lock lock{notes_mutex_}; }
    more_.notify_one();
    return {};
}

std::shared_ptr<Loaded> Control::take(const VolumeName& name) {
    const std::scoped_lock lock{mutex_};
    const auto found = volumes_.find(name);
    if (found == volumes_.end()) return nullptr;
    std::shared_ptr<Loaded> taken = std::move(found->second);
    volumes_.erase(found);
    return taken;
}

std::vector<VolumeName> Control::names() const {
    const std::scoped_lock lock{mutex_};
    std::vector<VolumeName> out;
    for (const auto& [name, volume] : volumes_) out.push_back(name);
    return out;
}

void Control::run() {
    std::vector<Note> notes;
    for (;;) {
        auto wake = Clock::now() + std::chrono::hours{1};
        {
            const std::scoped_lock lock{mutex_};
            if (!timers_.empty()) wake = timers_.top().at;
        }
        {
            std::unique_lock lock{notes_mutex_};
            if (notes_.empty() && !stopped_ && wake > Clock::now()) more_.wait_until(lock, wake);
            if (stopped_) return;
            notes.swap(notes_);
        }
        {
            const std::scoped_lock lock{mutex_};
            for (const Note& note : notes) react(note);
            const auto now = Clock::now();
            while (!timers_.empty() && timers_.top().at <= now) {
                const Timer timer = timers_.top();
                timers_.pop();
                if (Loaded* volume = find(timer.volume, timer.load)) look_after(*volume, now);
            }
        }
        notes.clear();
        for (const SwarmEvent& event : to_tell_) listener_(event);
        to_tell_.clear();
    }
}

Loaded* Control::find(const VolumeName& name, std::uint64_t load) {
    const auto found = volumes_.find(name);
    if (found == volumes_.end() || found->second->disk->load != load) return nullptr;
    return found->second.get();
}

void Control::tell(const Loaded& volume, SwarmEvent event) {
    event.volume = volume.disk->about.name;
    to_tell_.push_back(std::move(event));
}

void Control::tell(const Loaded& volume, SwarmEvent::Kind kind) {
    SwarmEvent event;
    event.kind = kind;
    tell(volume, std::move(event));
}

void Control::set_timer(const Loaded& volume, Clock::time_point at) {
    timers_.push({at, volume.disk->about.name, volume.disk->load});
}

void Control::react(const Note& note) {
    Loaded* const volume = find(note.volume, note.load);
    if (volume == nullptr) return;
    switch (note.kind) {
    case Note::Kind::checked: on_checked(*volume); break;
    case Note::Kind::resumed: on_resumed(*volume); break;
    case Note::Kind::attached:
        ++volume->attached;
        if (Wanted* wanted = find_wanted(*volume, note)) wanted->busy = wanted->attached = true;
        break;
    case Note::Kind::greeted: ++volume->greeted; break;
    case Note::Kind::detached: on_detached(*volume, note); break;
    case Note::Kind::report: on_report(*volume, note); break;
    }
}

void Control::on_checked(Loaded& volume) {
    if (volume.phase != Loaded::Phase::checking) return;
    volume.phase = Loaded::Phase::resuming;
    if (!volume.certificate.empty()) {
        // The Diffie-Hellman parameters stay away: TLS 1.3 and elliptic curves need none.
        volume.handle.set_ssl_certificate_buffer(volume.certificate,
                                                 std::string{volume.private_key.reveal()}, {});
        volume.private_key.clear();
    }
    for (Wanted& wanted : volume.wanted) {
        ask(volume, wanted);
    }
    // Resuming is what makes libtorrent connect at once and not at its next tick.
    volume.handle.resume();
}

void Control::on_resumed(Loaded& volume) {
    if (volume.phase != Loaded::Phase::resuming) return;
    volume.phase = Loaded::Phase::ready;
    volume.alone_since = Clock::now();
    tell(volume, SwarmEvent::Kind::ready);
    set_timer(volume, volume.alone_since);
    set_timer(volume, volume.alone_since + quiet_after_);
}

void Control::on_detached(Loaded& volume, const Note& note) {
    const auto now = Clock::now();
    --volume.attached;
    if (note.greeted && --volume.greeted == 0) {
        volume.alone_since = now;
        set_timer(volume, now + quiet_after_);
    }
    if (note.banned) {
        SwarmEvent event;
        event.kind = SwarmEvent::Kind::bad_peer;
        event.peer = text_of(note.peer);
        tell(volume, std::move(event));
    }
    Wanted* const wanted = find_wanted(volume, note);
    if (wanted == nullptr) return;
    if (note.banned) {
        std::erase_if(volume.wanted, [&](const Wanted& one) { return one.peer == note.peer; });
        return;
    }
    wanted->busy = wanted->attached = false;
    wanted->failures = note.greeted ? 0 : wanted->failures + 1;
    wanted->next = now + retry_after(wanted->failures);
    set_timer(volume, wanted->next);
}

void Control::on_report(Loaded& volume, const Note& note) {
    tell(volume, note.event);
    if (note.event.kind == SwarmEvent::Kind::failed) {
        volume.failed = true;
        volume.wanted.clear();
        volume.handle.pause();
    } else if (note.event.kind == SwarmEvent::Kind::piece) {
        volume.have |= std::uint64_t{1} << note.event.piece;
        if (volume.have != volume.all) return;
        volume.wanted.clear();
        tell(volume, SwarmEvent::Kind::complete);
    }
}

void Control::look_after(Loaded& volume, Clock::time_point now) {
    if (volume.phase != Loaded::Phase::ready || volume.failed) return;
    connect_due(volume, now);
    if (volume.greeted == 0 && now - volume.alone_since >= quiet_after_) {
        volume.alone_since = now;
        set_timer(volume, now + quiet_after_);
        tell(volume, SwarmEvent::Kind::quiet);
    }
}

void Control::connect_due(Loaded& volume, Clock::time_point now) {
    const auto due = [&](const Wanted& one) { return !one.attached && one.next <= now; };
    if (std::ranges::none_of(volume.wanted, due)) return;
    // libtorrent connects at once only while resuming, and pausing ends all connections.
    const bool alone = volume.attached == 0;
    if (alone) volume.handle.pause();
    for (Wanted& wanted : volume.wanted) {
        if (!due(wanted)) continue;
        ask(volume, wanted);
        set_timer(volume, wanted.next);
    }
    if (alone) volume.handle.resume();
}

} // namespace plankurier::swarm
