#pragma once
/// Ends connections at the listening port that stay strangers: libtorrent 2.0.8 waits for the TLS
/// handshake of whoever connects for ever, and takes any number of them. It hands out no sockets,
/// so the door looks at the process's own, several times a second.
///
/// Thread safe; `entered` and `left` are called on libtorrent's network thread, once a connection.

#include <libtorrent/address.hpp>
#include <libtorrent/socket.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace plankurier::swarm {

struct DoorLimits {
    std::chrono::milliseconds wait{12'000}; ///< from connecting until the volume is named
    std::size_t per_address{64};            ///< that wait at once
    std::size_t all{512};
};

class Door {
public:
    explicit Door(const DoorLimits& limits = {}) : limits_(limits) {}
    /// Begins to look after connections at this local port; once.
    void watch(std::uint16_t port);
    /// A peer from outside has shown that it was invited, to a volume that is loaded.
    void entered(const lt::tcp::endpoint& peer);
    void left(const lt::tcp::endpoint& peer);

private:
    struct Socket {
        int number{};          ///< its descriptor, as long as it is not closed meanwhile
        unsigned long inode{}; ///< names the socket itself
        lt::tcp::endpoint peer;
    };
    struct Seen {
        std::chrono::steady_clock::time_point since;
        bool known{};
    };

    void run(const std::stop_token& stop);
    /// Gives how many are waiting.
    std::size_t look();
    [[nodiscard]] std::vector<Socket> sockets() const;
    static void turn_away(const Socket& socket);

    const DoorLimits limits_;
    std::uint16_t port_{};
    std::mutex mutex_; ///< guards inside_
    std::multiset<lt::tcp::endpoint> inside_;
    std::map<unsigned long, Seen> seen_; ///< by inode; the thread's
    std::jthread thread_;
};

} // namespace plankurier::swarm
