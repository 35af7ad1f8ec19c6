#include "relay/adapters/files.hpp"
#include "relay/adapters/local.hpp"
#include "relay/adapters/mailers.hpp"
#include "relay/adapters/sqlite_store.hpp"
#include "relay/adapters/swarm_authority.hpp"
#include "relay/adapters/vault_file.hpp"
#include "relay/http/routes.hpp"
#include "relay/http/server.hpp"
#include "relay/node_commands.hpp"
#include "relay/relay_watch.hpp"
#include "relay/requests.hpp"
#include "relay/roles.hpp"
#include "relay/room_guard.hpp"
#include "relay/space_watch.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace plankurier::relay {

namespace {

template <typename SecretType>
SecretType secret_file(const std::filesystem::path& file) {
    auto raw = adapters::read_file(file);
    if (!raw || raw->size() != SecretType::size) {
        throw std::runtime_error(file.filename().string() + " is missing or damaged: run init");
    }
    SecretType out{ByteView{*raw}};
    wipe(*raw);
    return out;
}

std::unique_ptr<Mailer> mailer_for(const Config& config, Clock& clock) {
    if (config.smtp_url.empty()) {
        std::fprintf(stderr,
                     "control: mails lie in the folder DATA/mail, in clear: that is for trials "
                     "only. Set mail.smtp_url\n");
        return std::make_unique<adapters::FolderMailer>(config.mail_dir, config.mail_from, clock);
    }
    adapters::SmtpSettings settings;
    settings.url = config.smtp_url;
    settings.user = config.smtp_user;
    settings.ca_file = config.smtp_ca_file;
    settings.bounce = config.mail_bounce;
    settings.require_tls = config.smtp_require_tls;
    if (!config.smtp_password_file.empty()) {
        auto raw = adapters::read_file(config.smtp_password_file);
        if (!raw) throw std::runtime_error("mail.password_file cannot be read");
        std::string_view text = as_text(*raw);
        while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
        settings.password = SecretText{text};
        wipe(*raw);
    }
    return std::make_unique<adapters::SmtpMailer>(std::move(settings), config.mail_from, clock);
}

/// For what each start does anyway: a request that comes meanwhile must not be taken with this one.
bool take_request(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) return false;
    adapters::remove_durably(file);
    return true;
}

void write_status(const Config& config, const Store::Counts& counts, Relay& relay,
                  const std::vector<RelayRoom>& rooms, const std::vector<RelayReport>& reports,
                  std::size_t reserves_given_up) {
    const CopyCounts copies = relay.copy_counts();
    const std::string text =
        "uploading " + std::to_string(counts.uploading) + "\navailable " +
        std::to_string(counts.available) + "\nmails_waiting " + std::to_string(counts.mails_due) +
        "\npurged_total " + std::to_string(counts.tombstones) + "\npurged_not_confirmed " +
        std::to_string(copies.not_gone) + "\ncopies_missing " + std::to_string(copies.missing) +
        "\nquarantined " + std::to_string(counts.quarantined) + "\nrelays_live " +
        std::to_string(copies.relays_live) + "\nrelays_known " +
        std::to_string(copies.relays_known) + "\n" + space_status(rooms) +
        relay_status(reports, rooms, counts) + "reserves_given_up " +
        std::to_string(reserves_given_up) + "\ncodes_left " +
        std::to_string(relay.code_budget().left) + "\nclock_trusted " +
        std::to_string(static_cast<int>(relay.is_clock_trusted())) + "\nclock_ahead_s " +
        std::to_string(relay.clock_ahead_s()) + "\n";
    // A report, not a promise: it is replaced every tick and need not survive a power cut.
    const auto half = config.data_dir / "status.new";
    std::ofstream out{half, std::ios::trunc};
    out << text;
    out.close();
    if (out) std::filesystem::rename(half, config.data_dir / "status"); // never half of it
}

/// Every transfer hangs on it, and its loss would end them all: it is never made anew unasked.
adapters::Db open_database(const Config& config) {
    return adapters::open_kept(config.database(), config.vault_dir / "vault");
}

/// Everything of the control plane, wired once.
class ControlPlane {
public:
    explicit ControlPlane(const Config& config)
        : config_(config), reserves_(folders_of(config), config.reserve_bytes, "control"),
          time_file_(config.data_dir / "trusted-time"), clock_(machine_, time_file_),
          mailer_(mailer_for(config, clock_)), db_(open_database(config)), store_(db_),
          vault_(config.vault_dir / "vault"), envelopes_(config.data_dir / "envelopes"),
          audit_(config.data_dir / "audit.log"), authority_(config.keys(), clock_.now()),
          relay_({clock_, *mailer_, vault_, envelopes_, store_, audit_, authority_}, config.policy,
                 secret_file<SigningSeed>(config.keys() / "control.seed"),
                 secret_file<Secret<32, PepperTag>>(config.keys() / "pepper"), relays(config)),
          router_(relay_, published_, mutex_), limits_(config.requests),
          server_(
              [this](const http::Request& request) {
                  return limits_.handle(request, [this](const http::Request& one) {
                      return with_room(reserves_, one, [this](const http::Request& again) {
                          return router_.handle(again);
                      });
                  });
              },
              clock_),
          reserve_watch_(reserves_) {
        published_.relay_here = registered_relays(config).relays.front().id;
        reload_directory();
        server_.bind(config.control_socket);
    }

    void serve() { server_.run(); }
    void stop() { server_.stop(); }

    void tick() {
        const std::scoped_lock lock{mutex_};
        if (take_request(config_.data_dir / "request.reload")) {
            reload_directory();
            relay_.set_relays(relays(config_));
        }
        obey_request(config_.data_dir, "clock", [&] { relay_.accept_clock(); });
        obey_request(config_.data_dir, "purge", [&] { relay_.purge_now(true); });
        relay_.tick_expiry();
        const std::vector<RelayRoom> rooms = relay_.rooms();
        for (const std::string& line : space_watch_.news(rooms)) {
            std::fprintf(stderr, "control: %s\n", line.c_str());
        }
        const std::vector<RelayReport> reports = relay_.relay_reports();
        const Store::Counts counts = store_.counts();
        for (const std::string& line : relay_watch_.news(reports, counts)) {
            std::fprintf(stderr, "control: %s\n", line.c_str());
        }
        write_status(config_, counts, relay_, rooms, reports, reserves_.given_up());
        take_bounces(); // last: a folder that cannot be read must not keep anything from its end
    }

    void deliver_mails() {
        std::unique_lock lock{mutex_};
        auto mails = relay_.due_mails();
        lock.unlock();
        for (DueMail& due : mails) {
            // Without the lock: a mail server may take its time, and requests go on.
            Delivery delivery = mailer_->deliver(due.mail);
            const bool by_folder = config_.smtp_url.empty();
            if (delivery == Delivery::later && by_folder && reserves_.make_room()) {
                delivery = mailer_->deliver(due.mail);
            }
            lock.lock();
            relay_.mail_done(std::move(due), delivery);
            lock.unlock();
        }
    }

private:
    static std::vector<KnownRelay> relays(const Config& config) {
        RegisteredRelays registered = registered_relays(config);
        if (registered.damaged != 0) {
            std::fprintf(stderr, "control: %zu records of relays are damaged, see `node list`\n",
                         registered.damaged);
        }
        return std::move(registered.relays);
    }

    /// What `plankurier-relay bounce` has left here.
    void take_bounces() {
        const auto folder = config_.bounces();
        if (!std::filesystem::exists(folder)) return;
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator{folder}) {
            // Not what is being written just now.
            if (!entry.path().filename().native().starts_with(".")) files.push_back(entry.path());
        }
        for (const auto& file : files) {
            if (const auto mail = adapters::read_file(file)) relay_.bounced(as_text(*mail));
            adapters::erase_durably(file);
        }
    }

    void reload_directory() {
        auto installed = installed_directory(config_);
        if (!installed) return;
        published_.directory = std::move(installed->bundle);
        relay_.set_directory(std::move(installed->directory));
    }

    static std::vector<std::filesystem::path> folders_of(const Config& config) {
        return {config.data_dir, config.database_dir, config.vault_dir,
                config.data_dir / "envelopes", config.mail_dir};
    }

    const Config& config_;
    adapters::Reserves reserves_; ///< before all that writes
    adapters::SystemClock machine_;
    adapters::TimeFile time_file_;
    ServiceTime clock_;
    std::unique_ptr<Mailer> mailer_;
    adapters::Db db_;
    adapters::SqliteStore store_;
    adapters::VaultFile vault_;
    adapters::EnvelopeFiles envelopes_;
    adapters::AuditFile audit_;
    adapters::SwarmAuthority authority_;
    std::mutex mutex_; ///< guards relay_ and published_
    Relay relay_;
    SpaceWatch space_watch_; ///< this and the next: the ticking thread's
    RelayWatch relay_watch_;
    http::Published published_;
    http::Router router_;
    http::RequestLimits limits_;
    http::Server server_;
    adapters::ReserveWatch reserve_watch_;
};

std::unique_ptr<ControlPlane> make_control(const Config& config) {
    try {
        return std::make_unique<ControlPlane>(config);
    } catch (const adapters::DamagedDb& error) {
        throw std::runtime_error(
            "control.db cannot be used: " + std::string{error.what()} +
            ". Nothing was changed. Every transfer hangs on it: bring back its disk, or repair it "
            "(docs/operations.md, \"Damaged or empty disks\") with the relay stopped. To begin "
            "without it, and so to end every transfer, move control.db and vault away");
    }
}

} // namespace

int run_control(const Config& config) {
    if (!config.control_url.empty()) {
        throw std::runtime_error("relay.toml names a control.url: no control plane runs here");
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before any thread starts
    const auto made = make_control(config);
    ControlPlane& control = *made;
    std::jthread server{[&] { control.serve(); }};
    // Somebody waits for a code with the page open, so mails go out more often than once a second.
    constexpr unsigned beats_per_tick = 5;
    for (unsigned beat = 0;; ++beat) {
        try {
            if (beat % beats_per_tick == 0) control.tick();
            control.deliver_mails();
        } catch (const std::exception& error) {
            // A broken environment: said, and tried again at the next tick.
            std::fprintf(stderr, "control: %s\n", error.what());
        }
        const timespec rest{0, 1'000'000'000 / beats_per_tick};
        if (sigtimedwait(&signals, nullptr, &rest) > 0) break;
    }
    control.stop();
    return 0;
}

} // namespace plankurier::relay
