#pragma once
/// A swarm process that does what a test says: for what a real one does seldom, or never should.
/// One thread at a time.

#include "relay/swarm/messages.hpp"

#include <filesystem>

namespace plankurier::test {

class FakeSwarm {
public:
    /// Connects and says hello. Fails the test when nobody listens.
    explicit FakeSwarm(const std::filesystem::path& socket, bool tls = false,
                       std::uint16_t port = 4'711);
    /// Connects and says nothing yet, as one that takes long to start.
    enum class Slow { yes };
    FakeSwarm(const std::filesystem::path& socket, Slow);
    void say_hello(bool tls, std::uint16_t port);
    ~FakeSwarm();
    FakeSwarm(const FakeSwarm&) = delete;
    FakeSwarm& operator=(const FakeSwarm&) = delete;

    /// The next order. Fails the test when none comes within ten seconds.
    relay::swarm::Command next();
    /// The file that came with the last order, or -1. It stays open until the next one.
    [[nodiscard]] int file() const noexcept { return file_; }
    void say(relay::swarm::Report::Kind kind, const VolumeName& volume, std::uint32_t piece = 0,
             Errc error = Errc::network);
    void say_text(const std::string& text);
    /// Waits for the other side to hang up; fails the test when it does not within ten seconds.
    void wait_end();

private:
    [[nodiscard]] bool readable();
    int socket_;
    int file_{-1};
};

} // namespace plankurier::test
