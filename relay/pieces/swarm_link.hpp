#pragma once
/// The pieces process's end of the lines to its swarm processes (one with TLS, one without where
/// there are trusted networks). Nothing here waits for a swarm process: what is sent is queued, and
/// a process that does not take it is dropped.
/// Thread safe: one mutex. One thread of its own.

#include "relay/pieces/volume_file.hpp"

#include "relay/swarm/messages.hpp"

#include <array>
#include <deque>
#include <mutex>
#include <thread>

namespace plankurier::relay::pieces {

enum class SwarmKind : std::uint8_t { tls, plain };

class SwarmLink {
public:
    /// Called on the link's thread, one at a time. May call `send`.
    struct Listener {
        virtual ~Listener() = default;
        virtual void up(SwarmKind kind, std::uint16_t port) = 0;
        virtual void down(SwarmKind kind) = 0;
        /// Any of the other kinds, as it came: nothing in it is checked.
        virtual void heard(SwarmKind kind, const swarm::Report& report) = 0;
    };

    /// Throws std::system_error when the socket cannot be had.
    SwarmLink(const std::filesystem::path& socket, Listener& listener);
    ~SwarmLink();
    SwarmLink(const SwarmLink&) = delete;
    SwarmLink& operator=(const SwarmLink&) = delete;

    /// False when that process is not there (`down` was, or will be, told). In order of the calls.
    bool send(SwarmKind kind, const swarm::Command& command,
              std::shared_ptr<VolumeFile> file = nullptr);
    /// Ends a swarm process that does not do what it is told, by SIGKILL: `down` follows.
    void kill(SwarmKind kind);

private:
    struct Outgoing {
        std::string text;
        std::shared_ptr<VolumeFile> file;
    };
    struct Line {
        int socket{-1};
        bool greeted{}; ///< its hello has come, so that it has a place in `lines_`
        std::deque<Outgoing> queue;
    };

    void run(const std::stop_token& stop);
    void take_newcomer();
    void hear_newcomer(int& newcomer);
    void greet(int& newcomer, const swarm::Report& hello);
    void read(std::size_t at);
    void write(std::size_t at);
    void drop(std::size_t at);
    void wake() const;

    Listener& listener_;
    const int listening_;
    const int waker_;           ///< eventfd
    std::mutex mutex_;          ///< guards lines_; a line's socket is closed by the thread only
    std::array<Line, 2> lines_; ///< by SwarmKind
    // Connected, have not said which they are; only the thread's. Both start at the same time, and
    // both may start again meanwhile.
    std::array<int, 4> newcomers_{-1, -1, -1, -1};
    std::size_t newcomers_seen_{};
    std::jthread thread_; ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
