#pragma once
/// Sending the body: several lanes seal and PUT pieces, each to its volume's entry relay; one
/// coordinator follows what became durable and delivers descriptors. Memory is bounded by the
/// number of lanes. One thread calls the public functions.

#include <clients/cli/lanes.hpp>
#include <clients/cli/upload_plan.hpp>
#include <clients/cli/upload_state.hpp>

#include <plankurier/sealing.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>

namespace plankurier::cli {

/// What is sent. References outlive the upload.
struct UploadJob {
    const TransferKey& key;
    TransferId transfer;
    FloeHeader header{};
    BodyLayout layout;
    const BodySource& source;
    UploadStore& store;
    std::vector<RelayAddress> relays; ///< in ring order (`sort_relays`), at least one
    unsigned lanes{4};                ///< at most; a small body begins with one
    RetryRule retry;
    bool resumed{}; ///< an earlier start may have sent something: ask all relays first
    bool touched{}; ///< the files have other times since: compare all that was sent
};

class Upload {
public:
    /// Told from the thread of `run`: sealed bytes that arrived, of how many; and waits.
    struct Watcher {
        std::function<void(std::uint64_t, std::uint64_t)> progress;
        std::function<void(unsigned)> waiting;
        std::function<void()> no_room{};              ///< what it waits for is room at the service
        std::function<void(unsigned)> resumed;        ///< percent that is durable already
        std::function<void()> settling;               ///< all sent, not yet all durable
        std::function<void(std::size_t)> relay_lost;  ///< number in `relays`; others go on
        std::function<void(std::size_t)> gathering{}; ///< number: everything goes there
    };
    Upload(UploadJob job, const HttpSettings& settings, TicketBox& tickets, Watcher watcher);
    ~Upload();

    /// Every volume is described at some relay. Fails with `file_changed` (also when sampled
    /// durable pieces are not what the files say now), `tampered` (the relay's root differs),
    /// `network`, `no_space` … ; all but file_changed and tampered can be resumed. May be called
    /// again.
    [[nodiscard]] Result<void> run();
    /// After `run`: the content root of what was sealed, which relays have to sign for. Fails with
    /// `network`, `unavailable` … when it needs descriptors of an earlier start from the relays.
    [[nodiscard]] Result<Hash256> sealed_content();
    /// Asks one relay, once, for its stored receipt (b64url). Fails with `conflict` while the
    /// relay does not have everything.
    [[nodiscard]] Result<std::string> stored(std::size_t relay);
    /// How much all relays say that they have, together; nothing when none of them answers.
    [[nodiscard]] std::optional<std::uint64_t> stored_pieces();
    /// Nobody signs, and nothing moves any more: `run` has to bring everything to one relay. False
    /// when each has had its turn.
    [[nodiscard]] bool gather();
    /// Asks all relays anew and stops counting on those that do not answer. True when `run` has
    /// something to do again.
    [[nodiscard]] bool review();

private:
    struct Lane;
    struct Sent {
        std::uint64_t piece;
        Hash256 root;
    };
    [[nodiscard]] bool several() const noexcept { return job_.relays.size() > 1; }
    [[nodiscard]] RetryRule patience() const noexcept;
    [[nodiscard]] unsigned lanes_at_once() const noexcept;
    void add_lane(std::vector<std::jthread>& lanes);
    [[nodiscard]] Result<void> begin();
    [[nodiscard]] Result<void> work_through();
    [[nodiscard]] Result<void> read_map(std::size_t relay);
    [[nodiscard]] Result<void> read_all_maps();
    [[nodiscard]] Result<void> sample_durable();
    [[nodiscard]] Result<void> compare(const std::vector<std::uint64_t>& pieces);
    [[nodiscard]] Result<void> confirm_touched();
    [[nodiscard]] tl::unexpected<Error> changed(std::uint64_t piece, const char* where);
    [[nodiscard]] Result<void> send_round();
    [[nodiscard]] Result<void> follow_durable();
    [[nodiscard]] Result<void> settle();
    [[nodiscard]] Result<void> take_results();
    [[nodiscard]] Result<void> deliver_descriptors(bool patiently);
    [[nodiscard]] std::optional<Bytes> descriptor(std::uint32_t volume) const;
    [[nodiscard]] Result<Bytes> descriptor_from_relays(std::uint32_t volume);
    [[nodiscard]] Result<void> deliver(std::uint32_t volume, std::size_t relay);
    [[nodiscard]] Result<void> ask(std::size_t relay, const RetryRule& rule,
                                   const std::function<Result<void>()>& step);
    [[nodiscard]] Result<Hash256> send_patiently(Lane& lane, const UploadPlan::Task& task);
    [[nodiscard]] bool give_up(std::size_t relay, const Error& error);
    void work();
    void stop_with(Error error);
    void note_wait(unsigned wait);

    UploadJob job_;
    HttpSettings settings_;
    TicketBox& tickets_;
    Watcher watcher_;
    Hedge hedge_;                            ///< outlives all lines
    PieceClient coordinator_, asker_;        ///< asker_: for receipts, does not wait for the silent
    std::map<std::uint64_t, Hash256> roots_; ///< thread of `run` only, as the next
    std::uint64_t confirmed_touches_{};      ///< of the source: all was compared since

    std::atomic<std::int64_t> flying_bytes_{0};
    std::atomic<bool> stop_{false}, no_room_{false};
    std::mutex mutex_; ///< guards all below
    std::condition_variable changed_;
    UploadPlan plan_;
    std::deque<Sent> sent_;
    std::deque<unsigned> waits_;
    std::deque<std::size_t> lost_;
    std::optional<Error> failed_;
    unsigned running_{};
};

} // namespace plankurier::cli
