#include "relay/http/server.hpp"

#include "relay/domain/days.hpp"

#include <httplib.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

namespace plankurier::relay::http {

namespace {

constexpr std::size_t body_bytes_max = 3U << 20;
constexpr int backlog = 1'024;
constexpr std::size_t threads = 64;

/// The library's backlog is 5 and compiled in; listening again on the bound socket lifts it.
class UnixServer final : public httplib::Server {
public:
    bool bind_socket(const std::filesystem::path& socket) {
        set_address_family(AF_UNIX);
        return bind_to_port(socket.c_str(), 80) && ::listen(svr_sock_, backlog) == 0;
    }
};

/// Only our own headers, only harmless signs: header values reach us percent-decoded.
void take_headers(const httplib::Request& from, Request& to) {
    for (const char* name : {"Plankurier-Session", "Plankurier-Transfer", "Plankurier-Manage",
                             "Plankurier-Fetch", "Plankurier-Link", "Idempotency-Key"}) {
        if (from.get_header_value_count(name) != 1) continue;
        std::string value = from.get_header_value(name);
        // The draft of Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-06) puts quotes
        // around it.
        if (value.size() > 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        const bool plain =
            value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                                    "wxyz0123456789_-") == std::string::npos;
        if (!plain || value.size() > 128) continue;
        std::string lower{name};
        for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        to.headers[lower] = value;
    }
}

/// nginx overwrites what a client says there. People get an IPv6 network, not an address.
std::string address_of(const httplib::Request& request) {
    const std::string text = request.get_header_value("X-Real-IP");
    std::array<unsigned char, 16> raw{};
    if (::inet_pton(AF_INET6, text.c_str(), raw.data()) == 1) {
        std::fill(raw.begin() + 8, raw.end(), static_cast<unsigned char>(0));
        std::array<char, INET6_ADDRSTRLEN> out{};
        return ::inet_ntop(AF_INET6, raw.data(), out.data(), out.size()) == nullptr ? text
                                                                                    : out.data();
    }
    return text;
}

void answer(httplib::Response& response, const Response& ours) {
    response.status = ours.status;
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : ours.headers) response.set_header(name.c_str(), value);
    if (!ours.body.empty()) response.set_content(ours.body, ours.type);
}

} // namespace

struct Server::State {
    UnixServer server;
    Handler handler;
    Clock& clock;

    void serve(const httplib::Request& request, httplib::Response& response, std::string body) {
        Request ours;
        ours.method = request.method == "HEAD" ? "GET" : request.method;
        ours.path = request.path;
        ours.body = std::move(body);
        ours.address = address_of(request);
        take_headers(request, ours);
        answer(response, handler(ours));
    }

    void serve_with_body(const httplib::Request& request, httplib::Response& response,
                         const httplib::ContentReader& reader) {
        std::string body;
        // Our own counter: the library's limit does not hold for chunked bodies.
        const bool whole = reader([&](const char* part, std::size_t length) {
            if (body.size() + length > body_bytes_max) return false;
            body.append(part, length);
            return true;
        });
        if (!whole) {
            answer(response, problem(Errc::too_large));
            return;
        }
        serve(request, response, std::move(body));
    }
};

Server::Server(Handler handler, Clock& clock) : state_(new State{{}, std::move(handler), clock}) {
    UnixServer& server = state_->server;
    server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    // One request a connection: what one request left unread can never be taken for the next one,
    // no thread waits for a client, and stopping is quick.
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(5);
    server.set_write_timeout(10);
    server.set_payload_max_length(body_bytes_max);
    server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& out) {
        out.set_header("Date", internet_date(state_->clock.now(), "GMT"));
        const bool has_body = request.method == "POST" || request.method == "PUT";
        if (request.has_header("Content-Encoding") || request.has_header("Range")) {
            answer(out, {415, {}});
            return httplib::Server::HandlerResponse::Handled;
        }
        if (has_body && !request.has_header("Content-Length") &&
            !request.has_header("Transfer-Encoding")) {
            answer(out, {411, {}});
            return httplib::Server::HandlerResponse::Handled;
        }
        return httplib::Server::HandlerResponse::Unhandled;
    });
    // Without it the library sends the exception's text to the client.
    server.set_exception_handler(
        [](const httplib::Request&, httplib::Response& out, std::exception_ptr failure) {
            Errc code = Errc::unavailable;
            try {
                std::rethrow_exception(failure);
            } catch (const std::system_error& error) {
                if (error.code().value() == ENOSPC || error.code().value() == EDQUOT)
                    code = Errc::no_space;
                std::fprintf(stderr, "control: %s\n", error.what());
            } catch (const std::exception& error) {
                std::fprintf(stderr, "control: %s\n", error.what());
            } catch (...) {
                std::fprintf(stderr, "control: unknown failure\n");
            }
            answer(out, problem(code));
        });
    const auto with_body = [this](const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& reader) {
        state_->serve_with_body(request, response, reader);
    };
    server.Get("/v1/.*", [this](const httplib::Request& request, httplib::Response& response) {
        state_->serve(request, response, {});
    });
    server.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
        response.set_content("ok\n", "text/plain");
    });
    server.Post("/v1/.*", with_body);
    server.Put("/v1/.*", with_body);
}

Server::~Server() = default;

void Server::bind(const std::filesystem::path& socket) {
    ::unlink(socket.c_str());
    if (!state_->server.bind_socket(socket)) {
        throw std::runtime_error(
            "the control socket cannot be bound (path too long, or no right): " + socket.string());
    }
    // nginx runs as another user; the folder decides who gets as far as the socket.
    ::chmod(socket.c_str(), 0666);
}

void Server::run() { state_->server.listen_after_bind(); }
void Server::stop() { state_->server.stop(); }

} // namespace plankurier::relay::http
