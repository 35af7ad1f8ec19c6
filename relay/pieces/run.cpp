// g++ 12 takes the paired operators of Asio's coroutine frames for mismatched once inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include <utility> // Boost 1.74 uses std::exchange without it

#include "relay/pieces/run.hpp"

#include "relay/pieces/connection.hpp"
#include "relay/pieces/sync.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t connections_max = 1'024;
constexpr std::size_t connections_per_address_max = 64;

struct FreeContext {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeContext>;

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw std::runtime_error(file.filename().string() + " cannot be read");
    return {std::istreambuf_iterator<char>{in}, {}};
}

TlsContext tls_context(const PiecesConfig& config) {
    TlsContext context{SSL_CTX_new(TLS_server_method())};
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // AES-128 first: the content is under AES-256 already, and it is cheaper here.
    const bool good =
        SSL_CTX_set_ciphersuites(raw, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
        SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:!aNULL") == 1 &&
        SSL_CTX_use_certificate_chain_file(raw, config.tls_certificate.c_str()) == 1 &&
        SSL_CTX_use_PrivateKey_file(raw, config.tls_private_key.c_str(), SSL_FILETYPE_PEM) == 1;
    if (!good) {
        throw std::runtime_error("the TLS certificate or key of the piece plane cannot be used: "
                                 "see pieces.certificate and pieces.private_key");
    }
    return context;
}

/// How many connections there are, in all and from each address. Thread safe.
class Census {
public:
    bool enter(const asio::ip::address& address) {
        const std::scoped_lock lock{mutex_};
        std::size_t& here = by_address_[address];
        if (all_ >= connections_max || here >= connections_per_address_max) {
            if (here == 0) by_address_.erase(address);
            return false;
        }
        ++all_;
        ++here;
        return true;
    }
    void leave(const asio::ip::address& address) {
        const std::scoped_lock lock{mutex_};
        --all_;
        if (--by_address_[address] == 0) by_address_.erase(address);
    }

private:
    std::mutex mutex_; ///< guards both
    std::map<asio::ip::address, std::size_t> by_address_;
    std::size_t all_{};
};

asio::awaitable<void> accept_all(tcp::acceptor& acceptor, SSL_CTX* context, Service& service,
                                 Census& census) {
    for (;;) {
        boost::system::error_code error;
        auto socket =
            co_await acceptor.async_accept(asio::make_strand(acceptor.get_executor()),
                                           asio::redirect_error(asio::use_awaitable, error));
        if (error) {
            // Out of descriptors, most likely: a short rest instead of a busy loop.
            asio::steady_timer rest{acceptor.get_executor(), std::chrono::milliseconds{100}};
            co_await rest.async_wait(asio::use_awaitable);
            continue;
        }
        const auto end = socket.remote_endpoint(error);
        if (error || !census.enter(end.address())) continue; // closed by its destructor
        const auto executor = socket.get_executor();
        asio::co_spawn(executor, serve_connection(std::move(socket), context, service),
                       [&census, address = end.address()](const std::exception_ptr&) {
                           census.leave(address);
                       });
    }
}

} // namespace

int run_pieces(const PiecesConfig& config) {
    const TlsContext context = tls_context(config);
    const auto relay = RelayId::from_hex(content_of(config.relay_id_file));
    const std::string control_key = content_of(config.control_public_key_file);
    std::string seed_bytes = content_of(config.relay_seed_file);
    SigningPublicKey key{};
    if (!relay || control_key.size() != key.size() || seed_bytes.size() != SigningSeed::size) {
        throw std::runtime_error("the relay's keys are damaged: run init");
    }
    std::copy_n(as_bytes(control_key).begin(), key.size(), key.begin());
    const SigningSeed seed{as_bytes(seed_bytes)};
    wipe(std::as_writable_bytes(std::span{seed_bytes}));

    Catalog catalog{config.data_dir / "pieces"};
    Committer committer{catalog};
    Service service{catalog, committer, *relay, seed.clone(), key};
    Census census;
    const int threads = static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
    asio::io_context io{threads};
    tcp::acceptor acceptor{io, {asio::ip::make_address(config.listen_address), config.port}};
    asio::signal_set signals{io, SIGTERM, SIGINT};
    signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
    asio::co_spawn(io, accept_all(acceptor, context.get(), service, census), asio::detached);
    const Sync sync{catalog, config.control_socket, *relay, seed.clone()};
    std::vector<std::jthread> workers;
    for (int i = 1; i < threads; ++i) workers.emplace_back([&] { io.run(); });
    io.run();
    return 0;
}

} // namespace plankurier::relay::pieces
