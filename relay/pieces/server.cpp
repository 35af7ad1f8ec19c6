// g++ 12 takes the paired operators of Boost.Asio coroutine frames for mismatched once inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include "server.hpp"

#include <plankurier/sealing.hpp>

#include <boost/asio.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <charconv>
#include <ctime>
#include <optional>
#include <sys/types.h>
#include <unistd.h>

namespace plankurier::relay::pieces {
namespace {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using asio::awaitable;
using asio::use_awaitable;

constexpr std::size_t header_bytes_max = 16'384, buffer_bytes = 262'144, connections_max = 256;
constexpr std::chrono::seconds header_time{10}, body_time{30};
struct TlsDeleter {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
struct Answer {
    unsigned status{200};
    std::string body, type{"application/json"}, extra;
};
unsigned status_of(Errc code) {
    switch (code) {
    case Errc::bad_signature: case Errc::not_verified: return 401;
    case Errc::not_found: return 404;
    case Errc::conflict: case Errc::exists: case Errc::tampered: return 409;
    case Errc::expired: case Errc::revoked: case Errc::purged: return 410;
    case Errc::too_large: return 413;
    case Errc::unavailable: return 503;
    case Errc::no_space: return 507;
    default: return 400;
    }
}
Answer problem(Errc code, unsigned status = 0) {
    if (status == 0) status = status_of(code);
    return {status, nlohmann::json{{"type", "about:blank"}, {"title", name(code)},
            {"status", status}, {"code", name(code)}}.dump(), "application/problem+json", {}};
}
std::optional<std::uint64_t> decimal(std::string_view text) {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto got = std::from_chars(text.data(), end, value);
    if (text.empty() || got.ec != std::errc{} || got.ptr != end) return std::nullopt;
    return value;
}

/// One connection; everything on its strand.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, SSL_CTX* context, const Service& service, std::atomic<std::size_t>& open)
        : socket_(std::move(socket)), timer_(socket_.get_executor()), ssl_(SSL_new(context)),
          service_(service), open_(open) {
        socket_.non_blocking(true);
        SSL_set_fd(ssl_.get(), socket_.native_handle());
        SSL_set_accept_state(ssl_.get());
        ++open_;
    }
    ~Connection() { --open_; }
    awaitable<void> run() {
        const auto self = shared_from_this();
        try {
            while (co_await request()) {}
        } catch (const std::exception&) {
            // A broken line or disk: this connection ends, the others go on.
        }
        timer_.cancel();
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

private:
    void arm(std::chrono::seconds time) {
        timer_.expires_after(time);
        timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            if (const auto self = weak.lock(); self && !error) {
                boost::system::error_code ignored;
                self->socket_.close(ignored);
            }
        });
    }
    awaitable<void> wait(int result) {
        const int why = SSL_get_error(ssl_.get(), result);
        ERR_clear_error();
        if (why == SSL_ERROR_WANT_READ) co_await socket_.async_wait(tcp::socket::wait_read, use_awaitable);
        else if (why == SSL_ERROR_WANT_WRITE) co_await socket_.async_wait(tcp::socket::wait_write, use_awaitable);
        else throw std::runtime_error("line ended");
    }
    awaitable<std::size_t> read_some(std::span<char> out) {
        while (true) {
            if (!socket_.is_open()) throw std::runtime_error("time-out");
            const int n = SSL_read(ssl_.get(), out.data(), static_cast<int>(out.size()));
            if (n > 0) co_return static_cast<std::size_t>(n);
            co_await wait(n);
        }
    }
    awaitable<void> write(std::string_view text) {
        while (!text.empty()) {
            if (!socket_.is_open()) throw std::runtime_error("time-out");
            arm(body_time);
            const int n = SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
            if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
            else co_await wait(n);
        }
    }
    awaitable<void> read_body(std::span<char> out) {
        const auto have = std::min(rest_.size(), out.size());
        std::copy_n(rest_.begin(), have, out.begin());
        rest_.erase(0, have);
        for (auto left = out.subspan(have); !left.empty();) {
            arm(body_time);
            left = left.subspan(co_await read_some(left));
        }
    }
    std::string head(const Answer& answer, std::uint64_t length) const {
        return "HTTP/1.1 " + std::to_string(answer.status) + " " +
               std::string(http::obsolete_reason(static_cast<http::status>(answer.status))) +
               "\r\nContent-Type: " + answer.type + "\r\nContent-Length: " + std::to_string(length) +
               "\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: no-store\r\n" + answer.extra +
               (close_ ? "Connection: close\r\n\r\n" : "\r\n");
    }
    awaitable<bool> request();
    awaitable<Answer> route(const http::request<http::empty_body>& head, std::uint64_t length);
    awaitable<Answer> put_piece(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece, std::uint64_t length);
    Answer get_piece(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece, std::string_view range);
    Answer map(const TransferId& transfer);
    Answer stored(const Ticket& ticket);

    tcp::socket socket_;
    asio::steady_timer timer_;
    std::unique_ptr<SSL, TlsDeleter> ssl_;
    const Service& service_;
    std::atomic<std::size_t>& open_;
    std::string rest_;
    bool close_{false};
    PieceStore::VolumePtr source_; ///< what the answer's body is read from
    std::uint64_t source_at_{}, source_bytes_{};
};

awaitable<bool> Connection::request() {
    arm(header_time);
    std::size_t end = 0;
    while ((end = rest_.find("\r\n\r\n")) == std::string::npos && rest_.size() < header_bytes_max) {
        std::array<char, 4096> part{};
        rest_.append(part.data(), co_await read_some(part));
    }
    http::request_parser<http::empty_body> parser;
    parser.body_limit(boost::none);
    boost::system::error_code error;
    Answer answer = problem(Errc::malformed);
    if (end == std::string::npos) close_ = true;
    else {
        parser.put(asio::buffer(rest_.data(), end + 4), error);
        rest_.erase(0, end + 4);
    }
    const auto& head_in = parser.get();
    const auto length = parser.content_length() ? *parser.content_length() : 0;
    const bool bad = error && error != http::error::need_more;
    if (close_ || bad || !parser.is_header_done() || head_in.count("Content-Length") > 1) close_ = true;
    else if (head_in.count("Transfer-Encoding") != 0) {
        close_ = true;
        answer = problem(Errc::malformed, head_in.count("Content-Length") != 0 ? 400 : 411);
    } else {
        close_ = !head_in.keep_alive() || length > 0; // until the body has been read
        answer = co_await route(head_in, length);
    }
    const auto bytes = source_ ? source_bytes_ : answer.body.size();
    co_await write(head(answer, bytes));
    if (head_in.method() != http::verb::head) {
        co_await write(answer.body);
        std::vector<char> part(source_ ? buffer_bytes : 0);
        while (source_ && source_bytes_ > 0) {
            const auto want = std::min<std::uint64_t>(part.size(), source_bytes_);
            const auto n = ::pread(source_->fd, part.data(), want, static_cast<off_t>(source_at_));
            if (n <= 0 || source_->gone) throw std::runtime_error("volume gone");
            co_await write({part.data(), static_cast<std::size_t>(n)});
            source_at_ += static_cast<std::uint64_t>(n);
            source_bytes_ -= static_cast<std::uint64_t>(n);
        }
    }
    source_.reset();
    co_return !close_;
}

awaitable<Answer> Connection::route(const http::request<http::empty_body>& in, std::uint64_t length) {
    const auto method = in.method();
    if (method == http::verb::options)
        co_return Answer{204, {}, "text/plain", "Access-Control-Allow-Methods: GET, HEAD, PUT, POST\r\n"
            "Access-Control-Allow-Headers: Authorization, Range, Content-Type\r\nAccess-Control-Max-Age: 600\r\n"};
    const std::string_view auth{in["Authorization"].data(), in["Authorization"].size()};
    if (!auth.starts_with("Plankurier ")) co_return problem(Errc::not_verified);
    const auto raw = from_base64url(auth.substr(11));
    const auto now = std::time(nullptr);
    const auto ticket = raw ? check_ticket(*raw, service_.control_key, now) : fail(Errc::malformed);
    if (!ticket) co_return problem(ticket.error().code, 401);
    std::vector<std::string> parts;
    for (std::string_view path{in.target().data(), in.target().size()}; path.starts_with('/');) {
        path.remove_prefix(1);
        const auto slash = std::min(path.find('/'), path.size());
        parts.emplace_back(path.substr(0, slash));
        path.remove_prefix(slash);
    }
    if (parts.size() < 2 || parts.size() > 4 || parts[0] != "v1" || parts[1] != ticket->transfer.hex())
        co_return problem(Errc::not_found);
    if (service_.store.tombstoned(ticket->transfer)) co_return problem(Errc::purged);
    const bool reading = method == http::verb::get || method == http::verb::head;
    if (!reading && ticket->role != TicketRole::put) co_return problem(Errc::not_found);
    if (reading && length > 0) co_return problem(Errc::malformed);
    if (reading && parts.size() == 2) co_return map(ticket->transfer);
    if (parts.size() == 3 && parts[2] == "stored" && method == http::verb::post) {
        std::string body(std::min<std::uint64_t>(length, 1024), '\0');
        co_await read_body(body);
        if (length <= 1024) close_ = !in.keep_alive();
        co_return stored(*ticket);
    }
    const auto volume = parts.size() > 2 ? decimal(parts[2]) : std::nullopt;
    const auto piece = parts.size() > 3 ? decimal(parts[3]) : std::optional<std::uint64_t>{0};
    if (!volume || !piece || *volume > 0xffffffffU || *piece >= volume_pieces_max) co_return problem(Errc::not_found);
    const auto number = static_cast<std::uint32_t>(*volume);
    const auto index = static_cast<std::uint32_t>(*piece);
    if (reading && parts.size() == 4)
        co_return get_piece(*ticket, number, index, {in["Range"].data(), in["Range"].size()});
    if (reading) {
        const auto volumes = service_.store.find(ticket->transfer);
        const auto found = volumes.find(number);
        const auto bytes = found == volumes.end() ? Bytes{} : service_.store.snapshot(found->second).second;
        if (bytes.empty()) co_return problem(Errc::not_found);
        co_return Answer{200, std::string(as_text(bytes)), "application/octet-stream", {}};
    }
    if (method != http::verb::put) co_return problem(Errc::not_found);
    if (in.count("Content-Length") == 0) co_return problem(Errc::malformed, 411);
    Answer answer;
    if (parts.size() == 4) answer = co_await put_piece(*ticket, number, index, length);
    else if (length > 65'536) co_return problem(Errc::too_large);
    else {
        std::string body(length, '\0');
        co_await read_body(body);
        const auto done = service_.store.put_descriptor(*ticket, number, as_bytes(body));
        answer = done ? Answer{204, {}, "text/plain", {}} : problem(done.error().code);
        source_bytes_ = 0;
    }
    if (source_bytes_ == 0) close_ = !in.keep_alive();
    co_return answer;
}

awaitable<Answer> Connection::put_piece(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece,
                                        std::uint64_t length) {
    source_bytes_ = 1; // the body still stands on the line
    const auto slot = service_.store.begin_put(ticket, volume, piece, std::time(nullptr));
    if (!slot) co_return problem(slot.error().code);
    bool whole = false;
    struct Guard {
        PieceStore& store; const PieceStore::Slot& slot; bool& whole;
        ~Guard() { if (!whole) store.abort_put(slot); }
    } const guard{service_.store, *slot, whole};
    if (length != slot->volume->layout.piece_bytes()) co_return problem(Errc::invalid_argument);
    PieceHasher hasher;
    std::vector<char> part(buffer_bytes);
    for (std::uint64_t at = 0; at < length; at += part.size()) {
        co_await read_body(part);
        const auto bytes = std::as_bytes(std::span{part});
        hasher.update(bytes);
        if (!slot->write) continue;
        if (const auto done = service_.store.write(*slot, at, bytes); !done) co_return problem(done.error().code);
    }
    source_bytes_ = 0;
    const auto root = hasher.finish();
    const auto done = service_.store.finish_put(*slot, root);
    if (!done) co_return problem(done.error().code);
    whole = true;
    co_return Answer{200, nlohmann::json{{"root", to_hex(root)}, {"state", "received"}}.dump(), "application/json", {}};
}

Answer Connection::get_piece(const Ticket& ticket, std::uint32_t number, std::uint32_t piece, std::string_view range) {
    const auto volumes = service_.store.find(ticket.transfer);
    const auto found = volumes.find(number);
    if (found == volumes.end() || !service_.store.is_durable(found->second, piece)) return problem(Errc::not_found);
    const auto size = found->second->layout.piece_bytes();
    std::uint64_t first = 0, last = size - 1;
    Answer answer{200, {}, "application/octet-stream", "Accept-Ranges: bytes\r\n"};
    if (!range.empty()) {
        const auto dash = range.find('-');
        if (!range.starts_with("bytes=") || dash == std::string_view::npos) return problem(Errc::malformed);
        const auto a = decimal(range.substr(6, dash - 6));
        const auto b = dash + 1 == range.size() ? std::optional{last} : decimal(range.substr(dash + 1));
        if (!a || !b || *a > *b) return problem(Errc::malformed);
        if (*a >= size) return problem(Errc::invalid_argument, 416);
        first = *a;
        last = std::min(last, *b);
        answer.status = 206;
        answer.extra += "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(size) + "\r\n";
    }
    source_ = found->second;
    source_at_ = piece * size + first;
    source_bytes_ = last - first + 1;
    return answer;
}

Answer Connection::map(const TransferId& transfer) {
    auto list = nlohmann::json::array();
    for (const auto& [number, volume] : service_.store.find(transfer)) {
        const auto [durable, descriptor] = service_.store.snapshot(volume);
        Bytes bits((volume->roots.size() + 7) / 8);
        for (std::size_t i = 0; i < volume->roots.size(); ++i)
            if ((durable >> i & 1U) != 0) bits[i / 8] |= std::byte{0x80} >> (i % 8);
        list.push_back({{"n", number}, {"durable", to_base64url(bits)}, {"descriptor", !descriptor.empty()}});
    }
    return {200, nlohmann::json{{"volumes", list}}.dump(), "application/json", {}};
}

Answer Connection::stored(const Ticket& ticket) {
    std::vector<Bytes> descriptors;
    for (const auto& [number, volume] : service_.store.find(ticket.transfer))
        if (auto bytes = service_.store.snapshot(volume).second; !bytes.empty()) descriptors.push_back(std::move(bytes));
    const auto layout = BodyLayout::from_body_len(ticket.body_len);
    if (!layout || descriptors.size() != layout->volumes()) return problem(Errc::conflict);
    const StoredReceipt receipt{service_.relay, ticket.transfer, content_root(descriptors), ticket.body_len, std::time(nullptr)};
    return {200, nlohmann::json{{"receipt", to_base64url(sign_stored(receipt, service_.seed))}}.dump(), "application/json", {}};
}

/// Every second: transfers past their own end are deleted, whatever the control plane says.
awaitable<void> enforce_ends(PieceStore& store) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (true) {
        timer.expires_after(std::chrono::seconds{1});
        co_await timer.async_wait(use_awaitable);
        for (const auto& id : store.past(std::time(nullptr))) store.purge(id);
    }
}

awaitable<void> listen(tcp::acceptor& acceptor, SSL_CTX* context, const Service& service, std::atomic<std::size_t>& open) {
    while (true) {
        auto socket = co_await acceptor.async_accept(asio::make_strand(acceptor.get_executor()), use_awaitable);
        if (open >= connections_max) continue;
        const auto executor = socket.get_executor();
        const auto connection = std::make_shared<Connection>(std::move(socket), context, service, open);
        asio::co_spawn(executor, [connection] { return connection->run(); }, asio::detached);
    }
}
} // namespace

void serve(const PiecesConfig& config, const Service& service) {
    const std::unique_ptr<SSL_CTX, TlsDeleter> context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") != 1 ||
        SSL_CTX_use_certificate_chain_file(context.get(), config.tls_certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context.get(), config.tls_private_key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("the TLS certificate or key cannot be used");
    std::atomic<std::size_t> open{0};
    asio::io_context io;
    tcp::acceptor acceptor(io, {asio::ip::make_address(config.listen_address), config.port});
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
    asio::co_spawn(io, listen(acceptor, context.get(), service, open), asio::detached);
    asio::co_spawn(io, enforce_ends(service.store), asio::detached);
    const std::jthread second([&] { io.run(); });
    io.run();
}

} // namespace plankurier::relay::pieces
