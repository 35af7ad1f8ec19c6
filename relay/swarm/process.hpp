#pragma once
/// The process around the BitTorrent session. libtorrent parses what strangers send, so it has a
/// process of its own that opens no database, reads no key and no piece store: volume files come as
/// open descriptors, certificates with the order to load, both from the pieces process. It ends
/// when that one does, and is rebuilt from the piece store after a start.

#include <plankurier/swarm.hpp>

#include <atomic>
#include <filesystem>
#include <mutex>

namespace plankurier::relay::swarm {

struct ProcessSettings {
    std::filesystem::path socket; ///< where the pieces process listens
    SwarmSettings swarm;
};

/// One thread runs it; `stop` may be called from any.
class Process {
public:
    explicit Process(ProcessSettings settings) : settings_(std::move(settings)) {}
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    /// Waits for the pieces process, serves it until it ends or `stop`. Throws std::runtime_error
    /// when the port cannot be had.
    void run();
    void stop() noexcept { stopping_ = true; }

private:
    [[nodiscard]] int connected() const;
    [[nodiscard]] bool wait_readable() const;
    void obey(Swarm& swarm, const std::string& text, int file);
    void add(Swarm& swarm, const struct Command& command, int file);
    void tell(const struct Report& report);
    void tell_event(const SwarmEvent& event);

    const ProcessSettings settings_;
    std::atomic<bool> stopping_{};
    std::mutex sending_; ///< one message at a time
    int socket_{-1};     ///< set before the session starts, closed after it ended
};

/// Until SIGTERM, SIGINT or the end of the pieces process.
int run_swarm(const ProcessSettings& settings);

} // namespace plankurier::relay::swarm
