#pragma once
/// Which volumes the swarm processes have loaded, and why: because somebody asked for one that is
/// whole here, or because this relay copies it. Survives a swarm process: what was loaded is loaded
/// again. Thread safe: one mutex. One thread of its own, which opens files and gets certificates.

#include "relay/pieces/catalog.hpp"
#include "relay/pieces/certificates.hpp"
#include "relay/pieces/copy_news.hpp"
#include "relay/pieces/swarm_link.hpp"

#include <condition_variable>

namespace plankurier::relay::pieces {

/// A volume in one of the two swarm processes.
struct SwarmPlace {
    VolumeName volume;
    SwarmKind kind{};
    friend auto operator<=>(const SwarmPlace&, const SwarmPlace&) = default;
};

class SwarmVolumes final : private SwarmLink::Listener {
public:
    static constexpr std::size_t loaded_max = 512;

    struct Times {
        std::chrono::milliseconds quiet{30'000}; ///< a volume stays so long after it was asked for
        std::chrono::milliseconds obey{5'000};   ///< a process that takes longer is ended
    };
    SwarmVolumes(Catalog& catalog, Certificates& certificates, const std::filesystem::path& socket,
                 Times times);
    ~SwarmVolumes() override;
    SwarmVolumes(const SwarmVolumes&) = delete;
    SwarmVolumes& operator=(const SwarmVolumes&) = delete;

    /// Told once, from any thread, maybe within the call: the port at which peers find the volume.
    using Told = std::function<void(Result<std::uint16_t>)>;
    /// Somebody wants a volume: loaded if it is whole and not loaded yet. Tells `not_found` and
    /// `purged` as the catalog does, or `unavailable` (no such process, too many volumes, no
    /// certificate).
    void want(const SwarmPlace& place, Told told);

    /// Loads a volume that is to be filled; `news` hears of it until `end_copy` or `keep_copy`.
    /// Waits for a certificate. Fails with `unavailable`, `not_found` (no certificate), `purged`.
    Result<void> begin_copy(const SwarmPlace& place, SwarmVolume volume, const CopyTarget& target,
                            std::shared_ptr<CopyNews> news);
    /// False when the swarm process is gone.
    bool connect(const SwarmPlace& place, const std::string& address, std::uint16_t port);
    /// Unloads; on return the swarm process does not write to the volume any more.
    void end_copy(const SwarmPlace& place);
    /// The volume is whole: it is now served as if somebody had asked for it.
    void keep_copy(const SwarmPlace& place);

    /// The transfer is forbidden or halted in the catalog: on return no byte of it is served.
    void unload(const TransferId& transfer);
    /// The volume is damaged, and the catalog gives it to nobody: on return no byte of it is
    /// served. A copy of it that is under way ends, to be begun anew.
    void unload(const VolumeName& volume);
    [[nodiscard]] std::size_t loaded();

private:
    struct Loaded {
        enum class State : std::uint8_t { waiting, adding, ready, removing };
        State state{State::waiting};
        std::vector<Told> askers;
        std::chrono::steady_clock::time_point asked, ordered; ///< ordered: adding or removing it
        std::int64_t certificate_expires{};
        std::shared_ptr<CopyNews> news; ///< only while it is copied
        std::uint32_t pieces{};
    };
    using Table = std::map<SwarmPlace, Loaded>;
    /// What is told to askers once the mutex is free.
    using Answers = std::vector<std::pair<std::vector<Told>, Result<std::uint16_t>>>;

    void up(SwarmKind kind, std::uint16_t port) override;
    void down(SwarmKind kind) override;
    void heard(SwarmKind kind, const swarm::Report& report) override;
    void run(const std::stop_token& stop);
    void load(const SwarmPlace& place);
    Result<void> send_add(const SwarmPlace& place, Loaded& entry, SwarmVolume volume,
                          std::uint64_t have, std::shared_ptr<VolumeFile> file,
                          std::optional<Certificates::Issued> issued);
    void remove(const SwarmPlace& place, Loaded& entry);
    void end_if_deaf(SwarmKind kind, const Loaded& entry);
    void on_piece(Loaded& entry, const swarm::Report& report);
    void on_removed(Table::iterator entry);
    void unload_all(const std::function<bool(const SwarmPlace&)>& concerns, Errc why);
    void wait_removed(std::unique_lock<std::mutex>& lock,
                      const std::function<bool(const SwarmPlace&)>& concerns);
    Result<std::optional<Certificates::Issued>> certificate_for(const SwarmPlace& place);
    [[nodiscard]] bool is_up(SwarmKind kind) const {
        return ports_.at(static_cast<std::size_t>(kind)) != 0;
    }

    Catalog& catalog_;
    Certificates& certificates_;
    const Times times_;
    std::mutex mutex_; ///< guards the three below; taken before the catalog's and the link's
    std::condition_variable_any changed_;
    Table table_;
    std::array<std::uint16_t, 2> ports_{}; ///< by SwarmKind; 0: not there
    std::deque<SwarmPlace> to_load_;
    SwarmLink link_;
    std::jthread thread_; ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
