#include "engine/swarm/door.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <optional>

namespace plankurier::swarm {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds calm_rest{250}, busy_rest{50};
constexpr std::size_t busy_from = 16; ///< so many are waiting

std::optional<lt::tcp::endpoint> endpoint_of(const sockaddr_storage& storage) {
    lt::tcp::endpoint out;
    const auto bytes = storage.ss_family == AF_INET    ? sizeof(sockaddr_in)
                       : storage.ss_family == AF_INET6 ? sizeof(sockaddr_in6)
                                                       : 0;
    if (bytes == 0) return std::nullopt;
    out.resize(bytes);
    std::copy_n(reinterpret_cast<const std::byte*>(&storage), bytes,
                reinterpret_cast<std::byte*>(out.data()));
    return out;
}

using Ask = int (*)(int, sockaddr*, socklen_t*);
std::optional<lt::tcp::endpoint> end_of(int socket, Ask ask) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (ask(socket, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return std::nullopt;
    return endpoint_of(storage);
}

} // namespace

void Door::watch(std::uint16_t port) {
    port_ = port;
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void Door::entered(const lt::tcp::endpoint& peer) {
    const std::scoped_lock lock{mutex_};
    inside_.insert(peer);
}

void Door::left(const lt::tcp::endpoint& peer) {
    const std::scoped_lock lock{mutex_};
    const auto found = inside_.find(peer);
    if (found != inside_.end()) inside_.erase(found);
}

void Door::run(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    for (std::size_t waiting = 0; !stop.stop_requested();) {
        std::unique_lock lock{mutex};
        never.wait_for(lock, stop, waiting >= busy_from ? busy_rest : calm_rest,
                       [] { return false; });
        try {
            waiting = look();
        } catch (const std::exception&) {
            // Out of descriptors or memory: the next look may do.
        }
    }
}

std::vector<Door::Socket> Door::sockets() const {
    std::vector<Socket> out;
    for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
        const std::string name = entry.path().filename();
        Socket socket;
        std::from_chars(name.data(), name.data() + name.size(), socket.number);
        struct stat status {};
        if (::fstat(socket.number, &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
        const auto here = end_of(socket.number, ::getsockname);
        const auto there = end_of(socket.number, ::getpeername); // none of what listens
        if (!here || !there || here->port() != port_) continue;
        socket.inode = status.st_ino;
        socket.peer = *there;
        out.push_back(socket);
    }
    return out;
}

std::size_t Door::look() {
    const auto now = std::chrono::steady_clock::now();
    const std::vector<Socket> here = sockets();
    std::map<unsigned long, Seen> seen;
    std::vector<std::pair<Seen, const Socket*>> waiting;
    {
        const std::scoped_lock lock{mutex_};
        for (const Socket& socket : here) {
            const auto before = seen_.find(socket.inode);
            Seen one = before == seen_.end() ? Seen{now} : before->second;
            one.known = one.known || inside_.contains(socket.peer);
            seen.emplace(socket.inode, one);
            if (!one.known) waiting.emplace_back(one, &socket);
        }
    }
    seen_.swap(seen);
    // Who came first stays, within the limits.
    std::ranges::stable_sort(waiting, {}, [](const auto& one) { return one.first.since; });
    std::map<lt::address, std::size_t> by_address;
    std::size_t stay = 0;
    for (const auto& [one, socket] : waiting) {
        const bool crowded =
            stay >= limits_.all || by_address[socket->peer.address()] >= limits_.per_address;
        if (crowded || now - one.since >= limits_.wait) {
            turn_away(*socket);
        } else {
            ++stay;
            ++by_address[socket->peer.address()];
        }
    }
    return waiting.size();
}

/// The descriptor may have been closed, and its number given to something else, since we looked: a
/// copy of our own cannot change under us.
void Door::turn_away(const Socket& socket) {
    const int copy = ::fcntl(socket.number, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return;
    struct stat status {};
    if (::fstat(copy, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == socket.inode) {
        ::shutdown(copy, SHUT_RDWR);
    }
    ::close(copy);
}

} // namespace plankurier::swarm
