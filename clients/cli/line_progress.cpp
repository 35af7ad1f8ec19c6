#include <clients/cli/line_progress.hpp>

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace plankurier::cli {

namespace {
/// The kernel is asked only now and then: this runs for every packet.
constexpr std::chrono::milliseconds look_every{200};
} // namespace

void LineProgress::begin() {
    moved_ = looked_ = Clock::now();
    moved_bytes_ = 0;
    socket_bytes_ = bytes_of_sockets();
}

std::chrono::milliseconds LineProgress::silent(std::uint64_t moved_bytes) {
    const auto now = Clock::now();
    if (moved_bytes != moved_bytes_) {
        moved_bytes_ = moved_bytes;
        moved_ = now;
    } else if (now - looked_ >= look_every) {
        looked_ = now;
        const auto bytes = bytes_of_sockets();
        if (bytes != socket_bytes_) moved_ = now;
        socket_bytes_ = bytes;
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - moved_);
}

/// One request at a time uses the handle, so what moves on any of its sockets is that request's.
std::uint64_t LineProgress::bytes_of_sockets() const {
    std::uint64_t bytes = 0;
    for (const int socket : sockets_) {
        tcp_info info{};
        socklen_t length = sizeof info;
        if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) continue;
        bytes += info.tcpi_bytes_acked + info.tcpi_bytes_received;
    }
    return bytes;
}

} // namespace plankurier::cli
