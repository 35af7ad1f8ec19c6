#include <clients/cli/fetch_receive.hpp>

#include <clients/cli/download.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/swarm_fetch.hpp>

#include <plankurier/fault.hpp>
#include <plankurier/files.hpp>
#include <plankurier/receiving.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <future>

namespace plankurier::cli {

namespace {

/// The name that the sender gave, cleaned; where it promises no type, the type that the sender
/// stated stands behind it, so that a file does not stay closed for want of an extension.
std::string received_name(const ManifestFile& file) {
    auto name = clean_file_name(file.name);
    if (type_from_name(name)) return name;
    for (const auto& [type, extension] :
         {std::pair{FileType::pdf, ".pdf"}, {FileType::jpeg, ".jpg"}, {FileType::png, ".png"}}) {
        if (file.type == media_type(type)) return name + extension;
    }
    return name;
}

/// Received files on their way from pieces to names.
class Receiving {
public:
    Receiving(const Options& options, Console& console, const OpenedTransfer& transfer,
              ReceivingFolder folder, std::filesystem::path path, SpareLines* spare_lines)
        : options_(options), console_(console), transfer_(transfer), folder_(std::move(folder)),
          path_(std::move(path)), spare_lines_(spare_lines),
          store_(state_folder() / "fetch", transfer.opened.manifest.transfer) {}

    using Certificate = std::function<Result<CertificateAnswer>(ByteView public_key)>;
    using Report = std::function<Result<void>(const Hash256& content_root)>;

    /// `report` is called when the files have their names.
    Result<void> run(const std::vector<RelayAddress>& relays, TicketBox& tickets,
                     const Certificate& certificate, const Report& report) {
        if (auto locked = store_.lock(); !locked) {
            if (locked.error().code == Errc::conflict) console_.warn(Text::fetched_elsewhere);
            return locked;
        }
        if (auto loaded = load_state(); !loaded) return tl::unexpected(loaded.error());
        auto parts = open_parts();
        if (!parts) return tl::unexpected(parts.error());
        PartFiles files{std::move(*parts)};
        files.reserve();
        const auto& opened = transfer_.opened;
        const DownloadJob job{opened.key,
                              opened.manifest.transfer,
                              opened.body_header,
                              opened.layout,
                              files,
                              store_,
                              state_,
                              relays,
                              options_.lanes,
                              RetryRule{options_.retries},
                              spare_lines_};
        auto done = options_.via == "swarm" ? by_swarm(job, tickets, certificate, report)
                                            : by_https(job, tickets, report);
        console_.end_progress();
        const bool is_bad = !done && done.error().code == Errc::tampered;
        if (is_bad) discard();
        if (!done && !is_bad && interrupted()) console_.warn(Text::fetch_goes_on);
        return done;
    }

private:
    DownloadWatcher watcher_for(const DownloadJob& job) {
        DownloadWatcher watcher;
        watcher.progress = [this](std::uint64_t done, std::uint64_t total) {
            console_.progress(Text::fetching, done, total);
        };
        watcher.waiting = [this](unsigned seconds) {
            console_.say(Text::network_retry, {std::to_string(seconds)});
        };
        watcher.relay_lied = [this, &job](std::size_t relay) {
            console_.warn(Text::relay_lied,
                          {std::to_string(relay + 1), printable(host_of(job.relays[relay].url))});
            console_.event("relay_lied", {{"relay", static_cast<std::int64_t>(relay + 1)}});
        };
        return watcher;
    }

    Result<void> by_https(const DownloadJob& job, TicketBox& tickets, const Report& report) {
        const auto watcher = watcher_for(job);
        const auto settings = http_settings(options_);
        Download download{job, settings, tickets, watcher};
        if (auto checked = check_kept(download); !checked) return checked;
        return rest_by_https(job, download, report);
    }

    /// Others can write to the part files between two starts, so none of it is taken on trust.
    Result<void> check_kept(Download& download) {
        const auto& pieces = state_.pieces;
        if (fresh_ || std::find(pieces.begin(), pieces.end(), true) == pieces.end()) return {};
        console_.say(Text::checking_kept);
        if (auto described = download.describe(); !described) {
            return tl::unexpected(described.error());
        }
        const auto spoilt = download.check_kept();
        if (!spoilt) return tl::unexpected(spoilt.error());
        if (*spoilt == 0) return {};
        console_.warn(Text::kept_spoilt, {std::to_string(*spoilt)});
        console_.event("kept_spoilt", {{"pieces", static_cast<std::int64_t>(*spoilt)}});
        return {};
    }

    /// What the state lacks; then the files get their names, and everybody is told.
    Result<void> rest_by_https(const DownloadJob& job, Download& download, const Report& report) {
        const auto root = download.fetch();
        if (!root) return tl::unexpected(root.error());
        console_.end_progress();
        if (auto published = publish(job.parts); !published) return published;
        if (auto reported = report(*root); !reported) return reported;
        PK_FAULT("cli.fetch.reported");
        console_.say(Text::fetch_done);
        console_.event("fetched", {{"transfer", job.transfer.hex()},
                                   {"content_root", to_hex(*root)},
                                   {"via", via_},
                                   {"relays", static_cast<std::int64_t>(job.relays.size())}});
        // Not before: who was stopped on the way finds the files and only reports again.
        store_.remove();
        return {};
    }

    /// As far as it goes; what is missing afterwards comes by HTTPS.
    Result<void> by_swarm(const DownloadJob& job, TicketBox& tickets,
                          const Certificate& certificate, const Report& report) {
        const auto watcher = watcher_for(job);
        auto settings = http_settings(options_);
        Download download{job, settings, tickets, watcher};
        if (auto checked = check_kept(download); !checked) return checked;
        // A relay that keeps silent must not stop the volumes of the others for long.
        settings.silence_seconds = std::min(settings.silence_seconds, 5U);
        std::deque<PieceClient> clients; // one a relay
        for (std::size_t relay = 0; relay < job.relays.size(); ++relay) {
            clients.emplace_back(job.line_to(relay, settings), tickets, job.transfer,
                                 &download.hedge());
        }
        const SwarmFetchJob swarm_job{
            job,
            download.roots(),
            download.choice(),
            certificate,
            [&](std::size_t relay, std::uint32_t volume, const std::stop_token& stop) {
                clients[relay].watch([&] { return !stop.stop_requested(); });
                return clients[relay].swarm(job.relays[relay], volume);
            },
            SwarmFetchJob::usual_patience,
            [&](std::size_t relay, std::uint32_t volume) { download.complain(relay, volume); }};
        SwarmFetch swarm{swarm_job, watcher};
        auto prepared = std::async(std::launch::async, [&] { swarm.prepare(); });
        const auto described = download.describe();
        prepared.get();
        if (!described) return tl::unexpected(described.error());
        if (auto done = swarm.run(); !done) return done;
        const bool all = std::all_of(state_.pieces.begin(), state_.pieces.end(),
                                     [](bool durable) { return durable; });
        if (!all) {
            console_.end_progress();
            console_.say(Text::swarm_gave_up);
            console_.event("swarm_gave_up");
        }
        if (swarm.fetched() > 0) via_ = all ? "swarm" : "swarm+https";
        // While the swarm still lives: its lines may take a while to close.
        return rest_by_https(job, download, report);
    }

    [[nodiscard]] const std::vector<ManifestFile>& wanted() const {
        return transfer_.opened.manifest.files;
    }
    [[nodiscard]] bool has_part(std::size_t index) const {
        struct stat about {};
        return ::lstat((path_ / state_.parts[index]).c_str(), &about) == 0;
    }
    [[nodiscard]] bool has_whole(std::size_t index, const std::string& name) const {
        struct stat about {};
        return ::lstat((path_ / name).c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
               static_cast<std::uint64_t>(about.st_size) == wanted()[index].size_bytes;
    }
    /// Its name was given before a crash.
    [[nodiscard]] bool published(std::size_t index) const {
        return state_.publishing && !has_part(index) && has_whole(index, state_.names[index]);
    }

    [[nodiscard]] bool can_continue() const {
        bool usable = state_.folder == path_ && state_.names.size() == wanted().size() &&
                      state_.parts.size() == wanted().size() &&
                      state_.pieces.size() == transfer_.opened.layout.pieces();
        for (std::size_t index = 0; usable && index < wanted().size(); ++index) {
            usable = clean_file_name(state_.names[index]) == state_.names[index] &&
                     // Parts have their size from the first byte on: one that has not lost some.
                     (has_whole(index, state_.parts[index]) || published(index));
        }
        return usable;
    }

    /// Nothing that was begun stays.
    void discard() {
        if (auto folder = ReceivingFolder::open(state_.folder)) {
            for (const auto& part : state_.parts) folder->discard_part(part);
            const auto taken = naming_begun_ ? state_.names : std::vector<std::string>{};
            for (const auto& name : taken) folder->discard_empty(name);
        }
        store_.remove();
    }

    /// Continues an earlier start when everything of it is still there, else begins.
    Result<void> load_state() {
        if (auto loaded = store_.load()) {
            state_ = std::move(*loaded);
            naming_begun_ = state_.publishing;
            if (can_continue()) return {};
            discard();
            naming_begun_ = false;
        }
        std::vector<std::string> names;
        for (const auto& file : wanted()) names.push_back(received_name(file));
        state_ = {transfer_.opened.manifest.transfer,
                  path_,
                  folder_.assign(names),
                  {},
                  std::vector<bool>(transfer_.opened.layout.pieces()),
                  false};
        std::array<std::byte, 4> mark{};
        fill_random(mark);
        for (const auto& name : state_.names) {
            state_.parts.push_back(ReceivingFolder::part_name(name, to_hex(mark)));
        }
        fresh_ = true;
        // Before the parts, so that a crash leaves none that nobody knows of.
        return store_.save(state_);
    }

    Result<std::vector<PartFiles::Part>> open_parts() {
        std::vector<PartFiles::Part> parts;
        for (std::size_t index = 0; index < wanted().size(); ++index) {
            const auto bytes = wanted()[index].size_bytes;
            if (published(index)) {
                // For the piece that it shares with the next file.
                const auto named = path_ / state_.names[index];
                parts.push_back(
                    {FileHandle{::open(named.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)}, bytes,
                     true});
                continue;
            }
            auto part = fresh_ ? folder_.create_part(state_.parts[index], bytes)
                               : folder_.reopen_part(state_.parts[index], bytes);
            if (!part) {
                console_.warn(Text::file_named,
                              {printable((path_ / state_.names[index]).string())});
                if (fresh_) discard();
                return tl::unexpected(part.error());
            }
            parts.push_back({FileHandle{*part}, bytes});
        }
        return parts;
    }

    /// By name and content, as at the sender. One that is not allowed does not keep the others
    /// back.
    Result<bool> is_allowed(std::size_t index, const PartFiles& files) {
        Bytes head(type_head_bytes);
        const auto got = ::pread(files.file(index), head.data(), head.size(), 0);
        if (got < 0) return tl::unexpected(file_error(errno));
        head.resize(static_cast<std::size_t>(got));
        if (check_type(state_.names[index], head)) return true;
        console_.warn(Text::file_named, {printable(state_.names[index])});
        console_.warn(Text::file_withheld);
        console_.event("withheld", {{"name", state_.names[index]}});
        return false;
    }

    /// Whatever took the name meanwhile keeps it.
    Result<void> publish_one(std::size_t index, int file) {
        for (;;) {
            auto done = folder_.publish(state_.parts[index], state_.names[index], file);
            if (done || done.error().code != Errc::exists) return done;
            auto others = state_.names;
            others.erase(others.begin() + static_cast<std::ptrdiff_t>(index));
            state_.names[index] = folder_.assign({received_name(wanted()[index])}, others).front();
            if (auto saved = store_.save(state_); !saved) return saved;
        }
    }

    Result<void> publish(const PartFiles& files) {
        state_.publishing = true;
        if (auto saved = store_.save(state_); !saved) return saved;
        bool all_allowed = true;
        for (std::size_t index = 0; index < wanted().size(); ++index) {
            PK_FAULT("cli.fetch.before_publish");
            if (!files.is_named(index)) {
                const auto allowed = is_allowed(index, files);
                if (!allowed) return tl::unexpected(allowed.error());
                all_allowed = all_allowed && *allowed;
                if (!*allowed) continue;
                // Of an earlier start that a crash ended between taking the name and giving it.
                if (naming_begun_) folder_.discard_empty(state_.names[index]);
                auto done = publish_one(index, files.file(index));
                if (!done) {
                    console_.warn(Text::file_named,
                                  {printable((path_ / state_.names[index]).string())});
                    return done;
                }
            }
            const auto shown = (path_ / state_.names[index]).string();
            console_.say(Text::file_saved, {printable(shown)});
            console_.event(
                "file",
                {{"path", shown}, {"size", static_cast<std::int64_t>(wanted()[index].size_bytes)}});
        }
        PK_FAULT("cli.fetch.published");
        if (all_allowed) return {};
        discard();
        return fail(Errc::type_not_allowed, "received");
    }

    const Options& options_;
    Console& console_;
    const OpenedTransfer& transfer_;
    ReceivingFolder folder_;
    std::filesystem::path path_;
    SpareLines* spare_lines_;
    DownloadStore store_;
    DownloadState state_;
    bool fresh_{};             ///< begun by this start: no part is there yet
    bool naming_begun_{};      ///< by an earlier start: names in the state may be taken by us
    std::string via_{"https"}; ///< how the pieces came: or "swarm", or "swarm+https"
};

Result<void> report(Console& console, ControlClient& control, const FetchRight& right,
                    const OpenedTransfer& transfer, const Hash256& root, const KeySeed* department,
                    const RetryRule& retry) {
    std::optional<Bytes> signed_report;
    if (department != nullptr) {
        signed_report =
            sign_fetched({right.transfer, sha256(transfer.envelope), root, control.clock().now()},
                         signing_seed(*department));
    }
    const auto say = [&] {
        return with_retries(
            retry, [&] { return control.fetched(right, signed_report); }, [](unsigned) {});
    };
    auto said = say();
    if (said || !signed_report || said.error().code != Errc::bad_signature) return said;
    // The files are there all the same, and their arrival may be told without it.
    console.warn(Text::report_unsigned);
    signed_report.reset();
    return say();
}

} // namespace

Result<void> receive_transfer(const Options& options, Console& console, ControlClient& control,
                              const Authority& authority, const OpenedTransfer& transfer,
                              const KeySeed* department, SpareLines* spare_lines) {
    std::error_code error;
    const auto path =
        std::filesystem::absolute(options.output.empty() ? "." : options.output, error)
            .lexically_normal();
    auto folder = ReceivingFolder::open(path);
    if (!folder) {
        const NamedPath named{"--output", options.output.empty() ? "." : options.output};
        return naming(console, named, Result<void>{tl::unexpected(folder.error())});
    }
    const auto id = transfer.opened.manifest.transfer;
    const auto token = fetch_token(transfer.opened.key, id);
    const FetchRight right{id, token};
    const RetryRule retry{options.retries};
    // Of its own: lanes ask it, and none of them waits for a control plane that restarts.
    auto for_tickets = ticket_client(control.server(), http_settings(options));
    auto offered = with_retries(
        retry, [&] { return control.ticket(right); }, [](unsigned) {});
    if (!offered) return tl::unexpected(offered.error());
    const auto relays = known_relays(offered->relays, authority.service.relays);
    if (!relays) return tl::unexpected(relays.error());
    TicketBox tickets{[&] { return for_tickets.ticket(right); }, std::move(*offered)};
    Receiving receiving{options, console, transfer, std::move(*folder), path, spare_lines};
    return receiving.run(
        *relays, tickets,
        [&](ByteView public_key) { return control.swarm_certificate(right, public_key); },
        [&](const Hash256& root) {
            return report(console, control, right, transfer, root, department, retry);
        });
}

} // namespace plankurier::cli
