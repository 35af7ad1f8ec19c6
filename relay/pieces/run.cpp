// g++ 12 takes the paired operators of Asio's coroutine frames for mismatched once inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include <utility> // Boost 1.74 uses std::exchange without it

#include "relay/pieces/run.hpp"

#include "relay/pieces/census.hpp"
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

#include <sys/resource.h>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A line and, while a piece comes or goes, its file.
constexpr rlim_t files_max = 16'384;
constexpr std::size_t tls_buffer_bytes = 65'536;

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
    // Else each record costs two reads: one of five bytes, one of the rest.
    SSL_CTX_set_read_ahead(raw, 1);
    SSL_CTX_set_default_read_buffer_len(raw, tls_buffer_bytes);
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
        if (error) continue;
        auto seat = census.enter(end.address());
        if (!seat) continue; // closed by its destructor
        const auto executor = socket.get_executor();
        asio::co_spawn(executor,
                       serve_connection(std::move(socket), context, service, std::move(*seat)),
                       asio::detached);
    }
}

/// Who this relay is, and whom it obeys.
struct Identity {
    RelayId id;
    SigningSeed seed;
    SigningPublicKey control_key{};
};

Identity identity_of(const PiecesConfig& config) {
    const auto relay = RelayId::from_hex(content_of(config.relay_id_file));
    const std::string control_key = content_of(config.control_public_key_file);
    std::string seed_bytes = content_of(config.relay_seed_file);
    Identity out;
    if (!relay || control_key.size() != out.control_key.size() ||
        seed_bytes.size() != SigningSeed::size) {
        throw std::runtime_error("the relay's keys are damaged: run init");
    }
    out.id = *relay;
    out.seed = SigningSeed{as_bytes(seed_bytes)};
    std::copy_n(as_bytes(control_key).begin(), out.control_key.size(), out.control_key.begin());
    wipe(std::as_writable_bytes(std::span{seed_bytes}));
    return out;
}

} // namespace

struct PiecesProcess::State {
    explicit State(const PiecesConfig& config)
        : identity(identity_of(config)), context(tls_context(config)),
          control({config.control_socket, config.control_url, config.control_ca}, identity.id,
                  identity.seed.clone()),
          relays(identity.id), time(config.data_dir, !config.control_url.empty()),
          catalog(config.data_dir / "pieces"), committer(catalog), census(config.lines),
          threads(static_cast<int>(std::max(2U, std::thread::hardware_concurrency()))), io(threads),
          signals(io), acceptor(io, {asio::ip::make_address(config.listen_address), config.port}) {
        if (config.swarm_enabled) {
            const CopyingSettings settings{config.data_dir / "swarm.sock", config.control_ca,
                                           config.trusted_networks, config.disk_rest};
            copying = std::make_unique<Copying>(catalog, committer, relays, lease, control,
                                                settings, [this] { told_of_stored(); });
        }
        service =
            std::make_unique<Service>(Service::Parts{catalog, committer, lease, copying.get()},
                                      identity.id, identity.seed.clone(), identity.control_key);
        const std::scoped_lock lock{sync_mutex};
        sync = std::make_unique<Sync>(
            Sync::Parts{catalog, lease, time, relays, control, copying.get()},
            identity.seed.clone(), identity.control_key);
    }
    ~State() {
        // The sync commands the copying, and the copying nudges the sync.
        std::unique_ptr<Sync> ending;
        {
            const std::scoped_lock lock{sync_mutex};
            ending = std::move(sync);
        }
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void told_of_stored() {
        const std::scoped_lock lock{sync_mutex};
        if (sync) sync->nudge();
    }

    const Identity identity;
    const TlsContext context;
    Lease lease;
    ControlCalls control;
    Relays relays;
    OwnTime time;
    Catalog catalog;
    Committer committer;
    Census census;
    const int threads;
    std::unique_ptr<Service> service; ///< outlives the connections, which end with `io`
    asio::io_context io;              ///< outlives the copying, whose answers go to connections
    asio::signal_set signals;
    tcp::acceptor acceptor;
    std::mutex sync_mutex; ///< guards sync
    std::unique_ptr<Sync> sync;
    std::unique_ptr<Copying> copying;
};

PiecesProcess::PiecesProcess(const PiecesConfig& config)
    : state_(std::make_unique<State>(config)) {}
PiecesProcess::~PiecesProcess() = default;

void PiecesProcess::stop_at_signals() {
    state_->signals.add(SIGTERM);
    state_->signals.add(SIGINT);
    state_->signals.async_wait([this](const boost::system::error_code& error, int) {
        if (!error) stop();
    });
}

void PiecesProcess::run() {
    State& all = *state_;
    asio::co_spawn(all.io, accept_all(all.acceptor, all.context.get(), *all.service, all.census),
                   asio::detached);
    std::vector<std::jthread> workers;
    for (int i = 1; i < all.threads; ++i) workers.emplace_back([&] { all.io.run(); });
    all.io.run();
}

std::uint16_t PiecesProcess::port() const { return state_->acceptor.local_endpoint().port(); }

void PiecesProcess::stop() { state_->io.stop(); }

int run_pieces(const PiecesConfig& config) {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = std::min(files.rlim_max, files_max);
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    PiecesProcess process{config};
    process.stop_at_signals();
    process.run();
    return 0;
}

} // namespace plankurier::relay::pieces
