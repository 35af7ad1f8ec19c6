#pragma once
/// Fetching volumes as a peer of the relays' swarm, several at a time, each opened on arrival into
/// the part files. What does not arrive that way is left to HTTPS, also what peers spoilt: a piece
/// is put together from several of them, so that here nobody can be named for it. One function at a
/// time.

#include <clients/cli/download.hpp>
#include <clients/cli/swarm_places.hpp>

#include <plankurier/swarm.hpp>

namespace plankurier::cli {

/// What the swarm needs besides the download. References outlive it.
struct SwarmFetchJob {
    const DownloadJob& download;
    const std::vector<Hash256>& roots; ///< per piece, from checked descriptors; there for `run`
    const RelayChoice& choice;         ///< those that lied by HTTPS are not asked
    /// A certificate over a public key (SubjectPublicKeyInfo, DER).
    std::function<Result<CertificateAnswer>(ByteView public_key)> certificate;
    /// Where a relay (number in `download.relays`) serves a volume, as `PieceClient::swarm`. Called
    /// by a thread of each relay.
    SwarmPlaces::Call where;
    static constexpr std::chrono::milliseconds usual_patience{4'000};
    std::chrono::milliseconds patience{usual_patience}; ///< so long a volume may bring no piece
    /// Told when a relay (number in `download.relays`) gave wrong bytes of a volume; may be empty.
    std::function<void(std::size_t relay, std::uint32_t volume)> complain{};
};

class SwarmFetch {
public:
    SwarmFetch(const SwarmFetchJob& job, const DownloadWatcher& watcher);
    /// Closes the lines to the relays, which may take some seconds.
    ~SwarmFetch();

    /// Gets the certificate, and asks the relays where the first volumes are; needs no roots yet.
    void prepare();
    /// After `prepare`: fetches what the state lacks, as far as the swarm brings it, durable in the
    /// part files.
    /// Fails only with what no other way would cure: `no_space`, `file_unreadable`, `canceled`.
    [[nodiscard]] Result<void> run();
    /// Pieces that came by swarm.
    [[nodiscard]] std::uint64_t fetched() const noexcept { return fetched_; }

private:
    using Time = std::chrono::steady_clock::time_point;
    /// What a relay is to a volume.
    struct Place {
        bool asked{};
        std::optional<SwarmPeer> peer{}; ///< it serves there
        Time ask_again{};
    };
    /// A volume on its way: first its relays are asked, then it joins the swarm with all that have
    /// answered, since whom it names later waits for a second.
    struct Active {
        std::uint64_t missing{}; ///< bit i: piece i of the volume
        std::vector<Place> places{};
        bool joined{};
        Time first_answer{}, moved{}; ///< moved: last piece, or the start
    };
    using ActiveAt = std::map<std::uint32_t, Active>::iterator;

    [[nodiscard]] bool renew_certificate();
    [[nodiscard]] std::uint64_t missing_in(std::uint32_t volume) const;
    [[nodiscard]] SwarmVolume description(std::uint32_t volume) const;
    void start_volumes();
    [[nodiscard]] std::uint64_t pieces_under_way() const;
    void ask(ActiveAt active, Time now);
    [[nodiscard]] bool join(ActiveAt active);
    void join_if_due(ActiveAt active, Time now);
    void take(SwarmPlaces::Answer answer);
    void give_up(ActiveAt active);
    [[nodiscard]] bool stuck(const Active& active, Time now);
    [[nodiscard]] Result<void> take_events();
    [[nodiscard]] Result<void> take(const SwarmEvent& event);
    void drop(const std::string& peer, std::uint32_t volume);
    void look_after_volumes();
    [[nodiscard]] Result<void> loop();

    const SwarmFetchJob& job_;
    const DownloadWatcher& watcher_;
    PieceLedger ledger_;
    SwarmCertificate certificate_;
    std::int64_t certificate_until_{}, certificate_asked_{}; ///< Unix seconds
    std::map<std::uint32_t, Active> active_;                 ///< by volume
    std::vector<std::string> peers_; ///< "address:port" per relay, once known
    RelayChoice peers_choice_;       ///< as peers; says nothing about HTTPS
    std::uint32_t next_volume_{};
    unsigned given_up_in_row_{};
    std::uint64_t fetched_{}, before_pieces_{}, seen_bytes_{};
    Time bytes_moved_{};

    std::mutex mutex_; ///< guards the three below
    std::condition_variable changed_;
    std::deque<SwarmEvent> events_;
    std::deque<SwarmPlaces::Answer> answers_;

    std::unique_ptr<Swarm> swarm_; ///< this and the next last, so that they end first
    std::unique_ptr<SwarmPlaces> asking_;
};

} // namespace plankurier::cli
