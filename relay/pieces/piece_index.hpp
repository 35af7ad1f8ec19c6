#pragma once
/// The rows of the piece store's database: what is durable. Knows no rules and no files.
/// Thread safe as `Db` is.

#include "relay/adapters/db.hpp"

#include <plankurier/ids.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace plankurier::relay::pieces {

class PieceIndex {
public:
    struct TransferRow {
        TransferId id;
        std::uint64_t body_len{};
        std::int64_t delete_at{};
    };
    struct VolumeRow {
        TransferId transfer;
        std::uint32_t volume{};
        std::uint64_t durable{};    ///< bit i: piece i
        bool described{};           ///< its descriptor is durable
        std::vector<Hash256> roots; ///< of durable pieces; empty once described
        std::int64_t scrubbed{};    ///< see `set_scrubbed`
    };

    /// Opens the index, or makes it. One that cannot be read is set aside, see `begin_anew`: what
    /// it knew comes again from other relays. Throws std::runtime_error for one that a newer
    /// version of this program has written, and for all that a later try may cure.
    explicit PieceIndex(const std::filesystem::path& file);
    /// Sets the file aside, beside it, and goes on with an empty one. Of several, the first
    /// and the last one are kept: a disk that is failing damages more than one.
    void begin_anew();

    // What a start reads. All throw DamagedDb for values that cannot be.
    [[nodiscard]] std::vector<TransferRow> transfers();
    /// Reads no descriptor: with ten thousand volumes that would be most of the file.
    [[nodiscard]] std::vector<VolumeRow> volumes();
    [[nodiscard]] std::vector<TransferId> purged();
    [[nodiscard]] std::int64_t sequence();

    /// Empty when there is none.
    [[nodiscard]] Bytes descriptor(const TransferId& transfer, std::uint32_t volume);
    /// In volume order, of described volumes.
    [[nodiscard]] std::vector<Bytes> descriptors(const TransferId& transfer);

    // Changes: durable on return, unless inside `together`.
    void together(const std::function<void()>& work) { db_->tx(work); }
    void add_transfer(const TransferRow& row);
    void set_delete_at(const TransferId& transfer, std::int64_t delete_at);
    void set_durable(const TransferId& transfer, std::uint32_t volume, std::uint64_t durable,
                     const std::vector<Hash256>& roots);
    /// The descriptor names the roots, so that they are kept once.
    void describe(const TransferId& transfer, std::uint32_t volume, std::uint64_t durable,
                  ByteView descriptor);
    /// Of a volume that is described: its roots stay.
    void set_pieces(const TransferId& transfer, std::uint32_t volume, std::uint64_t durable);
    /// Nothing of the volume is known any more.
    void forget_volume(const TransferId& transfer, std::uint32_t volume);
    /// When all of the volume was last read and hashed, Unix seconds; negative: the same, and it is
    /// to be read again at once. 0: never.
    void set_scrubbed(const TransferId& transfer, std::uint32_t volume, std::int64_t at);
    /// Pieces that were found damaged or missing since this index was made.
    [[nodiscard]] std::int64_t damaged_pieces();
    void set_damaged(std::int64_t pieces);
    void forbid(const TransferId& transfer);
    /// Also empties the log, so that nothing is left in it.
    void forget(const TransferId& transfer);
    void set_sequence(std::int64_t sequence);

private:
    void open();
    const std::filesystem::path file_;
    std::optional<adapters::Db> db_;
};

/// The index of the folder that was set aside, if there is one: INDEX.unreadable.NUMBER.
[[nodiscard]] std::optional<std::filesystem::path>
unreadable_index(const std::filesystem::path& folder);

} // namespace plankurier::relay::pieces
