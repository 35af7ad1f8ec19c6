// The control plane's socket: what reaches the routes, and what an answer may give away.
#include "relay/http/server.hpp"

#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

namespace plankurier::test::http_server_test {

namespace {

using relay::http::Request;
using relay::http::Response;
using relay::http::Server;

class Running {
public:
    explicit Running(relay::http::Handler handler) : server_(std::move(handler), clock_) {
        server_.bind(socket());
        thread_ = std::jthread{[this] { server_.run(); }};
    }
    ~Running() {
        // A stop that comes before the loop has begun is lost, so one answer must come first.
        static_cast<void>(say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
        server_.stop();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    /// Sends bytes and gives what comes back until the server closes the line.
    [[nodiscard]] std::string say(const std::string& bytes) const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            ::close(fd);
            return "no connection";
        }
        static_cast<void>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
        std::string out;
        std::array<char, 4'096> part{};
        for (ssize_t got = 0; (got = ::recv(fd, part.data(), part.size(), 0)) > 0;) {
            out.append(part.data(), static_cast<std::size_t>(got));
        }
        ::close(fd);
        return out;
    }

private:
    [[nodiscard]] std::filesystem::path socket() const { return folder_.path() / "s"; }
    TempFolder folder_;
    FakeClock clock_;
    Server server_;
    std::jthread thread_;
};

std::string first_line(const std::string& answer) { return answer.substr(0, answer.find('\r')); }

Response echo(const Request& request) {
    std::string text = request.method + " " + request.path + "\n";
    for (const auto& [name, value] : request.headers) text += name + "=" + value + "\n";
    return {200, text + request.body, "text/plain"};
}

} // namespace

TEST_CASE("only our own headers reach the routes, once each and of harmless signs") {
    const Running server{echo};
    const auto body = [&](const std::string& headers) {
        const std::string answer =
            server.say("GET /v1/service HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
        return answer.substr(answer.find("\r\n\r\n") + 4);
    };
    CHECK(body("Plankurier-Link: ab_-9\r\n") == "GET /v1/service\nplankurier-link=ab_-9\n");
    CHECK(body("plankurier-LINK: a\r\n") == "GET /v1/service\nplankurier-link=a\n");
    for (const char* odd :
         {"Cookie: a=b\r\n", "X-Forwarded-For: 1.2.3.4\r\n", "Plankurier-Link: a b\r\n",
          "Plankurier-Link: a%0d%0aEvil: 1\r\n", "Plankurier-Link: a\r\nPlankurier-Link: b\r\n",
          "Plankurier-Link: \xc3\xa4\r\n", "Plankurier-Other: a\r\n", "Plankurier-Link: a=b\r\n"}) {
        INFO(odd);
        CHECK(body(odd) == "GET /v1/service\n");
    }
    CHECK(body("Plankurier-Link: " + std::string(129, 'a') + "\r\n") == "GET /v1/service\n");
}

TEST_CASE("an answer says nothing of what went wrong inside") {
    const Running failing{[](const Request&) -> Response {
        throw std::runtime_error("erika@buerger.example is in table users");
    }};
    const std::string answer = failing.say("GET /v1/service HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(first_line(answer) == "HTTP/1.1 503 Service Unavailable");
    CHECK(answer.find("erika") == std::string::npos);
    CHECK(answer.find("users") == std::string::npos);
    CHECK(answer.find("\"code\":\"unavailable\"") != std::string::npos);
    const Running full{[](const Request&) -> Response {
        throw std::system_error(ENOSPC, std::generic_category(), "/secret/path");
    }};
    const std::string no_space = full.say("GET /v1/service HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(no_space.find("HTTP/1.1 507") == 0);
    CHECK(no_space.find("secret") == std::string::npos);
}

TEST_CASE("no answer may be kept or guessed at by a browser") {
    const Running server{echo};
    const std::string answer = server.say("GET /v1/service HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(answer.find("Cache-Control: no-store\r\n") != std::string::npos);
    CHECK(answer.find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);
    CHECK(answer.find("Set-Cookie") == std::string::npos);
}

TEST_CASE("every answer carries the time that the service goes by") {
    const Running server{[](const Request& request) -> Response {
        if (request.path == "/v1/fails") throw std::runtime_error("inside");
        return {200, "{}"};
    }};
    for (const std::string& begin : {std::string{"GET /v1/service"}, std::string{"GET /v1/fails"},
                                     std::string{"POST /v1/x"}, std::string{"GET /other"}}) {
        INFO(begin);
        const std::string answer = server.say(begin + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto first = answer.find("Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n");
        CHECK(first != answer.npos);
        CHECK(answer.find("Date:", first + 1) == answer.npos);
    }
}

TEST_CASE("a body needs a length, no encoding and no range") {
    const Running server{echo};
    const std::string post = "POST /v1/transfers HTTP/1.1\r\nHost: x\r\n";
    CHECK(first_line(server.say(post + "\r\n")).find("411") != std::string::npos);
    CHECK(first_line(server.say(post + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"))
              .find("415") != std::string::npos);
    CHECK(first_line(server.say("GET /v1/service HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n"))
              .find("415") != std::string::npos);
    CHECK(server.say(post + "Content-Length: 4\r\n\r\nbody")
              .find("\r\n\r\nPOST /v1/transfers\nbody") != std::string::npos);
}

TEST_CASE("a body of more than three mebibytes is refused however its length is told") {
    std::atomic<std::size_t> largest = 0; // written by the server's threads, one request at a time
    const Running server{[&](const Request& request) -> Response {
        largest = std::max(largest.load(), request.body.size());
        return {204, {}};
    }};
    const std::string put = "PUT /v1/envelope HTTP/1.1\r\nHost: x\r\n";
    const std::size_t limit = 3U << 20;
    CHECK(server
              .say(put + "Content-Length: " + std::to_string(limit) + "\r\n\r\n" +
                   std::string(limit, 'x'))
              .find("HTTP/1.1 204") == 0);
    CHECK(largest == limit);
    CHECK(server
              .say(put + "Content-Length: " + std::to_string(limit + 1) + "\r\n\r\n" +
                   std::string(limit + 1, 'x'))
              .find("HTTP/1.1 204") == std::string::npos);
    std::string chunks;
    for (int i = 0; i < 49; ++i) chunks += "10000\r\n" + std::string(65'536, 'x') + "\r\n";
    CHECK(server.say(put + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n")
              .find("HTTP/1.1 204") == std::string::npos);
    CHECK(largest == limit);
}

TEST_CASE("what one request leaves over is never taken for the next one") {
    std::vector<std::string> seen;
    std::mutex mutex;
    const Running server{[&](const Request& request) -> Response {
        const std::scoped_lock lock{mutex};
        seen.push_back(request.method + " " + request.path);
        return {200, "{}"};
    }};
    const std::string smuggled = "POST /v1/transfers/revoke HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 0\r\n\r\n";
    for (const std::string& start :
         {std::string{"GET /v1/service HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\n"},
          std::string{"GET /v1/service HTTP/1.1\r\nHost: x\r\n\r\n"},
          std::string{"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                      "Content-Length: 90\r\n\r\n"},
          std::string{"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
          std::string{"PUT /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                      "0\r\n\r\n"}}) {
        static_cast<void>(server.say(start + smuggled));
    }
    const std::scoped_lock lock{mutex};
    CHECK(std::ranges::count(seen, "POST /v1/transfers/revoke") == 0);
    CHECK(seen.size() >= 2);
}

TEST_CASE("a socket whose path is too long is refused with words") {
    const TempFolder folder;
    FakeClock clock;
    Server server{echo, clock};
    CHECK_THROWS_WITH(server.bind(folder.path() / std::string(120, 'x')),
                      Catch::Contains("path too long"));
}

} // namespace plankurier::test::http_server_test
