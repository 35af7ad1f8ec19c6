#pragma once
/// Fetching the body: several lanes GET pieces, open them segment by segment and write plaintext
/// straight into the part files; the coordinator makes progress durable. Memory is bounded by the
/// number of lanes. One thread calls `run`.

#include <clients/cli/download_state.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/lanes.hpp>

#include <plankurier/sealing.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>

namespace plankurier::cli {

/// The part files as one byte string. `write` may be called by any thread for distinct ranges.
class PartFiles {
public:
    struct Part {
        FileHandle file;
        std::uint64_t size_bytes{};
    };
    explicit PartFiles(std::vector<Part> parts);

    /// Writes plaintext of the body at `offset`; what lies past the content must be zero. Fails
    /// with `tampered` (padding), `no_space` or `file_unreadable`.
    [[nodiscard]] Result<void> write(std::uint64_t offset, ByteView plain);
    /// Makes everything written durable. Fails with `no_space`.
    [[nodiscard]] Result<void> sync();
    [[nodiscard]] int file(std::size_t index) const { return parts_[index].file.get(); }

private:
    std::vector<Part> parts_;
    std::vector<std::uint64_t> begins_; ///< offset of each part, and the end
};

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
};

class Download {
public:
    /// Told from the thread of `run`.
    struct Watcher {
        std::function<void(std::uint64_t, std::uint64_t)> progress;
        std::function<void(unsigned)> waiting;
    };
    Download(DownloadJob job, const HttpSettings& settings, TicketBox& tickets, Watcher watcher);

    /// All pieces verified and durable in the part files; returns the content root. Fails with
    /// `tampered`, `no_space`, `network`, `not_found` …; progress made durable is kept.
    [[nodiscard]] Result<Hash256> run();

private:
    [[nodiscard]] Result<Hash256> read_descriptors();
    [[nodiscard]] Result<Bytes> descriptor(std::uint32_t volume);
    [[nodiscard]] Result<void> fetch_piece(PieceClient& client, class PieceSink& sink,
                                           std::uint64_t piece, std::size_t relay);
    [[nodiscard]] Result<void> make_durable(std::vector<std::uint64_t>& pieces);
    [[nodiscard]] Result<void> follow(std::uint64_t before_bytes);
    void work(const std::vector<std::uint64_t>& pieces, std::size_t lane);
    void stop_with(Error error);

    DownloadJob job_;
    HttpSettings settings_;
    TicketBox& tickets_;
    Watcher watcher_;
    PieceClient coordinator_;
    std::vector<Hash256> roots_; ///< per piece

    std::atomic<std::size_t> next_{0};
    std::atomic<std::int64_t> bytes_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_; ///< guards all below
    std::condition_variable changed_;
    std::deque<std::uint64_t> done_;
    std::deque<unsigned> waits_;
    std::optional<Error> failed_;
    unsigned running_{};
};

} // namespace plankurier::cli
