#pragma once
/// Fetching the body by HTTPS: several lanes, spread over the relays, GET pieces, open them segment
/// by segment and write plaintext straight into the part files; the coordinator makes progress
/// durable. Memory is bounded by the number of lanes. One thread calls the public functions.

#include <clients/cli/lanes.hpp>
#include <clients/cli/part_files.hpp>
#include <clients/cli/relay_choice.hpp>
#include <clients/cli/spare_lines.hpp>

#include <plankurier/sealing.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <set>
#include <thread>

namespace plankurier::cli {

/// What is fetched. References outlive the download.
struct DownloadJob {
    const TransferKey& key;
    TransferId transfer;
    FloeHeader header{};
    BodyLayout layout;
    PartFiles& parts;
    DownloadStore& store;
    DownloadState& state; ///< `pieces` is read at the start and kept up to date
    std::vector<RelayAddress> relays;
    unsigned lanes{4};
    RetryRule retry;
    SpareLines* spare_lines{}; ///< that connected before, if any
    /// A line to a relay (its number, or more: they are counted in turn).
    [[nodiscard]] HttpLine line_to(std::size_t relay, const HttpSettings& settings) const;
};

/// Told from the thread that fetches.
struct DownloadWatcher {
    std::function<void(std::uint64_t, std::uint64_t)> progress;
    std::function<void(unsigned)> waiting;
    /// A relay (number in `relays`) delivered wrong bytes and is not asked again. Once for each.
    std::function<void(std::size_t)> relay_lied;
};

/// A lane that got nothing for so long while others did, or much less than usual, tries elsewhere.
inline constexpr std::chrono::seconds stall_time{5};

class Download {
public:
    Download(const DownloadJob& job, const HttpSettings& settings, TicketBox& tickets,
             const DownloadWatcher& watcher);

    /// Reads all descriptors, from any relay, and checks their MACs: only then their piece roots
    /// are trusted. Gives the content root. Fails with `tampered` when no relay is left that did
    /// not lie, `network`, `not_found` … Needed before `fetch` only by those who want the roots.
    /// Asks once.
    [[nodiscard]] Result<Hash256> describe();
    /// After `describe`, before `fetch`: what an earlier start left in the part files is read and
    /// sealed again, and compared with the roots, since anybody may have written there meanwhile.
    /// Pieces that differ are missing from then on, durably; gives how many. Fails with
    /// `file_unreadable`, `no_space`, `canceled`.
    [[nodiscard]] Result<std::uint64_t> check_kept();
    /// After `describe`: per piece of the body.
    [[nodiscard]] const std::vector<Hash256>& roots() const noexcept { return roots_; }
    [[nodiscard]] RelayChoice& choice() noexcept { return choice_; }
    [[nodiscard]] Hedge& hedge() noexcept { return hedge_; }
    /// The relay gave wrong bytes of the volume: it hears of it, in the background, so that it
    /// looks at what it has. A few times at most.
    void complain(std::size_t relay, std::uint32_t volume);
    /// All pieces that the state lacks, verified and durable in the part files, and meanwhile what
    /// `describe` does: a piece proves itself when its segments open. Wrong bytes are traced to
    /// their relay and fetched from another. Gives the content root. Fails as `describe`, and with
    /// `no_space`; progress made durable is kept.
    [[nodiscard]] Result<Hash256> fetch();

private:
    struct Lane;
    template <typename Step>
    auto from_any(std::size_t& relay, Step step) -> decltype(step(relay));
    [[nodiscard]] Result<Bytes> descriptor(std::uint32_t volume, std::size_t relay);
    [[nodiscard]] Result<void> read_descriptors(const std::function<void(unsigned)>& waiting);
    [[nodiscard]] Result<void> fetch_piece(Lane& lane, std::uint64_t piece, std::size_t relay);
    [[nodiscard]] bool stalled(Lane& lane);
    [[nodiscard]] Result<void> follow(std::uint64_t before_bytes);
    void work(std::size_t number);
    void work_descriptors();
    void note_wait(unsigned seconds);
    void leave();
    void stop_with(Error error);

    const DownloadJob& job_;
    HttpSettings settings_;
    TicketBox& tickets_;
    const DownloadWatcher& watcher_;
    Hedge hedge_;                ///< outlives all lines
    PieceClient coordinator_;    ///< this and the two below: of who reads descriptors
    std::vector<Hash256> roots_; ///< per piece
    std::optional<Hash256> content_root_;
    RelayChoice choice_;

    std::vector<std::uint64_t> pieces_; ///< to fetch; not changed while lanes run
    std::chrono::steady_clock::time_point begun_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::int64_t> bytes_{0};
    std::atomic<std::uint64_t> received_bytes_{0}; ///< also of pieces that failed
    std::atomic<bool> stop_{false};
    std::mutex mutex_; ///< guards all below
    std::condition_variable changed_;
    std::deque<std::uint64_t> done_;
    std::deque<unsigned> waits_;
    std::deque<std::size_t> liars_;
    std::optional<Error> failed_;
    unsigned running_{};
    std::set<std::pair<std::size_t, std::uint32_t>> complaints_;
    std::vector<std::jthread> complaining_; ///< last: it ends first
};

} // namespace plankurier::cli
