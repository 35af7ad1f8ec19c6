#pragma once
/// What this relay stores: transfers, volumes, which pieces are durable. In memory as far as every
/// request needs it (about 100 bytes a volume; roots only until the descriptor is there), and in a
/// small database for what is durable; the files themselves lie in one folder per transfer.
/// Thread safe: one mutex.

#include "relay/adapters/reserve.hpp"
#include "relay/pieces/piece_index.hpp"
#include "relay/pieces/volume_file.hpp"

#include <plankurier/layout.hpp>
#include <plankurier/records.hpp>
#include <plankurier/sealing.hpp>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

namespace plankurier::relay::pieces {

/// Where a piece lies.
struct PiecePlace {
    TransferId transfer;
    std::uint32_t volume{}, piece{}; ///< piece: index in the volume
    friend auto operator<=>(const PiecePlace&, const PiecePlace&) = default;
};
/// A piece that is being written, or compared when it is durable already.
struct Writing {
    PiecePlace place;
    std::shared_ptr<VolumeFile> file;
    std::uint64_t offset{}, bytes{};
    std::optional<Hash256> durable_root;
    std::optional<Hash256> wanted_root{}; ///< the descriptor names it: nothing else may come
};
/// A piece that was written and waits for fdatasync.
struct Written {
    PiecePlace place;
    std::shared_ptr<VolumeFile> file;
    std::uint64_t bytes{};
    Hash256 root{};
    /// Told once, on the committer's thread, whether the piece is durable. May be empty.
    std::function<void(bool durable)> settled{};
};
struct Readable {
    std::shared_ptr<VolumeFile> file;
    std::uint64_t offset{}, bytes{};
};
/// A volume that another relay gives us, piece by piece.
struct CopyTarget {
    std::shared_ptr<VolumeFile> file;
    std::uint64_t missing{}; ///< bit i: piece i is not durable and reserved for this copy
    std::uint64_t have{};    ///< durable pieces
};
/// Pieces of a volume, to be read and compared with their roots.
struct VolumeCheck {
    std::uint64_t pieces{}; ///< bit i: piece i
    std::uint64_t piece_bytes{};
    std::vector<Hash256> roots;
    std::shared_ptr<VolumeFile> file; ///< nullptr: it cannot be opened, or is too short
};
/// A volume with its descriptor, opened for reading.
struct WholeVolume {
    std::uint64_t piece_bytes{};
    std::vector<Hash256> piece_roots;
    std::shared_ptr<VolumeFile> file;
};

class Catalog {
public:
    /// Reads the index, finishes purges that were cut short, removes files that no row knows, and
    /// takes pieces out of service whose files are missing or too short. An index that cannot be
    /// read is begun anew; see PieceIndex. Throws std::runtime_error.
    /// `reserves`: of the folder, kept free of anything new; outlive the catalog.
    explicit Catalog(const std::filesystem::path& folder, adapters::Reserves* reserves = nullptr);

    /// Fails with `malformed` (no such piece), `conflict` (another connection writes it),
    /// `purged`, `no_space`.
    Result<Writing> begin_write(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece);
    /// The writer gave up; nothing of the piece counts.
    void abandon(const PiecePlace& place);
    /// After fdatasync of all files: one transaction, then the pieces are durable.
    void commit(const std::vector<Written>& group);

    /// Reserves all pieces that are not durable, of a damaged volume those that are lost. Each is
    /// then given to `commit` or `abandon`.
    /// Fails with `malformed` (the descriptor does not fit the ticket's layout), `tampered` (a
    /// durable piece has another root), `exists` (the volume is whole), `conflict` (a piece is
    /// being written), `purged`, `no_space`.
    Result<CopyTarget> begin_copy(const Ticket& ticket, const Descriptor& descriptor);

    /// Fails with `not_found`, `purged`, `unavailable` (it was here, and is damaged).
    Result<Readable> readable(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece);
    /// Durable on return. Fails with `malformed`, `conflict` (pieces missing), `tampered`.
    Result<void> put_descriptor(const Ticket& ticket, std::uint32_t volume, ByteView bytes);
    Result<Bytes> descriptor(const Ticket& ticket, std::uint32_t volume);
    /// Whether the descriptor and all pieces are durable. Fails with `purged`, `not_found` (no such
    /// transfer), `conflict` (another length).
    Result<bool> is_whole(const Ticket& ticket, std::uint32_t volume);
    /// Fails with `purged`, `not_found` (not whole).
    Result<WholeVolume> whole(const TransferId& transfer, std::uint32_t volume);
    struct VolumeMap {
        std::uint32_t volume{};
        Bytes durable;     ///< bits, most significant first
        bool descriptor{}; ///< durable, and so are all pieces
        bool damaged{};    ///< the descriptor is durable, and pieces were lost
    };
    std::vector<VolumeMap> map(const TransferId& transfer);
    /// The content root once every volume is whole. Fails with `conflict`. Who asks signs for it.
    Result<Hash256> stored(const Ticket& ticket);
    /// Transfers of which `stored` has given the root since the last call.
    std::set<TransferId> take_signed();
    /// Whether `stored` gives a root.
    [[nodiscard]] bool complete(const TransferId& transfer);
    struct StoredContent {
        Hash256 root{};
        std::uint64_t body_len{};
    };
    /// The same without a ticket. Fails with `not_found`, `conflict`.
    Result<StoredContent> stored(const TransferId& transfer);

    // Pieces that are not what they were. What the checks below need of a volume is its own copy:
    // nothing is locked while files are read.

    /// Somebody could not read the volume, or got wrong bytes: it is to be looked at. Forgotten
    /// when too many wait already.
    void suspect(const TransferId& transfer, std::uint32_t volume);
    using VolumeId = std::pair<TransferId, std::uint32_t>;
    /// The next suspect; waits for one, at most so long.
    std::optional<VolumeId> next_suspect(const std::stop_token& stop,
                                         std::chrono::milliseconds at_most);
    /// The durable pieces. Fails with `not_found`, and with `malformed` when the descriptor that is
    /// stored cannot be one.
    Result<VolumeCheck> to_check(const VolumeId& volume);
    /// The pieces that were lost and may lie there all the same, since a disk came back. They are
    /// reserved: each is then given to `commit` or `abandon`. Fails with `not_found` (nothing is
    /// lost, or no file is there), `conflict` (it is being written).
    Result<VolumeCheck> to_take_back(const VolumeId& volume);
    /// Nobody gets these pieces any more, also after a crash. Gives those that were durable.
    std::uint64_t damage(const VolumeId& volume, std::uint64_t pieces);
    /// Nothing of the volume counts any more, its descriptor included.
    void drop_volume(const VolumeId& volume);
    /// The same for all of a transfer, which somebody else has to give anew.
    void drop_volumes(const TransferId& transfer);
    /// All of the volume was read and hashed at that time.
    void scrubbed(const VolumeId& volume, std::int64_t now);
    /// The volume that was read longest ago, if that was before `until` or is wanted again. What is
    /// new here counts as read `now`.
    std::optional<VolumeId> next_to_scrub(std::int64_t until, std::int64_t now);
    /// Everything, or all of the transfer, is to be read again. Durable on return.
    void scrub_all();
    void scrub_soon(const TransferId& transfer);
    /// How many of the volume's pieces are not durable here, of a transfer of this layout.
    std::uint64_t missing_pieces(const TransferId& transfer, std::uint32_t volume,
                                 const BodyLayout& layout);
    /// Volumes of which pieces were lost.
    std::vector<VolumeId> damaged_volumes();
    struct Health {
        std::int64_t damaged_pieces{}; ///< found since the index was made
        std::int64_t oldest_scrub{};   ///< when what was read longest ago was read; 0: nothing here
    };
    Health health();

    /// Refuses every later call for the transfer, for ever. Durable on return; nothing is deleted.
    void forbid(const TransferId& transfer);
    [[nodiscard]] bool forbidden(const TransferId& transfer);
    /// Replaces the list of those whose recipient has reported them: they stay, and no recipient
    /// reads them. Gives those that were not in it before.
    std::vector<TransferId> halt(std::set<TransferId> transfers);
    [[nodiscard]] bool halted(const TransferId& transfer);
    /// Forbids and deletes. Idempotent; durable on return.
    void purge(const TransferId& transfer);
    /// A transfer that is here is to be kept until then, if that is later than what was known.
    void lengthen(const TransferId& transfer, std::int64_t delete_at);
    /// What is past its own `delete_at`.
    std::vector<TransferId> overdue(std::int64_t now);
    struct Held {
        TransferId transfer;
        bool complete{};
    };
    std::vector<Held> held();
    std::vector<TransferId> transfers();
    /// Of the file system; nothing when it does not say. What unfinished transfers have taken of it
    /// counts as available: their whole length is promised to them elsewhere.
    [[nodiscard]] std::optional<std::filesystem::space_info> space();
    std::int64_t sync_sequence();
    void set_sync_sequence(std::int64_t sequence);

private:
    struct Volume {
        std::uint64_t durable{}; ///< bit i: piece i
        std::uint64_t writing{};
        bool described{};
        std::vector<Hash256> roots; ///< empty once described: the descriptor names them
        std::int64_t scrubbed{};    ///< see PieceIndex::set_scrubbed
    };
    struct Transfer {
        BodyLayout layout;
        std::int64_t delete_at{};
        std::uint32_t whole{}; ///< how many volumes are
        std::map<std::uint32_t, Volume> volumes{};
        [[nodiscard]] bool complete() const noexcept { return whole == layout.volumes(); }
        [[nodiscard]] bool is_whole(std::uint32_t number, const Volume& volume) const noexcept;
    };

    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    [[nodiscard]] bool has_room(const TransferId& transfer, std::uint32_t volume,
                                const BodyLayout& layout);
    void load();
    void remove_strangers();
    void reconcile();
    [[nodiscard]] Volume* find(const VolumeId& volume, Transfer** of = nullptr);
    std::uint64_t lose(const VolumeId& id, Transfer& transfer, Volume& volume,
                       std::uint64_t pieces);
    void drop(const VolumeId& id, Transfer& transfer);
    void note_suspect(const VolumeId& id);
    void want_scrub(const TransferId& id, Transfer& transfer);
    Result<std::shared_ptr<VolumeFile>> opened(const VolumeId& id, const BodyLayout& layout);
    [[nodiscard]] std::vector<Hash256> roots_of(const VolumeId& id, const Volume& volume);
    Result<Transfer*> transfer_for(const Ticket& ticket);
    Result<Transfer*> made_transfer(const Ticket& ticket, const BodyLayout& layout);
    [[nodiscard]] std::filesystem::path folder_of(const TransferId& transfer) const;
    [[nodiscard]] std::filesystem::path file_of(const TransferId& transfer,
                                                std::uint32_t volume) const;

    std::filesystem::path folder_;
    adapters::Reserves* const reserves_; ///< or nullptr
    PieceIndex index_;
    std::mutex mutex_; ///< guards everything below
    std::map<TransferId, Transfer> transfers_;
    std::set<TransferId> purged_;
    /// Folders of an index that could not be read, and when they go: `never` until it is told.
    std::map<TransferId, std::int64_t> strangers_;
    std::set<TransferId> halted_;
    std::set<TransferId> signed_;
    std::int64_t sequence_{};
    std::int64_t damaged_pieces_{};
    std::set<VolumeId> suspects_;
    std::condition_variable_any suspected_;
};

// What the parts of the catalog share.
[[nodiscard]] constexpr std::uint64_t bit(std::uint32_t piece) noexcept {
    return std::uint64_t{1} << piece;
}
[[nodiscard]] constexpr std::uint64_t all_bits(std::uint32_t pieces) noexcept {
    return pieces >= 64 ? ~std::uint64_t{0} : bit(pieces) - 1;
}
/// Everything about a descriptor that can be known without the pieces and without the key.
[[nodiscard]] bool fits(const Descriptor& descriptor, const BodyLayout& layout);

} // namespace plankurier::relay::pieces
