#pragma once
/// How long the other side of a connection has shown no sign of life. What libcurl counts as sent
/// only went into the kernel's buffer, which a slow line may need minutes to empty; so the bytes
/// that the other side's kernel acknowledged count too (TCP_INFO). One thread.

#include <chrono>
#include <cstdint>
#include <vector>

namespace plankurier::cli {

class LineProgress {
public:
    using Clock = std::chrono::steady_clock;

    /// The sockets of one libcurl handle, as they come and go.
    void opened(int socket) { sockets_.push_back(socket); }
    void closed(int socket) { std::erase(sockets_, socket); }
    /// A request begins, or goes on after a wait.
    void begin();
    /// Since when nothing has moved; `moved_bytes` is what libcurl has counted so far, both ways.
    [[nodiscard]] std::chrono::milliseconds silent(std::uint64_t moved_bytes);

private:
    [[nodiscard]] std::uint64_t bytes_of_sockets() const;

    std::vector<int> sockets_;
    Clock::time_point moved_{}, looked_{};
    std::uint64_t moved_bytes_{}, socket_bytes_{};
};

} // namespace plankurier::cli
