#include "tests/support/fake_swarm.hpp"

#include "relay/swarm/channel.hpp"

#include <catch2/catch.hpp>

#include <poll.h>
#include <unistd.h>

namespace plankurier::test {

using relay::swarm::Command;
using relay::swarm::Report;

FakeSwarm::FakeSwarm(const std::filesystem::path& socket, bool tls, std::uint16_t port)
    : FakeSwarm(socket, Slow::yes) {
    say_hello(tls, port);
}

FakeSwarm::FakeSwarm(const std::filesystem::path& socket, Slow)
    : socket_(relay::swarm::connect_to(socket)) {
    REQUIRE(socket_ >= 0);
}

void FakeSwarm::say_hello(bool tls, std::uint16_t port) {
    Report hello;
    hello.tls = tls;
    hello.port = port;
    say_text(encode(hello));
}

FakeSwarm::~FakeSwarm() {
    if (file_ >= 0) ::close(file_);
    ::close(socket_);
}

bool FakeSwarm::readable() {
    pollfd one{socket_, POLLIN, 0};
    return ::poll(&one, 1, 10'000) == 1;
}

Command FakeSwarm::next() {
    if (!readable()) FAIL("no order");
    auto message = relay::swarm::receive_message(socket_);
    REQUIRE(message);
    REQUIRE_FALSE(message->text.empty());
    if (file_ >= 0) ::close(file_);
    file_ = message->file;
    auto command = relay::swarm::decode_command(message->text);
    REQUIRE(command);
    return std::move(*command);
}

void FakeSwarm::say(Report::Kind kind, const VolumeName& volume, std::uint32_t piece, Errc error) {
    Report report;
    report.kind = kind;
    report.volume = volume;
    report.piece = piece;
    report.error = error;
    say_text(encode(report));
}

void FakeSwarm::say_text(const std::string& text) {
    REQUIRE(relay::swarm::send_message(socket_, text) == relay::swarm::Sent::done);
}

void FakeSwarm::wait_end() {
    while (readable()) {
        const auto message = relay::swarm::receive_message(socket_);
        if (!message) continue;
        if (message->file >= 0) ::close(message->file);
        if (message->text.empty()) return;
    }
    FAIL("the line stays");
}

} // namespace plankurier::test
