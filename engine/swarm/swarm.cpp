#include "engine/swarm/certificate.hpp"
#include "engine/swarm/control.hpp"
#include "engine/swarm/session_settings.hpp"
#include "engine/swarm/torrent.hpp"

#include <plankurier/swarm.hpp>

#include <libtorrent/session.hpp>
#include <libtorrent/torrent_info.hpp>

#include <stdexcept>

namespace plankurier {

using namespace swarm;

struct Swarm::State {
    SwarmSettings settings;
    lt::ip_filter allowed;
    Counters counters;
    Door door; ///< outlives the session, whose plugins call it
    Control control;
    Disk* disk{}; ///< of the session
    std::atomic<std::uint64_t> loads{};
    std::uint16_t port{};
    std::unique_ptr<lt::session> session;

    State(const SwarmSettings& wanted, Listener listener)
        : settings(wanted),
          control(std::move(listener), std::chrono::seconds{wanted.quiet_after_s}) {
        lt::error_code error;
        lt::make_address(settings.listen_address, error);
        if (error) throw std::runtime_error("the swarm's address is not a numeric one");
        if (settings.workers == 0) throw std::runtime_error("the swarm needs a worker");
        if (!settings.tls) {
            if (settings.peers_allowed.empty()) {
                throw std::runtime_error("plain TCP needs addresses that are allowed");
            }
            allowed = filter_for(settings.peers_allowed);
        }
        open();
    }

    void open() {
        lt::session_params parameters{session_settings(settings), {}};
        parameters.disk_io_constructor = [this](lt::io_context& io, const lt::settings_interface&,
                                                lt::counters&) {
            auto made = std::make_unique<Disk>(io, settings, counters,
                                               [this](const DiskVolume& volume, SwarmEvent event) {
                                                   Note note;
                                                   note.kind = Note::Kind::report;
                                                   note.volume = volume.about.name;
                                                   note.load = volume.load;
                                                   note.event = std::move(event);
                                                   control.notify(std::move(note));
                                               });
            disk = made.get();
            return made;
        };
        // Paused, so that nobody is let in before the filters stand.
        session = std::make_unique<lt::session>(std::move(parameters), lt::session::paused);
        session->set_ip_filter(allowed);
        session->set_peer_class_filter(everybody_limited());
        session->resume();
        port = settings.tls ? session->ssl_listen_port() : session->listen_port();
        if (port == 0) throw std::runtime_error("the swarm cannot listen on its port");
        door.watch(port);
    }

    Result<std::shared_ptr<Loaded>> load(const SwarmVolume& volume,
                                         std::shared_ptr<VolumeBacking> backing, std::uint64_t have,
                                         const SwarmCertificate* certificate) {
        auto loaded = std::make_shared<Loaded>();
        loaded->all = ~std::uint64_t{0} >> (64 - volume.piece_roots.size());
        loaded->have = have & loaded->all;
        loaded->disk =
            std::make_shared<DiskVolume>(volume, ++loads, std::move(backing), loaded->have);
        if (certificate != nullptr) {
            loaded->certificate = certificate->certificate;
            loaded->private_key = certificate->private_key.clone();
        }
        auto parameters = torrent_of(
            volume, certificate != nullptr ? certificate->authority : std::string{}, loaded->have);
        parameters.extensions.push_back(
            [watch = watch_volume(loaded->disk, counters, door, [this](Note note) {
                 control.notify(std::move(note));
             })](const lt::torrent_handle&, lt::client_data_t) { return watch; });
        const lt::sha1_hash hash = parameters.ti->info_hashes().get_best();
        disk->expect(hash, loaded->disk);
        lt::error_code error;
        loaded->handle = session->add_torrent(std::move(parameters), error);
        if (error) {
            disk->forget(hash);
            return fail(Errc::invalid_argument, "torrent");
        }
        return loaded;
    }

    void remove(const VolumeName& name) {
        const std::shared_ptr<Loaded> taken = control.take(name);
        if (!taken) return;
        const std::future<void> gone = taken->disk->gone.get_future();
        taken->disk->closing = true;
        session->remove_torrent(taken->handle);
        gone.wait();
    }

    void close() {
        for (const VolumeName& name : control.names()) remove(name);
        session.reset();
        control.stop();
    }
};

Swarm::Swarm(const SwarmSettings& settings, Listener listener)
    : state_(std::make_unique<State>(settings, std::move(listener))) {}

Swarm::~Swarm() { state_->close(); }

std::uint16_t Swarm::port() const noexcept { return state_->port; }

Result<void> Swarm::add(const SwarmVolume& volume, std::shared_ptr<VolumeBacking> backing,
                        std::uint64_t have, const SwarmCertificate* certificate) {
    if (auto good = check_volume(volume); !good) return good;
    if (!backing || (certificate != nullptr) != state_->settings.tls) {
        return fail(Errc::invalid_argument, "certificate");
    }
    if (certificate != nullptr) {
        auto good = check_certificate(*certificate, volume.name.transfer);
        if (!good) return good;
    }
    return state_->control.add(
        volume.name, [&] { return state_->load(volume, std::move(backing), have, certificate); });
}

Result<void> Swarm::connect(const VolumeName& volume, const std::string& address,
                            std::uint16_t port) {
    lt::error_code error;
    const lt::address parsed = lt::make_address(address, error);
    if (error || port == 0 || (state_->allowed.access(parsed) & lt::ip_filter::blocked) != 0) {
        return fail(Errc::invalid_argument, "address of a peer");
    }
    return state_->control.connect(volume, {parsed, port});
}

void Swarm::remove(const VolumeName& volume) { state_->remove(volume); }

Swarm::Totals Swarm::totals() const {
    const Counters& counters = state_->counters;
    Totals out;
    out.sent_bytes = counters.sent_bytes;
    const std::uint64_t taken = counters.taken_bytes;
    out.received_bytes = std::max<std::uint64_t>(counters.received_bytes, taken);
    out.redundant_bytes = out.received_bytes - taken;
    out.volumes = state_->control.names().size();
    out.peers = counters.peers;
    out.pool_bytes = state_->disk->pool_bytes();
    return out;
}

std::map<std::string, std::int64_t> Swarm::live_settings() const {
    const lt::settings_pack pack = state_->session->get_settings();
    std::map<std::string, std::int64_t> out;
    const auto add = [&](int first, int count, const auto& value) {
        for (int name = first; name < first + count; ++name) {
            const std::string text = lt::name_for_setting(name);
            if (!text.empty()) out[text] = value(name);
        }
    };
    add(lt::settings_pack::int_type_base, lt::settings_pack::num_int_settings,
        [&](int name) { return std::int64_t{pack.get_int(name)}; });
    add(lt::settings_pack::bool_type_base, lt::settings_pack::num_bool_settings,
        [&](int name) { return std::int64_t{pack.get_bool(name)}; });
    return out;
}

} // namespace plankurier
