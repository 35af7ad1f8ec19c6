// A control plane that restarts: what a command does meanwhile.
#include <clients/cli/commands.hpp>

#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <catch2/catch.hpp>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace plankurier::test::patience_test {

using namespace cli;

namespace {

/// A port at which nobody listens.
int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t length = sizeof address;
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    ::close(fd);
    return ntohs(address.sin_port);
}

/// Answers every call with one status, and counts them.
struct FailingService {
    httplib::Server http;
    std::atomic<int> calls{};
    std::jthread thread;

    explicit FailingService(int status) {
        const auto handle = [this, status](const httplib::Request&, httplib::Response& out) {
            ++calls;
            out.status = status;
            out.set_content("<html>", "text/html");
        };
        http.Get(".*", handle).Post(".*", handle);
    }
    ~FailingService() { http.stop(); }
    std::string start(int port) {
        REQUIRE(http.bind_to_port("127.0.0.1", port));
        thread = std::jthread{[this] { http.listen_after_bind(); }};
        while (!http.is_running()) std::this_thread::yield();
        return "http://127.0.0.1:" + std::to_string(port);
    }
};

} // namespace

TEST_CASE("commands outlast a control plane that restarts behind its proxy") {
    ServiceWorld world;
    world.send();
    const auto link = world.write("link", world.link_to(department_mail));
    const std::vector<std::vector<std::string>> commands{
        {"departments"},
        {"status", world.path(world.receipt)},
        with_key(world, {"fetch", "--link-file", link, "-o", world.path("in")}),
        with_key(world, {"inbox"}),
        {"revoke", world.path(world.receipt)}};
    for (const auto& command : commands) {
        CAPTURE(command.front());
        const auto& home = command.size() > 3 || command.front() == "inbox" ? world.staff_home
                                                                            : world.citizen_home;
        world.away(1);
        const auto run = world.run(home, command);
        INFO(run.err);
        CHECK(run.exit == 0);
        CHECK(run.err.find("Next try in 1 s") != std::string::npos);
    }
}

TEST_CASE("a refused connection is tried again until somebody listens") {
    const int port = free_port();
    FailingService service{404};
    ControlClient control{"http://127.0.0.1:" + std::to_string(port), {}};
    int waits = 0;
    control.be_patient([&](unsigned seconds) {
        CHECK(seconds == 1);
        if (++waits == 1) service.start(port);
    });
    CHECK(control.directory().error().code == Errc::not_found);
    CHECK(waits == 1);
    CHECK(service.calls == 1);
}

TEST_CASE("without retries, and when it finishes a transfer, a client asks once") {
    FailingService service{502};
    const auto url = service.start(free_port());
    Options options;
    options.retries = 0;
    Console console{Language::en, true, false, true};
    auto control = control_at(url, options, console);
    CHECK(control.directory().error().code == Errc::unavailable);
    CHECK(service.calls == 1);
    options.retries = 1;
    const auto manage = ManageToken::random();
    auto patient = control_at(url, options, console);
    CHECK(patient.finish({TransferId::random(), manage}, {}, {}).error().code == Errc::unavailable);
    CHECK(service.calls == 2);
}

} // namespace plankurier::test::patience_test
