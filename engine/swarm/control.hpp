#pragma once
/// The thread that reacts to notes: resumes what is checked, connects, connects again, and tells
/// the owner. Public functions: any thread.

#include "engine/swarm/watch.hpp"

#include <libtorrent/torrent_handle.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>

namespace plankurier::swarm {

using Clock = std::chrono::steady_clock;

/// A peer to which a volume is to be connected.
struct Wanted {
    lt::tcp::endpoint peer;
    Clock::time_point next{}; ///< not before; while `busy`: when the try counts as lost
    unsigned failures{};
    bool busy{};     ///< libtorrent was asked
    bool attached{}; ///< libtorrent has begun
};

struct Loaded {
    std::shared_ptr<DiskVolume> disk;
    lt::torrent_handle handle;
    std::string certificate;
    SecretText private_key;
    enum class Phase { checking, resuming, ready } phase{};
    std::vector<Wanted> wanted;
    unsigned attached{}, greeted{};
    Clock::time_point alone_since{};
    std::uint64_t have{}, all{};
    bool failed{};
};

class Control {
public:
    Control(Swarm::Listener listener, std::chrono::seconds quiet_after);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    void notify(Note note);
    /// Adds by `load`, under the lock. Fails with `exists`.
    [[nodiscard]] Result<void> add(const VolumeName& name,
                                   const std::function<Result<std::shared_ptr<Loaded>>()>& load);
    [[nodiscard]] Result<void> connect(const VolumeName& name, const lt::tcp::endpoint& peer);
    /// What is taken out gets no further event. None when it is not there.
    [[nodiscard]] std::shared_ptr<Loaded> take(const VolumeName& name);
    [[nodiscard]] std::vector<VolumeName> names() const;
    /// Ends the thread.
    void stop();

private:
    struct Timer {
        Clock::time_point at;
        VolumeName volume;
        std::uint64_t load{};
        friend bool operator>(const Timer& a, const Timer& b) { return a.at > b.at; }
    };

    void run();
    void react(const Note& note);
    void on_checked(Loaded& volume);
    void on_resumed(Loaded& volume);
    void on_detached(Loaded& volume, const Note& note);
    void on_report(Loaded& volume, const Note& note);
    void look_after(Loaded& volume, Clock::time_point now);
    void connect_due(Loaded& volume, Clock::time_point now);
    void set_timer(const Loaded& volume, Clock::time_point at);
    [[nodiscard]] Loaded* find(const VolumeName& name, std::uint64_t load);
    void tell(const Loaded& volume, SwarmEvent event);
    void tell(const Loaded& volume, SwarmEvent::Kind kind);

    Swarm::Listener listener_;
    std::chrono::seconds quiet_after_;

    std::mutex notes_mutex_; ///< guards notes_ and stopped_; taken on the network thread
    std::condition_variable more_;
    std::vector<Note> notes_; ///< bounded by connections and pieces
    bool stopped_{};

    mutable std::mutex mutex_; ///< guards volumes_ and timers_
    std::map<VolumeName, std::shared_ptr<Loaded>> volumes_;
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
    std::vector<SwarmEvent> to_tell_; ///< of the thread
    std::jthread thread_;
};

} // namespace plankurier::swarm
