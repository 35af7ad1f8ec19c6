// What may happen to a line, and what a client makes of it.
#include <clients/cli/control_client.hpp>
#include <clients/cli/lanes.hpp>

#include "tests/clients/odd_port.hpp"
#include "tests/clients/piece_server.hpp"
#include "tests/support/temp_folder.hpp"

#include <httplib.h>

#include <ctime>
#include <mutex>
#include <set>
#include <thread>

namespace plankurier::test::line_faults_test {

using namespace cli;

namespace {

using Way = OddPort::Way;

std::string answer_text(const std::string& status, const std::string& type, const std::string& body,
                        std::size_t length) {
    return "HTTP/1.1 " + status + "\r\nContent-Type: " + type +
           "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + body;
}
std::string whole(const std::string& status, const std::string& type, const std::string& body) {
    return answer_text(status, type, body, body.size());
}

constexpr const char* page = "<html><body>Please log in</body></html>";

} // namespace

TEST_CASE("a port that accepts and closes is no matter of certificates") {
    TempFolder folder;
    const auto identity = make_identity(folder.path());
    for (const auto way : {Way::close, Way::reset}) {
        const OddPort port{way};
        HttpLine line{{identity.certificate, 5}};
        const auto answer = line.request("GET", port.url("https") + "/", {}, {});
        REQUIRE_FALSE(answer);
        CHECK(answer.error().code == Errc::network);
    }
    const OddPort http{Way::text, whole("200 OK", "text/html", page)};
    HttpLine line{{identity.certificate, 5}};
    CHECK(line.request("GET", http.url("https") + "/", {}, {}).error().code == Errc::network);
}

TEST_CASE("only a certificate that was seen and refused is not trusted") {
    TempFolder one, other;
    const auto identity = make_identity(one.path());
    PieceServer server{one.path() / "relay", identity, 0};
    HttpLine stranger{{make_identity(other.path()).certificate, 5}};
    const auto url = server.address().url + "/v1/";
    CHECK(stranger.request("OPTIONS", url, {}, {}).error().code == Errc::tls);
    HttpLine friendly{{identity.certificate, 5}};
    CHECK(friendly.request("OPTIONS", url, {}, {}).has_value());
    HttpLine without{{other.path() / "no-such-file", 5}};
    CHECK(without.request("OPTIONS", url, {}, {}).error().code == Errc::file_unreadable);
}

TEST_CASE("what is not the service's answer is asked for again") {
    const auto json = "application/json";
    const std::vector<std::pair<const char*, std::string>> odd{
        {"a login page", whole("200 OK", "text/html; charset=utf-8", page)},
        {"a redirect", "HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n"
                       "Content-Length: 0\r\n\r\n"},
        {"a proxy's 502", whole("502 Bad Gateway", "text/html", page)},
        {"a proxy's 503", whole("503 Service Unavailable", "text/html", page)},
        {"a proxy that wants a name",
         whole("407 Proxy Authentication Required", "text/html", page)},
        {"nothing", ""},
        {"half a head", "HTTP/1.1 200 OK\r\nContent-Ty"},
        {"half a body", answer_text("200 OK", json, "{\"signer_pub\":", 400)},
        {"half a body of unknown length",
         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"signer_pub\":"}};
    for (const auto& [what, answer] : odd) {
        CAPTURE(what);
        const OddPort port{Way::text, answer};
        ControlClient control{port.url("http"), {"", 5}};
        const auto directory = control.directory();
        REQUIRE_FALSE(directory);
        CHECK(RetryRule::worth_it(directory.error().code));
        CHECK(port.lines() >= 1);
    }
}

TEST_CASE("an upload's pieces do not end at a page or half an answer of something else") {
    const auto transfer = TransferId::random();
    for (const auto& answer :
         {whole("200 OK", "text/html", page), std::string{"HTTP/1.1 302 Found\r\n\r\n"},
          answer_text("200 OK", "application/json", "{\"volumes\":[", 90), std::string{}}) {
        CAPTURE(answer);
        const OddPort port{Way::text, answer};
        TicketBox tickets{[] {
            return Result<TicketAnswer>{TicketAnswer{"t", std::time(nullptr) + 900, {}}};
        }};
        PieceClient client{{"", 5}, tickets, transfer};
        const RelayAddress relay{RelayId::random(), port.url("http")};
        CHECK(client.map(relay).error().code == Errc::network);
        Bytes got;
        const auto piece = client.get_piece(relay, 0, 0, [&](ByteView bytes) {
            got.insert(got.end(), bytes.begin(), bytes.end());
            return true;
        });
        CHECK(got.size() <= 14); // of a page nothing is taken for a piece
        CHECK((piece || piece.error().code == Errc::network));
    }
}

TEST_CASE("a service that keeps silent is asked anew by another connection") {
    const OddPort port{Way::mute};
    ControlClient control{port.url("http"), {"", 1}};
    struct Enough {};
    unsigned waits = 0;
    control.be_patient([&](unsigned) {
        if (++waits == 2) throw Enough{};
    });
    CHECK_THROWS_AS(control.directory(), Enough);
    CHECK(port.lines() == 2);
}

TEST_CASE("a busy server is waited for as it says, with all that was to be sent") {
    httplib::Server http;
    std::atomic<int> refuse{2}, calls{0};
    std::mutex mutex;
    std::string taken; // guarded by it
    const auto received = [&] {
        const std::scoped_lock lock{mutex};
        return taken;
    };
    const auto handle = [&](const httplib::Request& request, httplib::Response& out) {
        ++calls;
        if (refuse-- > 0) {
            out.status = 503;
            out.set_header("Retry-After", "1");
            out.set_content(R"({"code":"busy"})", "application/problem+json");
            return;
        }
        {
            const std::scoped_lock lock{mutex};
            taken = request.body;
        }
        out.set_content(request.method == "GET" ? "piece" : "{}",
                        request.method == "GET" ? "application/octet-stream" : "application/json");
    };
    http.Post("/", handle).Put("/", handle).Get("/", handle);
    const int port = http.bind_to_any_port("127.0.0.1");
    std::jthread thread{[&] { http.listen_after_bind(); }};
    while (!http.is_running()) std::this_thread::yield();
    const auto url = "http://127.0.0.1:" + std::to_string(port) + "/";

    HttpLine line{{"", 10}};
    std::vector<unsigned> told;
    line.on_busy([&](unsigned seconds) { told.push_back(seconds); });
    SECTION("of a small request") {
        CHECK(line.request("POST", url, {}, as_bytes("{\"a\":1}"))->status == 200);
        CHECK(received() == "{\"a\":1}");
    }
    SECTION("of a piece") {
        std::size_t at = 0;
        const std::string body(100'000, 'x');
        const auto answer = line.put(
            url, {}, body.size(),
            [&](std::span<std::byte> out) {
                const auto part = std::min(out.size(), body.size() - at);
                std::copy_n(as_bytes(body).begin() + static_cast<std::ptrdiff_t>(at), part,
                            out.begin());
                at += part;
                return part;
            },
            [&] { at = 0; });
        CHECK(answer->status == 200);
        CHECK(received() == body);
    }
    SECTION("of a download") {
        std::string got;
        CHECK(line.get(url, {},
                       [&](ByteView bytes) {
                           got += as_text(bytes);
                           return true;
                       })
                  ->status == 200);
        CHECK(got == "piece");
    }
    CHECK(calls == 3);
    REQUIRE(told.size() == 2);
    CHECK((told[0] >= 1 && told[0] <= 2));
    http.stop();
}

TEST_CASE("a proxy whose server is away is not taken for a busy one") {
    // As nginx/http.conf has it: 503, and a time to ask again for those that wait anyway.
    const OddPort port{Way::text, whole("503 Service Unavailable\r\nRetry-After: 1",
                                        "application/problem+json", R"({"code":"unavailable"})")};
    HttpLine line{{"", 5}};
    bool is_waited_for = false;
    line.on_busy([&](unsigned) { is_waited_for = true; });
    const auto answer = line.request("GET", port.url("http"), {}, {});
    REQUIRE(answer);
    CHECK(answer->status == 503);
    CHECK_FALSE(is_waited_for);
    CHECK(port.lines() == 1);
}

TEST_CASE("waiting for a busy server is at least what it says, at most twice, and differs") {
    std::set<std::chrono::milliseconds> seen;
    for (int round = 0; round < 50; ++round) {
        const auto wait = busy_wait(std::chrono::seconds{2});
        CHECK(wait >= std::chrono::seconds{2});
        CHECK(wait < std::chrono::seconds{4});
        seen.insert(wait);
    }
    CHECK(seen.size() > 10);
    CHECK(busy_wait(std::chrono::hours{9}) <= std::chrono::seconds{240});
}

} // namespace plankurier::test::line_faults_test
