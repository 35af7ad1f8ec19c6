#pragma once
/// Sending the body: several lanes seal and PUT pieces, one coordinator follows what became
/// durable, delivers descriptors and asks for the stored receipt. Memory is bounded by the number
/// of lanes. One thread calls `run`.

#include <clients/cli/lanes.hpp>
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
    RelayAddress relay; ///< the entry relay
    unsigned lanes{4};
    RetryRule retry;
};

class Upload {
public:
    /// Told from the thread of `run`: sealed bytes that arrived, of how many; and waits.
    struct Watcher {
        std::function<void(std::uint64_t, std::uint64_t)> progress;
        std::function<void(unsigned)> waiting;
        std::function<void(unsigned)> resumed; ///< percent that is durable already
        std::function<void()> settling;        ///< all sent, not yet all durable
    };
    Upload(UploadJob job, const HttpSettings& settings, TicketBox& tickets, Watcher watcher);
    ~Upload();

    /// Returns the relay's stored receipt (b64url). Fails with `file_changed` (also when sampled
    /// durable pieces are not what the files say now), `tampered` (the relay's root differs),
    /// `network`, `no_space` … ; all but file_changed and tampered can be resumed.
    [[nodiscard]] Result<std::string> run();

private:
    struct Lane;
    struct Sent {
        std::uint64_t piece;
        Hash256 root;
    };
    [[nodiscard]] Result<void> read_map();
    [[nodiscard]] Result<void> sample_durable();
    [[nodiscard]] std::vector<std::uint64_t> missing() const;
    [[nodiscard]] Result<void> send_round(const std::vector<std::uint64_t>& pieces);
    [[nodiscard]] Result<void> settle();
    [[nodiscard]] Result<void> take_results();
    [[nodiscard]] Result<void> deliver_descriptors();
    [[nodiscard]] bool volume_ready(std::uint32_t volume) const;
    [[nodiscard]] std::uint64_t durable_count() const;
    void work(const std::vector<std::uint64_t>& pieces);
    void stop_with(Error error);
    [[nodiscard]] Result<void> call_patiently(const std::function<Result<void>()>& step);

    UploadJob job_;
    HttpSettings settings_;
    TicketBox& tickets_;
    Watcher watcher_;
    PieceClient coordinator_;
    std::map<std::uint64_t, Hash256> roots_;
    std::vector<bool> durable_;   ///< per piece
    std::vector<bool> described_; ///< per volume
    std::uint64_t base_bytes_{};  ///< durable before this round

    std::atomic<std::size_t> next_{0};
    std::atomic<std::int64_t> round_bytes_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_; ///< guards all below
    std::condition_variable changed_;
    std::deque<Sent> sent_;
    std::deque<unsigned> waits_;
    std::optional<Error> failed_;
    unsigned running_{};
};

} // namespace plankurier::cli
