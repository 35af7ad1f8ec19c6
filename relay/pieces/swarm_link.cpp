#include "relay/pieces/swarm_link.hpp"

#include "relay/swarm/channel.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

namespace plankurier::relay::pieces {

namespace {

constexpr std::size_t queued_max = 1'024;

int new_waker() {
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return fd;
}

void wipe_text(std::string& text) {
    wipe(std::as_writable_bytes(std::span{text})); // an order to load holds a private key
}

} // namespace

SwarmLink::SwarmLink(const std::filesystem::path& socket, Listener& listener)
    : listener_(listener), listening_(swarm::listen_at(socket)), waker_(new_waker()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

SwarmLink::~SwarmLink() {
    thread_.request_stop();
    wake();
    thread_.join();
    for (Line& line : lines_) {
        if (line.socket >= 0) ::close(line.socket);
    }
    for (const int newcomer : newcomers_) {
        if (newcomer >= 0) ::close(newcomer);
    }
    ::close(listening_);
    ::close(waker_);
}

void SwarmLink::wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(waker_, &one, sizeof one));
}

bool SwarmLink::send(SwarmKind kind, const swarm::Command& command,
                     std::shared_ptr<VolumeFile> file) {
    {
        const std::scoped_lock lock{mutex_};
        Line& line = lines_.at(static_cast<std::size_t>(kind));
        if (line.socket < 0) return false;
        if (line.queue.size() >= queued_max) {
            ::shutdown(line.socket, SHUT_RDWR); // it reads nothing: its end is noticed and told
            return false;
        }
        line.queue.push_back({encode(command), std::move(file)});
    }
    wake();
    return true;
}

void SwarmLink::kill(SwarmKind kind) {
    const std::scoped_lock lock{mutex_};
    const Line& line = lines_.at(static_cast<std::size_t>(kind));
    if (line.socket < 0) return;
    // The kernel names the process, and it lives as long as its end of the line is open.
    const pid_t process = swarm::peer_of(line.socket);
    if (process > 0 && process != ::getpid()) ::kill(process, SIGKILL);
    ::shutdown(line.socket, SHUT_RDWR);
}

void SwarmLink::take_newcomer() {
    const int socket = ::accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    if (swarm::peer_of(socket) < 0) { // another user's; the socket's mode forbids it already
        ::close(socket);
        return;
    }
    int& place = newcomers_[newcomers_seen_++ % newcomers_.size()];
    if (place >= 0) ::close(place); // it had its time
    place = socket;
}

void SwarmLink::hear_newcomer(int& newcomer) {
    const auto message = swarm::receive_message(newcomer);
    if (!message) return;
    if (message->file >= 0) ::close(message->file);
    const auto report = swarm::decode_report(message->text);
    if (report && report->kind == swarm::Report::Kind::hello) {
        greet(newcomer, *report);
    } else {
        ::close(std::exchange(newcomer, -1));
    }
}

void SwarmLink::greet(int& newcomer, const swarm::Report& hello) {
    const SwarmKind kind = hello.tls ? SwarmKind::tls : SwarmKind::plain;
    const auto at = static_cast<std::size_t>(kind);
    if (lines_[at].socket >= 0) drop(at); // the one before is dead, or about to be
    {
        const std::scoped_lock lock{mutex_};
        lines_[at].socket = std::exchange(newcomer, -1);
    }
    listener_.up(kind, hello.port);
}

void SwarmLink::drop(std::size_t at) {
    {
        const std::scoped_lock lock{mutex_};
        Line& line = lines_[at];
        ::close(line.socket);
        line.socket = -1;
        for (Outgoing& one : line.queue) wipe_text(one.text);
        line.queue.clear();
    }
    listener_.down(static_cast<SwarmKind>(at));
}

void SwarmLink::read(std::size_t at) {
    while (const auto message = swarm::receive_message(lines_[at].socket)) {
        if (message->file >= 0) ::close(message->file); // it has none to give
        const auto report = swarm::decode_report(message->text);
        if (!report || report->kind == swarm::Report::Kind::hello) {
            drop(at); // the end, or nothing that our own program says
            return;
        }
        listener_.heard(static_cast<SwarmKind>(at), *report);
    }
}

void SwarmLink::write(std::size_t at) {
    const std::scoped_lock lock{mutex_};
    Line& line = lines_[at];
    while (line.socket >= 0 && !line.queue.empty()) {
        Outgoing& first = line.queue.front();
        const int file = first.file ? first.file->fd() : -1;
        const swarm::Sent sent = swarm::send_message(line.socket, first.text, file);
        if (sent == swarm::Sent::full) return;
        wipe_text(first.text);
        line.queue.pop_front(); // also when the line is broken: reading from it says so
    }
}

void SwarmLink::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        constexpr std::size_t lines_at = 2, newcomers_at = 4;
        std::array<pollfd, 8> all{};
        all[0] = {waker_, POLLIN, 0};
        all[1] = {listening_, POLLIN, 0};
        for (std::size_t i = 0; i < newcomers_.size(); ++i) {
            all[newcomers_at + i] = {newcomers_[i], POLLIN, 0}; // poll passes over those below 0
        }
        {
            const std::scoped_lock lock{mutex_};
            for (std::size_t i = 0; i < lines_.size(); ++i) {
                const bool waits = !lines_[i].queue.empty();
                const int events = POLLIN | (waits ? POLLOUT : 0);
                all[lines_at + i] = {lines_[i].socket, static_cast<short>(events), 0};
            }
        }
        if (::poll(all.data(), all.size(), -1) < 0) continue;
        std::uint64_t count = 0;
        if (all[0].revents != 0) static_cast<void>(!::read(waker_, &count, sizeof count));
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            if ((all[lines_at + i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read(i);
            write(i);
        }
        for (std::size_t i = 0; i < newcomers_.size(); ++i) {
            if (all[newcomers_at + i].revents != 0) hear_newcomer(newcomers_[i]);
        }
        if (all[1].revents != 0) take_newcomer();
    }
}

} // namespace plankurier::relay::pieces
