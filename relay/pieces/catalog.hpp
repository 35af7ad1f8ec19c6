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

#include <filesystem>
#include <functional>
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
/// A volume with its descriptor, opened for reading.
struct WholeVolume {
    std::uint64_t piece_bytes{};
    std::vector<Hash256> piece_roots;
    std::shared_ptr<VolumeFile> file;
};

class Catalog {
public:
    /// Reads the index, finishes purges that were cut short, and removes files that no row knows.
    /// Throws std::runtime_error.
    /// `reserves`: of the folder, kept free of anything new; outlive the catalog.
    explicit Catalog(const std::filesystem::path& folder, adapters::Reserves* reserves = nullptr);

    /// Fails with `malformed` (no such piece), `conflict` (another connection writes it),
    /// `purged`, `no_space`.
    Result<Writing> begin_write(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece);
    /// The writer gave up; nothing of the piece counts.
    void abandon(const PiecePlace& place);
    /// After fdatasync of all files: one transaction, then the pieces are durable.
    void commit(const std::vector<Written>& group);

    /// Reserves all pieces that are not durable. Each is then given to `commit` or `abandon`.
    /// Fails with `malformed` (the descriptor does not fit the ticket's layout), `tampered` (a
    /// durable piece has another root), `exists` (its descriptor is durable), `conflict` (a piece
    /// is being written), `purged`, `no_space`.
    Result<CopyTarget> begin_copy(const Ticket& ticket, const Descriptor& descriptor);

    /// Fails with `not_found`, `purged`.
    Result<Readable> readable(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece);
    /// Durable on return. Fails with `malformed`, `conflict` (pieces missing), `tampered`.
    Result<void> put_descriptor(const Ticket& ticket, std::uint32_t volume, ByteView bytes);
    Result<Bytes> descriptor(const Ticket& ticket, std::uint32_t volume);
    /// Whether the descriptor is durable. Fails with `purged`, `not_found` (no such transfer),
    /// `conflict` (another length).
    Result<bool> described(const Ticket& ticket, std::uint32_t volume);
    /// Fails with `purged`, `not_found` (no durable descriptor).
    Result<WholeVolume> whole(const TransferId& transfer, std::uint32_t volume);
    struct VolumeMap {
        std::uint32_t volume{};
        Bytes durable; ///< bits, most significant first
        bool descriptor{};
    };
    std::vector<VolumeMap> map(const TransferId& transfer);
    /// The content root once every descriptor is durable. Fails with `conflict`.
    Result<Hash256> stored(const Ticket& ticket);
    /// Whether `stored` gives a root.
    [[nodiscard]] bool complete(const TransferId& transfer);
    struct StoredContent {
        Hash256 root{};
        std::uint64_t body_len{};
    };
    /// The same without a ticket. Fails with `not_found`, `conflict`.
    Result<StoredContent> stored(const TransferId& transfer);

    /// Refuses every later call for the transfer, for ever. Durable on return; nothing is deleted.
    void forbid(const TransferId& transfer);
    [[nodiscard]] bool forbidden(const TransferId& transfer);
    /// Forbids and deletes. Idempotent; durable on return.
    void purge(const TransferId& transfer);
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
    };
    struct Transfer {
        BodyLayout layout;
        std::int64_t delete_at{};
        std::uint32_t described{}; ///< how many volumes are
        std::map<std::uint32_t, Volume> volumes{};
        [[nodiscard]] bool complete() const noexcept { return described == layout.volumes(); }
    };

    [[nodiscard]] bool has_room(const TransferId& transfer, std::uint32_t volume,
                                const BodyLayout& layout);
    void load();
    void remove_strangers();
    Result<Transfer*> transfer_for(const Ticket& ticket);
    Result<Transfer*> made_transfer(const Ticket& ticket, const BodyLayout& layout);
    [[nodiscard]] Hash256 root_of(const PiecePlace& place, const Volume& volume);
    [[nodiscard]] std::filesystem::path folder_of(const TransferId& transfer) const;
    [[nodiscard]] std::filesystem::path file_of(const TransferId& transfer,
                                                std::uint32_t volume) const;

    std::filesystem::path folder_;
    adapters::Reserves* const reserves_; ///< or nullptr
    PieceIndex index_;
    std::mutex mutex_; ///< guards everything below
    std::map<TransferId, Transfer> transfers_;
    std::set<TransferId> purged_;
    std::int64_t sequence_{};
};

} // namespace plankurier::relay::pieces
