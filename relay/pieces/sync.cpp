#include <utility> // Boost 1.74 uses std::exchange without it

#include "relay/pieces/sync.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include <sys/socket.h>
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using nlohmann::json;

constexpr std::size_t ids_max = 500;

/// One small call over the Unix socket; ten seconds without a byte end it.
std::string post(const std::filesystem::path& socket_file, const std::string& body) {
    asio::io_context context;
    asio::local::stream_protocol::socket socket{context};
    socket.connect(socket_file.string());
    const timeval time{10, 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    beast_http::request<beast_http::string_body> request{beast_http::verb::post, "/v1/relay/sync",
                                                         11};
    request.set(beast_http::field::host, "localhost");
    request.set(beast_http::field::connection, "close");
    request.body() = body;
    request.prepare_payload();
    beast_http::write(socket, request);
    boost::beast::flat_buffer buffer;
    beast_http::response<beast_http::string_body> response;
    beast_http::read(socket, buffer, response);
    if (response.result_int() != 200) throw std::runtime_error("control refuses sync");
    return response.body();
}

} // namespace

Sync::Sync(Catalog& catalog, std::filesystem::path control_socket, RelayId relay, SigningSeed seed)
    : catalog_(catalog), control_socket_(std::move(control_socket)), relay_(relay),
      seed_(std::move(seed)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

std::string Sync::request_text() {
    const std::vector<TransferId> all = catalog_.transfers();
    json holds = json::array();
    for (std::size_t i = 0; i < std::min(ids_max, all.size()); ++i) {
        holds.push_back(all[(rotation_ + i) % all.size()].hex());
    }
    rotation_ = all.empty() ? 0 : (rotation_ + ids_max) % all.size();
    json gone = json::array();
    told_ = std::min(ids_max, gone_.size());
    for (std::size_t i = 0; i < told_; ++i) {
        gone.push_back(to_base64url(sign_gone({relay_, gone_[i], std::time(nullptr)}, seed_)));
    }
    const std::string inner = json{
        {"time", std::time(nullptr)},
        {"after", catalog_.sync_sequence()},
        {"holds", holds},
        {"gone", gone}}.dump();
    std::string statement{"plankurier/1 sync"};
    statement += '\0';
    statement += inner;
    return json{{"relay", relay_.hex()},
                {"request", inner},
                {"signature", to_base64url(sign(seed_, as_bytes(statement)))}}
        .dump();
}

void Sync::obey(const std::string& text) {
    const json answer = json::parse(text);
    // The last request's statements have arrived.
    gone_.erase(gone_.begin(), gone_.begin() + static_cast<std::ptrdiff_t>(told_));
    for (const json& one : answer.at("tombstones")) {
        const auto id = TransferId::from_hex(one.get<std::string>());
        if (!id) throw std::runtime_error("control sends no ids");
        catalog_.purge(*id);
        if (std::ranges::find(gone_, *id) == gone_.end()) gone_.push_back(*id);
    }
    catalog_.set_sync_sequence(answer.at("seq").get<std::int64_t>());
}

void Sync::once() {
    for (const TransferId& id : catalog_.purge_overdue(std::time(nullptr))) gone_.push_back(id);
    obey(post(control_socket_, request_text()));
}

void Sync::run(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any pause;
    std::unique_lock lock{mutex};
    bool complained = false;
    while (!stop.stop_requested()) {
        try {
            once();
            complained = false;
        } catch (const std::exception& error) {
            // The control plane may be starting; its absence stops no reading and no writing.
            if (!std::exchange(complained, true))
                std::fprintf(stderr, "pieces: sync: %s\n", error.what());
        }
        pause.wait_for(lock, stop, std::chrono::seconds{1}, [] { return false; });
    }
}

} // namespace plankurier::relay::pieces
