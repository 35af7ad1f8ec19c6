#include "engine/swarm/disk.hpp"

// What a piece with a wrong root means is decided here, not by libtorrent: in 2.0.8 its own way
// asks peers for the hashes of blocks, and a peer that refuses makes it write past the end of a
// vector (hash_picker::hashes_rejected). So libtorrent never hears of a wrong hash: it is told that
// the last segment could not be written, and starts the piece again.

namespace plankurier::swarm {

namespace {

/// libtorrent's own measure (torrent::penalize_peers): banned is who gave a bad piece alone, or so
/// many together with others that good ones do not make up for it.
constexpr int trust_max = 8, trust_loss = 2, trust_banned = -7;

void judge_sources(DiskVolume& volume, std::size_t index, bool good) {
    const std::uint64_t bit = std::uint64_t{1} << index;
    std::vector<Source*> givers;
    for (Source* const source : volume.sources) {
        if ((source->gave & bit) != 0) givers.push_back(source);
    }
    const bool alone = givers.size() == 1 && !volume.pieces[index]->source_left;
    for (Source* const source : givers) {
        source->gave &= ~bit;
        source->trust = std::min(trust_max, source->trust + (good ? 1 : -trust_loss));
        if (!good && (alone || source->trust <= trust_banned)) source->ban();
    }
}

} // namespace

DiskError Disk::judge(DiskVolume& volume, std::size_t index) {
    PieceInWork& piece = *volume.pieces[index];
    const auto count =
        std::min(piece.leaves.size(), static_cast<std::size_t>(piece.hashes_wanted.size()));
    for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(reinterpret_cast<const char*>(piece.leaves[i].data()), piece.leaves[i].size(),
                    piece.hashes_wanted[static_cast<std::ptrdiff_t>(i)].data());
    }
    const bool good = merkle_root(piece.roots) == volume.about.piece_roots[index];
    judge_sources(volume, index, good);
    if (!good) {
        if (piece.hash_handler) tell_hash(piece, index, DiskError::gone);
        return DiskError::again;
    }
    if (piece.refused) {
        fail_volume(volume, {Errc::tampered, "a segment does not open"});
        if (piece.hash_handler) tell_hash(piece, index, DiskError::broken);
        return DiskError::none;
    }
    if (piece.hash_handler) tell_hash(piece, index, DiskError::none);
    volume.pieces[index].reset();
    const std::uint64_t bit = std::uint64_t{1} << index;
    if ((volume.have & bit) == 0) {
        volume.have |= bit;
        SwarmEvent event;
        event.kind = SwarmEvent::Kind::piece;
        event.piece = static_cast<std::uint32_t>(index);
        report_(volume, std::move(event));
    }
    return DiskError::none;
}

void Disk::tell_hash(PieceInWork& piece, std::size_t index, DiskError error) {
    lt::post(io_, [handler = std::exchange(piece.hash_handler, nullptr), index, error] {
        handler(lt::piece_index_t{static_cast<int>(index)}, {}, storage_error(error));
    });
}

} // namespace plankurier::swarm
