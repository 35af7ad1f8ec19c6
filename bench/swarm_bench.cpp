/// One side of a copy between two relays over plain TCP on loopback: ours, or stock libtorrent with
/// its own disk code, set up as well as we know. bench/swarm-compare runs both and compares.

#include <plankurier/swarm.hpp>

#include <boost/program_options.hpp>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_info.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <iostream>
#include <mutex>

namespace {

using namespace plankurier;
namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;

struct Options {
    std::string side{"ours"}, role{"serve"}, source, target;
    std::uint16_t port{};
    std::uint64_t pool_mib{64};
    unsigned workers{2}, window{4};
};

/// The body that `source` would be: its size, which must fit, and all roots.
struct Body {
    std::uint64_t piece_bytes{};
    std::vector<Hash256> roots;

    explicit Body(const std::string& file) {
        const std::uint64_t size = std::filesystem::file_size(file);
        piece_bytes = size < std::uint64_t{64} << 20  ? segment_bytes
                      : size < std::uint64_t{1} << 30 ? segment_bytes * 4
                                                      : segment_bytes * 16;
        if (size == 0 || size % piece_bytes != 0) throw std::runtime_error("not whole pieces");
        const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        Bytes segment(segment_bytes);
        PieceHasher hasher;
        for (std::uint64_t at = 0; at < size; at += segment_bytes) {
            if (::pread(fd, segment.data(), segment.size(), static_cast<off_t>(at)) !=
                static_cast<ssize_t>(segment.size())) {
                throw std::runtime_error("cannot read");
            }
            hasher.update(segment);
            if ((at + segment_bytes) % piece_bytes == 0) roots.push_back(hasher.finish());
        }
        ::close(fd);
    }
};

struct Used {
    Clock::time_point begun{Clock::now()};
    double cpu{cpu_seconds()};

    static double cpu_seconds() {
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        const auto seconds = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        };
        return seconds(used.ru_utime) + seconds(used.ru_stime);
    }
    void report(std::uint64_t bytes) const {
        const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
        std::cout << nlohmann::json{{"seconds", seconds},
                                    {"mb_per_s", static_cast<double>(bytes) / seconds / 1e6},
                                    {"cpu_s", cpu_seconds() - cpu}}
                  << std::endl;
    }
};

/// Until the other end of standard input is closed.
void wait_until_closed() {
    std::string line;
    std::getline(std::cin, line);
}

void serve_until_closed(std::uint16_t port) {
    std::cout << nlohmann::json{{"port", port}} << std::endl;
    wait_until_closed();
}

/// A volume file, as a relay would have it, that is a part of the whole file here.
class PartBacking final : public VolumeBacking {
public:
    PartBacking(std::shared_ptr<VolumeBacking> whole, std::uint64_t offset)
        : whole_(std::move(whole)), offset_(offset) {}
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) override {
        return whole_->read(offset_ + offset, out);
    }
    Result<void> write(std::uint64_t offset, std::span<std::byte> segment) override {
        return whole_->write(offset_ + offset, segment);
    }

private:
    std::shared_ptr<VolumeBacking> whole_;
    std::uint64_t offset_;
};

class Ours {
public:
    explicit Ours(const Options& options)
        : options_(options), body_(options.source), swarm_(settings(options), [this](auto& event) {
              const std::scoped_lock lock{mutex_};
              events_.push_back(event);
              more_.notify_all();
          }) {}

    int run() {
        const bool serve = options_.role == "serve";
        const std::string& file = serve ? options_.source : options_.target;
        whole_ = stored_backing(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (serve) {
            for (std::uint32_t i = 0; i < volumes(); ++i) add(i, ~std::uint64_t{0});
            for (std::uint32_t i = 0; i < volumes(); ++i) wait(SwarmEvent::Kind::ready);
            serve_until_closed(swarm_.port());
            return 0;
        }
        const Used used;
        std::uint32_t next = 0;
        for (; next < std::min(options_.window, volumes()); ++next) fetch(next);
        for (std::uint32_t done = 0; done < volumes(); ++done) {
            const VolumeName name = wait(SwarmEvent::Kind::complete);
            if (next < volumes()) fetch(next++);
            swarm_.remove(name);
        }
        used.report(body_.roots.size() * body_.piece_bytes);
        wait_until_closed(); // its peak of memory is looked at
        return 0;
    }

private:
    static SwarmSettings settings(const Options& options) {
        SwarmSettings out;
        out.tls = false;
        out.peers_allowed = {"127.0.0.1"};
        out.pool_bytes_max = options.pool_mib << 20;
        out.workers = options.workers;
        return out;
    }
    [[nodiscard]] std::uint32_t volumes() const {
        return static_cast<std::uint32_t>((body_.roots.size() + volume_pieces_max - 1) /
                                          volume_pieces_max);
    }
    void add(std::uint32_t number, std::uint64_t have) {
        const auto first = body_.roots.begin() + number * volume_pieces_max;
        const auto left = body_.roots.end() - first;
        SwarmVolume volume;
        volume.name.volume = number;
        volume.piece_bytes = body_.piece_bytes;
        volume.piece_roots.assign(first, first + std::min<std::ptrdiff_t>(left, volume_pieces_max));
        const std::uint64_t offset = number * volume_pieces_max * body_.piece_bytes;
        if (!swarm_.add(volume, std::make_shared<PartBacking>(whole_, offset), have, nullptr)) {
            throw std::runtime_error("a volume was refused");
        }
    }
    void fetch(std::uint32_t number) {
        add(number, 0);
        VolumeName name;
        name.volume = number;
        if (!swarm_.connect(name, "127.0.0.1", options_.port)) throw std::runtime_error("refused");
    }
    VolumeName wait(SwarmEvent::Kind kind) {
        std::unique_lock lock{mutex_};
        for (;;) {
            more_.wait(lock, [this] { return !events_.empty(); });
            const SwarmEvent event = events_.front();
            events_.pop_front();
            if (event.kind == SwarmEvent::Kind::failed) throw std::runtime_error("failed");
            if (event.kind == kind) return event.volume;
        }
    }

    const Options& options_;
    Body body_;
    std::mutex mutex_; ///< guards events_
    std::condition_variable more_;
    std::deque<SwarmEvent> events_;
    std::shared_ptr<VolumeBacking> whole_;
    Swarm swarm_;
};

lt::settings_pack stock_settings() {
    using Pack = lt::settings_pack;
    Pack pack;
    for (const int name :
         {Pack::enable_dht, Pack::enable_lsd, Pack::enable_upnp, Pack::enable_natpmp,
          Pack::enable_incoming_utp, Pack::enable_outgoing_utp, Pack::enable_ip_notifier}) {
        pack.set_bool(name, false);
    }
    pack.set_str(Pack::listen_interfaces, "127.0.0.1:0");
    pack.set_bool(Pack::allow_multiple_connections_per_ip, true);
    pack.set_int(Pack::out_enc_policy, Pack::pe_disabled);
    pack.set_int(Pack::in_enc_policy, Pack::pe_disabled);
    pack.set_int(Pack::alert_mask, static_cast<int>(static_cast<std::uint32_t>(
                                       lt::alert_category::status | lt::alert_category::error)));
    pack.set_int(Pack::send_buffer_watermark, 16 << 20);
    pack.set_int(Pack::send_buffer_low_watermark, 1 << 20);
    pack.set_int(Pack::send_buffer_watermark_factor, 150);
    pack.set_int(Pack::max_out_request_queue, 4'000);
    pack.set_int(Pack::max_allowed_in_request_queue, 8'000);
    pack.set_int(Pack::request_queue_time, 5);
    pack.set_int(Pack::aio_threads, 4);
    pack.set_int(Pack::hashing_threads, 2);
    pack.set_int(Pack::max_queued_disk_bytes, 128 << 20);
    pack.set_int(Pack::unchoke_slots_limit, -1);
    return pack;
}

/// Both sides name the same torrent "payload", in the folders of their files.
lt::add_torrent_params stock_torrent(const Options& options, const Body& body) {
    lt::file_storage files;
    const auto size = static_cast<std::int64_t>(body.roots.size() * body.piece_bytes);
    files.add_file("payload", size);
    lt::create_torrent maker{files, static_cast<int>(body.piece_bytes),
                             lt::create_torrent::v2_only};
    maker.set_priv(true);
    maker.set_creation_date(0);
    for (std::size_t i = 0; i < body.roots.size(); ++i) {
        maker.set_hash2(lt::file_index_t{0}, lt::piece_index_t::diff_type{static_cast<int>(i)},
                        lt::sha256_hash{reinterpret_cast<const char*>(body.roots[i].data())});
    }
    std::vector<char> encoded;
    lt::bencode(std::back_inserter(encoded), maker.generate());
    lt::add_torrent_params out;
    out.ti = std::make_shared<lt::torrent_info>(encoded, lt::from_span);
    out.flags = lt::torrent_flags::paused;
    const bool serve = options.role == "serve";
    out.save_path = std::filesystem::path{serve ? options.source : options.target}.parent_path();
    if (serve) {
        out.flags |= lt::torrent_flags::seed_mode;
        out.verified_pieces.resize(out.ti->num_pieces(), true);
    }
    return out;
}

template <typename Alert>
void wait_for(lt::session& session) {
    for (;;) {
        session.wait_for_alert(std::chrono::milliseconds{100});
        std::vector<lt::alert*> alerts;
        session.pop_alerts(&alerts);
        for (const lt::alert* alert : alerts) {
            if (lt::alert_cast<lt::torrent_error_alert>(alert) != nullptr) {
                throw std::runtime_error("stock: failed");
            }
            if (lt::alert_cast<Alert>(alert) != nullptr) return;
        }
    }
}

int run_stock(const Options& options) {
    const Body body{options.source};
    lt::session session{lt::session_params{stock_settings(), {}}};
    const auto parameters = stock_torrent(options, body);
    const Used used;
    lt::torrent_handle handle = session.add_torrent(parameters);
    wait_for<lt::torrent_checked_alert>(session);
    if (options.role == "serve") {
        handle.resume();
        serve_until_closed(session.listen_port());
        return 0;
    }
    handle.connect_peer({lt::make_address("127.0.0.1"), options.port});
    handle.resume();
    wait_for<lt::torrent_finished_alert>(session);
    used.report(body.roots.size() * body.piece_bytes);
    wait_until_closed();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    Options options;
    po::options_description described{"plankurier-swarm-bench [options]"};
    auto add = described.add_options();
    add("help", "this text");
    add("side", po::value(&options.side), "ours or stock");
    add("role", po::value(&options.role), "serve or fetch");
    add("source", po::value(&options.source), "the file; fetch takes only the roots from it");
    add("target", po::value(&options.target), "fetch: where it goes");
    add("port", po::value(&options.port), "fetch: of the serving side");
    add("pool-mib", po::value(&options.pool_mib), "ours: memory for segments");
    add("workers", po::value(&options.workers), "ours: threads");
    add("window", po::value(&options.window), "ours: volumes at once");
    try {
        po::variables_map values;
        po::store(po::parse_command_line(argc, argv, described), values);
        po::notify(values);
        if (values.contains("help") || options.source.empty()) {
            std::cout << described;
            return values.contains("help") ? 0 : 1;
        }
        return options.side == "stock" ? run_stock(options) : Ours{options}.run();
    } catch (const std::exception& error) {
        std::cerr << "plankurier-swarm-bench: " << error.what() << '\n';
        return 1;
    }
}
