#include "relay/swarm/channel.hpp"

#include "relay/swarm/messages.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace plankurier::relay::swarm {

namespace {

constexpr int waiting_max = 8;

int new_socket() {
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket");
    return fd;
}

sockaddr_un address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.native().size() >= sizeof address.sun_path) {
        throw std::runtime_error("data_dir is too long a path for a Unix socket");
    }
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

const sockaddr* plain(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

} // namespace

int listen_at(const std::filesystem::path& path) {
    const sockaddr_un address = address_of(path);
    const int fd = new_socket();
    ::unlink(path.c_str());
    const bool good = ::bind(fd, plain(address), sizeof address) == 0 &&
                      ::chmod(path.c_str(), 0600) == 0 && ::listen(fd, waiting_max) == 0;
    const int failure = errno;
    if (good) return fd;
    ::close(fd);
    throw std::system_error(failure, std::generic_category(), "listen for the swarm process");
}

int connect_to(const std::filesystem::path& path) {
    const sockaddr_un address = address_of(path);
    const int fd = new_socket();
    if (::connect(fd, plain(address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
}

pid_t peer_of(int socket) {
    ucred peer{};
    socklen_t bytes = sizeof peer;
    const bool known = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0;
    return known && peer.uid == ::geteuid() ? peer.pid : -1;
}

Sent send_message(int socket, std::string_view text, int file) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (file >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* const head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(head), &file, sizeof file);
    }
    for (;;) {
        if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return Sent::done;
        if (errno == EINTR) continue;
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? Sent::full
                                                                           : Sent::broken;
    }
}

std::optional<Message> receive_message(int socket) {
    Message out;
    out.text.resize(message_bytes_max);
    iovec part{out.text.data(), out.text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t got = -1;
    do {
        got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    for (cmsghdr* head = got < 0 ? nullptr : CMSG_FIRSTHDR(&message); head != nullptr;
         head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            if (out.file >= 0) ::close(out.file); // more than one came: the last one is taken
            std::memcpy(&out.file, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
        }
    }
    const bool whole = got > 0 && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    out.text.resize(whole ? static_cast<std::size_t>(got) : 0);
    return out;
}

} // namespace plankurier::relay::swarm
