#pragma once
/// Pieces on disk. One preallocated file a volume (`TID/NNNNNNNN.vol`) and beside it one small
/// record (`TID/NNNNNNNN.idx`: what is durable, roots, descriptor), replaced by rename.

#include <plankurier/records.hpp>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace plankurier::relay::pieces {

/// One volume. Fields behind `PieceStore::mutex_` unless const or atomic.
struct Volume {
    Volume(std::filesystem::path base, BodyLayout cut, std::uint32_t n, std::int64_t end);
    ~Volume();
    Volume(const Volume&) = delete;
    Volume& operator=(const Volume&) = delete;

    const std::filesystem::path path; ///< without suffix
    const BodyLayout layout;
    const std::uint32_t number;
    const std::int64_t delete_at;
    int fd{-1};
    std::uint64_t durable{};  ///< bit i: piece i survives a crash
    std::uint64_t known{};    ///< bit i: the root of piece i stands (durable or about to be)
    std::uint64_t busy{};     ///< bit i: one request is writing piece i
    std::vector<Hash256> roots;
    Bytes descriptor;
    std::atomic<bool> gone{false};
};

/// All volumes of this relay, with the thread that makes pieces durable in groups. Any thread.
class PieceStore {
public:
    using VolumePtr = std::shared_ptr<Volume>;

    /// Opens or creates the folder, reads what is durable and removes files without a record.
    /// Throws std::system_error.
    explicit PieceStore(std::filesystem::path folder);

    /// The volume to write `piece` into. `write` is false when its root stands already: then the
    /// caller only hashes. Fails with `purged`, `expired`, `conflict`, `invalid_argument`,
    /// `no_space`.
    struct Slot {
        VolumePtr volume;
        std::uint32_t piece{};
        bool write{};
    };
    [[nodiscard]] Result<Slot> begin_put(const Ticket& ticket, std::uint32_t volume,
                                         std::uint32_t piece, std::int64_t now);
    /// Writes at an offset of the piece. Fails with `no_space`; throws std::system_error.
    [[nodiscard]] Result<void> write(const Slot& slot, std::uint64_t offset, ByteView bytes);
    /// Hands a whole piece to the committer, or compares. Fails with `tampered` or `conflict`.
    [[nodiscard]] Result<void> finish_put(const Slot& slot, const Hash256& root);
    /// Gives a slot back whose piece did not arrive whole.
    void abort_put(const Slot& slot);

    /// Keeps a descriptor that equals the durable roots. Returns after it is durable.
    [[nodiscard]] Result<void> put_descriptor(const Ticket& ticket, std::uint32_t volume,
                                              ByteView bytes);
    /// Volumes of a transfer, by number; empty when there are none.
    [[nodiscard]] std::map<std::uint32_t, VolumePtr> find(const TransferId& transfer);
    [[nodiscard]] bool is_durable(const VolumePtr& volume, std::uint32_t piece);
    /// Durable bits and a copy of the descriptor.
    [[nodiscard]] std::pair<std::uint64_t, Bytes> snapshot(const VolumePtr& volume);
    [[nodiscard]] bool tombstoned(const TransferId& transfer);
    /// Every transfer stored here.
    [[nodiscard]] std::vector<TransferId> transfers();
    /// Transfers whose own end has come.
    [[nodiscard]] std::vector<TransferId> past(std::int64_t now);
    /// Deletes a transfer and refuses its id from now on. Repeating it is harmless.
    void purge(const TransferId& transfer);

private:
    struct Pending {
        VolumePtr volume;
        std::uint32_t piece{};
    };
    void load();
    void load_transfer(const TransferId& transfer, const std::filesystem::path& folder);
    [[nodiscard]] VolumePtr open_volume(const Ticket& ticket, const BodyLayout& layout,
                                        std::uint32_t number);
    void save(Volume& volume, std::uint64_t durable, const Bytes& descriptor);
    void commit(const std::vector<Pending>& group);
    void run(const std::stop_token& stop);

    const std::filesystem::path folder_;
    std::mutex index_mutex_; ///< record files and removal; taken before mutex_
    std::mutex mutex_;       ///< everything below
    std::condition_variable_any wake_;
    std::map<TransferId, std::map<std::uint32_t, VolumePtr>> volumes_;
    std::set<TransferId> tombstones_;
    std::vector<Pending> queue_;
    std::uint64_t queued_bytes_{};
    std::jthread committer_; ///< last: ends before what it uses
};

} // namespace plankurier::relay::pieces
