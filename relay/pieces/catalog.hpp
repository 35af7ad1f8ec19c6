#pragma once
/// What this relay stores: transfers, volumes, which pieces are durable. Kept in memory and, for
/// what is durable, in a small database; the files themselves lie in one folder per transfer.
/// Thread safe: one mutex.

#include "relay/adapters/db.hpp"

#include <plankurier/layout.hpp>
#include <plankurier/records.hpp>
#include <plankurier/sealing.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

namespace plankurier::relay::pieces {

/// An open volume file; closed with the last user.
class VolumeFile {
public:
    explicit VolumeFile(int fd) noexcept : fd_(fd) {}
    ~VolumeFile();
    VolumeFile(const VolumeFile&) = delete;
    VolumeFile& operator=(const VolumeFile&) = delete;
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    int fd_;
};

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
};
struct Readable {
    std::shared_ptr<VolumeFile> file;
    std::uint64_t offset{}, bytes{};
};

class Catalog {
public:
    /// Reads the index, finishes purges that were cut short, and removes files that no row knows.
    /// Throws std::runtime_error.
    explicit Catalog(const std::filesystem::path& folder);

    /// Fails with `malformed` (no such piece), `conflict` (another connection writes it),
    /// `purged`, `no_space`.
    Result<Writing> begin_write(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece);
    /// The writer gave up; nothing of the piece counts.
    void abandon(const PiecePlace& place);
    /// After fdatasync of all files: one transaction, then the pieces are durable.
    void commit(const std::vector<Written>& group);

    /// Fails with `not_found`, `purged`.
    Result<Readable> readable(const Ticket& ticket, std::uint32_t volume, std::uint32_t piece);
    /// Durable on return. Fails with `malformed`, `conflict` (pieces missing), `tampered`.
    Result<void> put_descriptor(const Ticket& ticket, std::uint32_t volume, ByteView bytes);
    Result<Bytes> descriptor(const Ticket& ticket, std::uint32_t volume);
    struct VolumeMap {
        std::uint32_t volume{};
        Bytes durable; ///< bits, most significant first
        bool descriptor{};
    };
    std::vector<VolumeMap> map(const TransferId& transfer);
    /// The content root once every descriptor is durable. Fails with `conflict`.
    Result<Hash256> stored(const Ticket& ticket);

    /// Forgets, refuses for ever and deletes. Idempotent; durable on return.
    void purge(const TransferId& transfer);
    /// Purges what is past its own `delete_at`; returns what was purged.
    std::vector<TransferId> purge_overdue(std::int64_t now);
    std::vector<TransferId> transfers();
    std::int64_t sync_sequence();
    void set_sync_sequence(std::int64_t sequence);

private:
    struct Volume {
        std::uint64_t durable{}; ///< bit i: piece i
        std::uint64_t writing{};
        std::vector<Hash256> roots;
        Bytes descriptor;
    };
    struct Transfer {
        BodyLayout layout;
        std::int64_t delete_at{};
        std::map<std::uint32_t, Volume> volumes;
    };

    void load();
    void remove_strangers();
    Result<Transfer*> transfer_for(const Ticket& ticket);
    Result<std::shared_ptr<VolumeFile>> open_volume(const TransferId& transfer,
                                                    std::uint32_t volume, std::uint64_t bytes);
    void store_volume(const TransferId& transfer, std::uint32_t number, const Volume& volume);
    [[nodiscard]] std::filesystem::path folder_of(const TransferId& transfer) const;
    [[nodiscard]] std::filesystem::path file_of(const TransferId& transfer,
                                                std::uint32_t volume) const;

    std::filesystem::path folder_;
    adapters::Db db_;
    std::mutex mutex_; ///< guards everything below
    std::map<TransferId, Transfer> transfers_;
    std::set<TransferId> purged_;
    std::int64_t sequence_{};
};

} // namespace plankurier::relay::pieces
