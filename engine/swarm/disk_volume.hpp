#pragma once
/// What the disk side of a swarm knows of one volume. Unless said otherwise everything belongs to
/// libtorrent's network thread.

#include "engine/swarm/block_hashes.hpp"

#include <plankurier/swarm.hpp>

#include <libtorrent/disk_interface.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/socket.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <vector>

namespace plankurier::swarm {

using ReadHandler = std::function<void(lt::disk_buffer_holder, const lt::storage_error&)>;
using WriteHandler = std::function<void(const lt::storage_error&)>;
using HashHandler =
    std::function<void(lt::piece_index_t, const lt::sha1_hash&, const lt::storage_error&)>;
using ClearHandler = std::function<void(lt::piece_index_t)>;

/// A peer that blocks come from.
class Source {
public:
    virtual ~Source() = default;
    /// Ends the connection for good.
    virtual void ban() = 0;

    std::uint64_t gave{}; ///< bit i: blocks of piece i that is in work
    int trust{};          ///< as libtorrent counts it, see disk_verdict.cpp
};

/// A piece of which blocks have arrived.
struct PieceInWork {
    explicit PieceInWork(std::size_t segments)
        : leaves(segments * segment_blocks), roots(segments), written(segments) {}

    std::vector<Hash256> leaves, roots; ///< each part is written by the worker of its segment
    std::vector<bool> written;
    std::size_t segments_written{};
    unsigned jobs{};    ///< segments that workers have
    bool refused{};     ///< the backing did not open a segment
    bool unreadable{};  ///< the backing failed
    bool source_left{}; ///< one of those who gave blocks is not connected any more
    lt::span<lt::sha256_hash> hashes_wanted;
    HashHandler hash_handler;
    std::vector<ClearHandler> clear_handlers; ///< not empty: given up, waiting for the workers
};

struct DiskVolume {
    DiskVolume(const SwarmVolume& volume, std::uint64_t number, std::shared_ptr<VolumeBacking> from,
               std::uint64_t here);

    [[nodiscard]] std::uint32_t segments_per_piece() const noexcept {
        return static_cast<std::uint32_t>(about.piece_bytes / segment_bytes);
    }
    [[nodiscard]] bool complete() const noexcept {
        return have == ~std::uint64_t{0} >> (64 - about.piece_roots.size());
    }

    const SwarmVolume about;
    const std::uint64_t load;               ///< counts how often volumes were added
    const bool serves;                      ///< whether the backing can be read
    std::shared_ptr<VolumeBacking> backing; ///< none when the torrent is gone
    std::atomic<bool> closing{};            ///< set by any thread; nothing is begun after it
    std::promise<void> gone;                ///< kept when nothing of the volume is used any more

    std::vector<std::uint32_t> slots; ///< by segment
    std::vector<std::unique_ptr<PieceInWork>> pieces;
    std::uint64_t have;
    unsigned jobs{};
    bool failed{};
    std::function<void()> when_idle;

    std::vector<Source*> sources;          ///< the connections
    Source* giving{};                      ///< whose block libtorrent is about to write
    std::vector<lt::tcp::endpoint> banned; ///< at most banned_max; peers that we connected to
    unsigned banned_incoming{};            ///< how many of those that connected to us
};

} // namespace plankurier::swarm
