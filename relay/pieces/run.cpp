// g++ 12 takes the paired operators of Asio's coroutine frames for mismatched once inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include <utility> // Boost 1.74 uses std::exchange without it

#include "relay/pieces/run.hpp"

#include "relay/pieces/census.hpp"
#include "relay/pieces/connection.hpp"
#include "relay/pieces/scrubber.hpp"
#include "relay/pieces/server_tls.hpp"
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
#include <sys/stat.h>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A line and, while a piece comes or goes, its file.
constexpr rlim_t files_max = 16'384;

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw std::runtime_error(file.filename().string() + " cannot be read");
    return {std::istreambuf_iterator<char>{in}, {}};
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

std::filesystem::path folder_of(const PiecesConfig& config) {
    return config.pieces_dir.empty() ? config.data_dir / "pieces" : config.pieces_dir;
}

/// The control plane's, where both write to one file system.
std::filesystem::path reserve_folder_of(const PiecesConfig& config) {
    const auto folder = folder_of(config);
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    struct stat here {
    }, data{};
    const bool one = ::stat(folder.c_str(), &here) == 0 &&
                     ::stat(config.data_dir.c_str(), &data) == 0 && here.st_dev == data.st_dev;
    return one ? config.data_dir : folder;
}

tcp::acceptor listen_at(asio::io_context& io, const PiecesConfig& config) {
    try {
        return {io, {asio::ip::make_address(config.listen_address), config.port}};
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error("pieces: nothing can listen at " + config.listen_address +
                                 " port " + std::to_string(config.port) + ": " +
                                 error.code().message());
    }
}

} // namespace

struct PiecesProcess::State {
    explicit State(const PiecesConfig& config)
        : identity(identity_of(config)),
          context(server_tls(config.tls_certificate, config.tls_private_key)),
          control({config.control_socket, config.control_url, config.control_ca}, identity.id,
                  identity.seed.clone()),
          relays(identity.id), time(config.data_dir, !config.control_url.empty()),
          reserves({reserve_folder_of(config)}, config.reserve_bytes, "pieces"),
          catalog(folder_of(config), &reserves), committer(catalog), census(config.lines),
          threads(static_cast<int>(std::max(2U, std::thread::hardware_concurrency()))), io(threads),
          signals(io), acceptor(listen_at(io, config)) {
        if (config.swarm_enabled) {
            const CopyingSettings settings{config.data_dir / "swarm.sock", config.control_ca,
                                           config.trusted_networks, config.disk_rest,
                                           config.heal_bytes_per_s};
            copying = std::make_unique<Copying>(catalog, committer, relays, lease, control,
                                                settings, [this] { told_of_stored(); });
        }
        service =
            std::make_unique<Service>(Service::Parts{catalog, committer, lease, copying.get()},
                                      identity.id, identity.seed.clone(), identity.control_key);
        {
            const std::scoped_lock lock{sync_mutex};
            sync = std::make_unique<Sync>(
                Sync::Parts{catalog, lease, time, relays, control, copying.get()},
                identity.seed.clone(), identity.control_key);
        }
        scrubber = std::make_unique<Scrubber>(
            catalog, lease,
            Scrubber::Settings{config.data_dir / "request.scrub", config.scrub_days,
                               config.scrub_bytes_per_s},
            Scrubber::News{[this](const Catalog::VolumeId& volume) {
                               if (copying) copying->unload({volume.first, volume.second});
                           },
                           [this] { told_of_stored(); },
                           [this](const TransferId& transfer) {
                               if (copying) copying->let_go(transfer);
                           }});
    }
    ~State() {
        scrubber.reset(); // it tells the two below
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
    const ServerTls context;
    Lease lease;
    ControlCalls control;
    Relays relays;
    OwnTime time;
    adapters::Reserves reserves;
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
    adapters::ReserveWatch reserve_watch{reserves};
    std::unique_ptr<Scrubber> scrubber;
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
