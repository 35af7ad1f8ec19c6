#pragma once
/// A port at which something odd answers: what a proxy, a login page of the network or a relay that
/// is just starting may do to a line. One thread of its own.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

namespace plankurier::test {

class OddPort {
public:
    enum class Way {
        close, ///< accepts and closes
        reset, ///< accepts and resets
        mute,  ///< accepts, and neither reads nor answers
        text   ///< reads a head, says `answer`, closes
    };
    explicit OddPort(Way way, std::string answer = {}) : way_(way), answer_(std::move(answer)) {
        std::signal(SIGPIPE, SIG_IGN); // as both programs do
        listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const at = reinterpret_cast<sockaddr*>(&address);
        socklen_t length = sizeof address;
        REQUIRE(::bind(listening_, at, length) == 0);
        REQUIRE(::listen(listening_, 64) == 0);
        REQUIRE(::getsockname(listening_, at, &length) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
    }
    ~OddPort() {
        thread_.request_stop();
        thread_.join();
        ::close(listening_);
        for (const int line : mute_) ::close(line);
    }
    [[nodiscard]] std::string url(const std::string& scheme) const {
        return scheme + "://127.0.0.1:" + std::to_string(port_);
    }
    [[nodiscard]] unsigned lines() const noexcept { return lines_; }

private:
    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pollfd waiting{listening_, POLLIN, 0};
            if (::poll(&waiting, 1, 20) <= 0) continue;
            const int line = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
            if (line >= 0) handle(line);
        }
    }
    void handle(int line) {
        ++lines_;
        if (way_ == Way::mute) {
            mute_.push_back(line);
            return;
        }
        if (way_ == Way::reset) {
            const linger now{1, 0};
            ::setsockopt(line, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        if (way_ == Way::text) {
            std::string head(4'096, '\0');
            static_cast<void>(!::recv(line, head.data(), head.size(), 0));
            static_cast<void>(!::send(line, answer_.data(), answer_.size(), MSG_NOSIGNAL));
        }
        ::close(line);
    }

    const Way way_;
    const std::string answer_;
    int listening_{-1};
    std::uint16_t port_{};
    std::atomic<unsigned> lines_{};
    std::vector<int> mute_; ///< the thread's
    std::jthread thread_;
};

} // namespace plankurier::test
