#include "relay/swarm/process.hpp"

#include "relay/swarm/channel.hpp"
#include "relay/swarm/messages.hpp"

#include <poll.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <thread>

namespace plankurier::relay::swarm {

namespace {

constexpr int look_ms = 200; ///< how often a waiting process looks whether it is to stop

Report::Kind kind_of(SwarmEvent::Kind kind) {
    switch (kind) {
    case SwarmEvent::Kind::ready: return Report::Kind::ready;
    case SwarmEvent::Kind::piece: return Report::Kind::piece;
    case SwarmEvent::Kind::complete: return Report::Kind::complete;
    case SwarmEvent::Kind::quiet: return Report::Kind::quiet;
    case SwarmEvent::Kind::bad_peer: return Report::Kind::bad_peer;
    case SwarmEvent::Kind::failed: break;
    }
    return Report::Kind::failed;
}

} // namespace

int Process::connected() const {
    while (!stopping_) {
        const int socket = connect_to(settings_.socket);
        if (socket >= 0) return socket;
        std::this_thread::sleep_for(std::chrono::milliseconds{50}); // it may be starting
    }
    return -1;
}

bool Process::wait_readable() const {
    pollfd one{socket_, POLLIN, 0};
    return ::poll(&one, 1, look_ms) > 0;
}

void Process::tell(const Report& report) {
    const std::string text = encode(report);
    const std::scoped_lock lock{sending_};
    for (;;) {
        const Sent sent = send_message(socket_, text);
        if (sent == Sent::done) return;
        if (sent == Sent::broken || stopping_) return; // the reading side notices the end
        pollfd one{socket_, POLLOUT, 0};
        ::poll(&one, 1, look_ms);
    }
}

void Process::tell_event(const SwarmEvent& event) {
    Report report;
    report.kind = kind_of(event.kind);
    report.volume = event.volume;
    report.piece = event.piece;
    report.error = event.error.code;
    tell(report);
}

void Process::add(Swarm& swarm, const Command& command, int file) {
    Result<void> added = fail(Errc::invalid_argument, "no file");
    if (file >= 0) {
        const auto* const certificate = command.certificate ? &*command.certificate : nullptr;
        added = swarm.add(command.volume, stored_backing(file), command.have, certificate);
    }
    if (added) return;
    Report report;
    report.kind = Report::Kind::failed;
    report.volume = command.volume.name;
    report.error = added.error().code;
    tell(report);
}

void Process::obey(Swarm& swarm, const std::string& text, int file) {
    const auto command = decode_command(text);
    if (command && command->kind == Command::Kind::add) {
        add(swarm, *command, file); // the backing closes the file
        return;
    }
    if (file >= 0) ::close(file);
    if (!command) return;
    const VolumeName& name = command->volume.name;
    if (command->kind == Command::Kind::connect) {
        // A volume that failed meanwhile has said so itself.
        static_cast<void>(swarm.connect(name, command->address, command->port));
        return;
    }
    swarm.remove(name);
    Report report;
    report.kind = Report::Kind::removed;
    report.volume = name;
    tell(report);
}

void Process::run() {
    socket_ = connected();
    if (socket_ < 0) return;
    const struct Closing {
        int& socket;
        ~Closing() {
            ::close(socket);
            socket = -1;
        }
    } closing{socket_};
    Swarm swarm{settings_.swarm, [this](const SwarmEvent& event) { tell_event(event); }};
    Report hello;
    hello.kind = Report::Kind::hello;
    hello.tls = settings_.swarm.tls;
    hello.port = swarm.port();
    tell(hello);
    while (!stopping_) {
        if (!wait_readable()) continue;
        while (auto message = receive_message(socket_)) {
            if (message->text.empty()) {
                if (message->file >= 0) ::close(message->file);
                return; // the pieces process has ended: nothing may be served without it
            }
            obey(swarm, message->text, message->file);
            wipe(std::as_writable_bytes(std::span{message->text})); // it may hold a private key
        }
    }
}

int run_swarm(const ProcessSettings& settings) {
    Process process{settings};
    process.run();
    return 0;
}

} // namespace plankurier::relay::swarm
