// g++ 12 takes the paired operators of Asio's coroutine frames for mismatched once inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include "relay/pieces/connection.hpp"
#include "relay/pieces/part_buffer.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>
#include <openssl/err.h>

#include <sys/socket.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <limits>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::size_t head_bytes_max = 16'384;
constexpr std::chrono::seconds head_time{10};
constexpr std::chrono::seconds idle_time{30};
constexpr std::chrono::seconds late_time{5};    ///< for who came when there were enough already
constexpr std::chrono::seconds linger_time{10}; ///< for what a refused client still sends
constexpr std::chrono::seconds swarm_time{5};   ///< until a volume is loaded
constexpr int quiet_bytes = 65'536;             ///< so much comes before a receiver is woken

struct FreeTls {
    void operator()(SSL* tls) const noexcept { SSL_free(tls); }
};

/// The line ended, was too slow or broke a rule: nothing more is said on it.
struct LineEnded {};

/// Gives the abandoned piece back however the upload ends.
class UploadGuard {
public:
    UploadGuard(Service& service, const PieceUpload& upload) : service_(service), upload_(upload) {}
    ~UploadGuard() {
        if (!done_) service_.abandon(upload_);
    }
    UploadGuard(const UploadGuard&) = delete;
    UploadGuard& operator=(const UploadGuard&) = delete;
    void done() noexcept { done_ = true; }

private:
    Service& service_;
    const PieceUpload& upload_;
    bool done_{};
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, SSL_CTX* context, Service& service, Census::Seat seat)
        : socket_(std::move(socket)), timer_(socket_.get_executor()), tls_(SSL_new(context)),
          service_(service), seat_(std::move(seat)) {
        boost::system::error_code ignored;
        socket_.set_option(tcp::no_delay{true}, ignored);
        socket_.non_blocking(true);
        SSL_set_fd(tls_.get(), static_cast<int>(socket_.native_handle()));
        SSL_set_accept_state(tls_.get());
    }

    awaitable<void> run() {
        try {
            while (co_await one_request()) {
            }
            co_await end_in_order();
        } catch (const LineEnded&) {
            // An everyday end.
        } catch (const boost::system::system_error&) {
            // The same, noticed by the socket.
        } catch (const std::exception& error) {
            std::fprintf(stderr, "pieces: %s\n", error.what());
        }
        timer_.cancel();
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

private:
    /// Closes the socket when the time is over; whoever waits on it then fails.
    void arm(std::chrono::seconds time) {
        armed_ = std::chrono::steady_clock::now();
        timer_.expires_after(time);
        timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            const auto self = weak.lock();
            if (error || !self) return;
            boost::system::error_code ignored;
            self->socket_.close(ignored);
        });
    }

    /// A slow line is not an idle one: as long as bytes move, it stays.
    void moved() {
        if (std::chrono::steady_clock::now() - armed_ > idle_time / 4) arm(idle_time);
    }

    awaitable<void> wait_for(int result) {
        const int why = SSL_get_error(tls_.get(), result);
        ERR_clear_error();
        if (why == SSL_ERROR_WANT_READ) {
            co_await socket_.async_wait(tcp::socket::wait_read, use_awaitable);
        } else if (why == SSL_ERROR_WANT_WRITE) {
            co_await socket_.async_wait(tcp::socket::wait_write, use_awaitable);
        } else {
            throw LineEnded{};
        }
        if (!socket_.is_open()) throw LineEnded{};
    }

    awaitable<std::size_t> read_some(std::span<std::byte> out) {
        for (;;) {
            const int got = SSL_read(tls_.get(), out.data(), static_cast<int>(out.size()));
            if (got > 0) co_return static_cast<std::size_t>(got);
            co_await wait_for(got);
        }
    }

    awaitable<void> write(ByteView bytes) {
        while (!bytes.empty()) {
            const int sent = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
            if (sent > 0) {
                bytes = bytes.subspan(static_cast<std::size_t>(sent));
                moved();
            } else {
                co_await wait_for(sent);
            }
        }
    }

    /// Fills `out` from what was read with the head, then from the line.
    awaitable<void> read_body(std::span<std::byte> out) {
        const std::size_t early = std::min(rest_.size(), out.size());
        std::copy_n(as_bytes(rest_).begin(), early, out.begin());
        rest_.erase(0, early);
        unread_ -= out.size();
        out = out.subspan(early);
        arm(idle_time);
        while (!out.empty()) {
            out = out.subspan(co_await read_some(out));
            moved();
        }
    }

    awaitable<Head> read_head();
    awaitable<bool> one_request();
    awaitable<bool> carry_out(const Head& head, const Plan& plan);
    Result<void> look_at_ticket(const Head& head);
    awaitable<bool> reply(const Answer& answer, bool head_only);
    awaitable<void> end_in_order();
    awaitable<Answer> receive_piece(const PieceUpload& upload, std::uint64_t length);
    awaitable<Answer> receive_small(const SmallUpload& upload, std::uint64_t length);
    awaitable<Answer> wait_for_swarm(const SmallUpload& upload, ByteView body);
    awaitable<void> send(const Answer& answer, std::uint64_t length);
    awaitable<void> send_file(const FileAnswer& answer, bool head_only);
    /// The socket is readable from so many bytes on: waking for each packet costs more than
    /// reading.
    void wake_from(int bytes) {
        socket_.set_option(asio::socket_base::receive_low_watermark{bytes});
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    std::unique_ptr<SSL, FreeTls> tls_;
    Service& service_;
    Census::Seat seat_;
    std::chrono::steady_clock::time_point armed_;
    std::string rest_;       ///< read from the line, not used yet
    std::uint64_t unread_{}; ///< bytes of the request's body that are still to come
    std::string shown_;      ///< the header in which the line showed its last good ticket
    Ticket ticket_;          ///< that one
    bool close_{};
    bool broken_{}; ///< the head is no HTTP that we accept
};

std::string text_of(boost::beast::string_view view) { return {view.data(), view.size()}; }

awaitable<Head> Connection::read_head() {
    const bool may_rest = rest_.empty() && seat_.has_ticket();
    arm(may_rest ? idle_time : seat_.late() ? late_time : head_time);
    std::size_t end = rest_.find("\r\n\r\n");
    while (end == std::string::npos) {
        if (rest_.size() >= head_bytes_max) throw LineEnded{};
        std::array<std::byte, 4'096> part{};
        const bool first = rest_.empty();
        rest_.append(as_text(ByteView{part}.first(co_await read_some(part))));
        if (first && may_rest) arm(head_time);
        end = rest_.find("\r\n\r\n");
    }
    beast_http::request_parser<beast_http::empty_body> parser;
    parser.header_limit(head_bytes_max);
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    boost::system::error_code error;
    parser.put(asio::buffer(rest_.data(), end + 4), error);
    rest_.erase(0, end + 4);
    Head head;
    broken_ = error || !parser.is_header_done();
    if (broken_) co_return head;
    const auto& request = parser.get();
    // Any doubt about where a body ends is refused (request smuggling).
    broken_ = request.count("Transfer-Encoding") != 0 || request.count("Content-Length") > 1 ||
              request.version() != 11;
    head.method = text_of(request.method_string());
    head.target = text_of(request.target());
    head.authorization = text_of(request["Authorization"]);
    head.range = text_of(request["Range"]);
    head.piece = text_of(request["Plankurier-Piece"]);
    head.length = request.count("Content-Length") == 1 ? parser.content_length().value_or(0) : 0;
    unread_ = head.length;
    close_ = !request.keep_alive();
    const bool has_body = head.method == "PUT" || head.method == "POST";
    broken_ = broken_ || (has_body ? request.count("Content-Length") == 0 : head.length != 0);
    co_return head;
}

awaitable<void> Connection::send(const Answer& answer, std::uint64_t length) {
    const auto status = static_cast<beast_http::status>(answer.status);
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " " +
                       text_of(beast_http::obsolete_reason(status)) +
                       "\r\nContent-Type: " + answer.type;
    if (answer.status != 204) head += "\r\nContent-Length: " + std::to_string(length);
    if (unread_ != 0) close_ = true; // what is left of the body is no request
    head += "\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: "
            "Accept-Ranges, Content-Range, Retry-After\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n" +
            answer.extra + (close_ ? "Connection: close\r\n\r\n" : "\r\n");
    arm(idle_time);
    co_await write(as_bytes(head));
}

awaitable<void> Connection::send_file(const FileAnswer& answer, bool head_only) {
    const PartBuffer memory;
    const std::span buffer = memory.span();
    for (std::uint64_t at = 0; at < answer.bytes;) {
        const std::size_t now =
            static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), answer.bytes - at));
        const ssize_t got =
            ::pread(answer.file->fd(), buffer.data(), now, static_cast<off_t>(answer.offset + at));
        if (got <= 0) {
            const Answer instead = service_.unreadable(answer);
            if (at != 0) throw LineEnded{}; // nothing else can be said within a piece
            co_await reply(instead, head_only);
            co_return;
        }
        if (at == 0) co_await send(answer.head, answer.bytes);
        if (head_only) break;
        arm(idle_time);
        co_await write(buffer.first(static_cast<std::size_t>(got)));
        at += static_cast<std::uint64_t>(got);
    }
}

awaitable<Answer> Connection::receive_piece(const PieceUpload& upload, std::uint64_t length) {
    UploadGuard guard{service_, upload};
    const PartBuffer memory;
    const std::span buffer = memory.span();
    PieceHasher hasher;
    if (length > buffer.size()) wake_from(quiet_bytes);
    for (std::uint64_t at = 0; at < length; at += buffer.size()) {
        if (at != 0 && length - at <= buffer.size()) wake_from(1);
        co_await read_body(buffer);
        hasher.update(buffer);
        if (const auto taken = service_.take(upload, at, buffer); !taken) {
            co_return Service::problem(taken.error().code);
        }
    }
    auto answer = service_.finish(upload, hasher.finish());
    guard.done();
    co_return answer ? *answer : Service::problem(answer.error().code);
}

awaitable<Answer> Connection::receive_small(const SmallUpload& upload, std::uint64_t length) {
    Bytes body(length);
    co_await read_body(body);
    if (upload.kind == SmallUpload::Kind::swarm) co_return co_await wait_for_swarm(upload, body);
    co_return service_.small_body(upload, body);
}

/// The answer comes from a thread of the swarm; meanwhile no thread of ours waits.
awaitable<Answer> Connection::wait_for_swarm(const SmallUpload& upload, ByteView body) {
    struct Waiting {
        asio::steady_timer timer;
        Answer answer{Service::problem(Errc::unavailable)};
    };
    const auto executor = socket_.get_executor(); // a strand: nothing comes before we wait
    const auto waiting =
        std::make_shared<Waiting>(Waiting{asio::steady_timer{executor, swarm_time}});
    service_.swarm(upload, body, [waiting, executor](Answer answer) {
        asio::post(executor, [waiting, answer = std::move(answer)]() mutable {
            waiting->answer = std::move(answer);
            waiting->timer.cancel();
        });
    });
    boost::system::error_code canceled;
    co_await waiting->timer.async_wait(asio::redirect_error(use_awaitable, canceled));
    co_return waiting->answer;
}

/// From its first good ticket on the line counts for the transfer. Fails with why it is refused.
Result<void> Connection::look_at_ticket(const Head& head) {
    if (head.authorization.empty() || head.authorization != shown_ || !service_.in_time(ticket_)) {
        auto ticket = service_.ticket(head);
        // A late line that cannot show one learns that there were enough already.
        if (!ticket) return fail(seat_.late() ? Errc::busy : ticket.error().code, "ticket");
        ticket_ = *ticket;
        shown_ = head.authorization;
    }
    if (!seat_.take(ticket_.transfer)) return fail(Errc::busy, "lines of a transfer");
    return {};
}

awaitable<bool> Connection::reply(const Answer& answer, bool head_only) {
    co_await send(answer, answer.body.size());
    if (!head_only) co_await write(as_bytes(answer.body));
    co_return !close_;
}

/// A browser reads no answer before its whole piece is sent, and a socket that is closed with
/// bytes unread takes back what was said on it. So the line is closed in one direction, and what
/// still comes is thrown away undeciphered: one piece at most, and not for ever.
awaitable<void> Connection::end_in_order() {
    SSL_shutdown(tls_.get());
    if (unread_ == 0) co_return;
    boost::system::error_code error;
    socket_.shutdown(tcp::socket::shutdown_send, error);
    wake_from(1);
    arm(linger_time);
    constexpr std::size_t piece_bytes_max = 16U << 20;
    constexpr std::size_t room = piece_bytes_max + piece_bytes_max / 64; // for TLS
    for (std::size_t thrown = 0; !error && socket_.is_open() && thrown < room;) {
        // The kernel drops the bytes without copying them (tcp(7), MSG_TRUNC).
        const ssize_t got = ::recv(socket_.native_handle(), nullptr, room - thrown, MSG_TRUNC);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) co_return;
        if (got > 0) {
            thrown += static_cast<std::size_t>(got);
            continue;
        }
        co_await socket_.async_wait(tcp::socket::wait_read,
                                    asio::redirect_error(use_awaitable, error));
    }
}

awaitable<bool> Connection::one_request() {
    const Head head = co_await read_head();
    const bool asks_for_browser = head.method == "OPTIONS" && !seat_.late();
    if (broken_) unread_ = std::numeric_limits<std::uint64_t>::max(); // its end is not known
    Result<void> shown{};
    if (broken_) {
        shown = fail(Errc::malformed, "head");
    } else if (!asks_for_browser) {
        shown = look_at_ticket(head);
    }
    if (!shown) {
        close_ = close_ || shown.error().code == Errc::busy;
        const Answer answer = Service::problem(shown.error().code);
        co_return co_await reply(answer, head.method == "HEAD");
    }
    const Plan plan = asks_for_browser ? Plan{Service::preflight()} : service_.plan(head, ticket_);
    co_return co_await carry_out(head, plan);
}

awaitable<bool> Connection::carry_out(const Head& head, const Plan& plan) {
    const bool head_only = head.method == "HEAD";
    Answer answer;
    if (const auto* file = std::get_if<FileAnswer>(&plan)) {
        co_await send_file(*file, head_only);
        co_return !close_;
    }
    if (const auto* piece = std::get_if<PieceUpload>(&plan)) {
        answer = co_await receive_piece(*piece, head.length);
    } else if (const auto* small = std::get_if<SmallUpload>(&plan)) {
        answer = co_await receive_small(*small, head.length);
    } else {
        answer = std::get<Answer>(plan);
    }
    co_return co_await reply(answer, head_only);
}

} // namespace

awaitable<void> serve_connection(tcp::socket socket, SSL_CTX* context, Service& service,
                                 Census::Seat seat) {
    const auto connection =
        std::make_shared<Connection>(std::move(socket), context, service, std::move(seat));
    co_await connection->run();
}

} // namespace plankurier::relay::pieces
