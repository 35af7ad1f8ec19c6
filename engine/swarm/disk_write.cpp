#include "engine/swarm/disk.hpp"

namespace plankurier::swarm {

namespace {

constexpr std::uint16_t all_blocks = 0xFFFF;
static_assert(segment_blocks == 16);

/// Full segments that may wait for the workers before peers are stopped.
std::size_t writes_waiting_max(const SegmentPool& pool) { return pool.size() / 8; }

bool is_block(const lt::peer_request& request, const DiskVolume& volume) {
    return static_cast<std::uint64_t>(request.length) == block_bytes && request.start >= 0 &&
           static_cast<std::uint64_t>(request.start) % block_bytes == 0 &&
           static_cast<std::uint64_t>(request.start) < volume.about.piece_bytes;
}

} // namespace

void Disk::post_write(WriteHandler handler, DiskError error) {
    lt::post(io_, [handler = std::move(handler), error] { handler(storage_error(error)); });
}

bool Disk::async_write(lt::storage_index_t storage, const lt::peer_request& request,
                       const char* bytes, std::shared_ptr<lt::disk_observer> observer,
                       WriteHandler handler, lt::disk_job_flags_t) {
    DiskVolume& to = volume(storage);
    const auto index = static_cast<std::size_t>(static_cast<int>(request.piece));
    if (to.closing || to.failed || !is_block(request, to)) {
        post_write(std::move(handler), DiskError::gone);
        return false;
    }
    auto& piece = to.pieces[index];
    if (!piece) piece = std::make_unique<PieceInWork>(to.segments_per_piece());
    const std::size_t in_piece = static_cast<std::uint64_t>(request.start) / segment_bytes;
    const auto segment = static_cast<std::uint32_t>(index * to.segments_per_piece() + in_piece);
    Slot slot = to.slots[segment];
    if (!piece->clear_handlers.empty() ||
        (slot != no_slot && pool_.at(slot).state != SegmentPool::State::filling)) {
        post_write(std::move(handler), DiskError::gone);
        return false;
    }
    if (slot == no_slot && !piece->written[in_piece]) {
        slot = take_to_fill(to, segment);
    }
    if (slot == no_slot) {
        counters_.pieces_given_up.fetch_add(1, std::memory_order_relaxed);
        post_write(std::move(handler), DiskError::again);
        return false;
    }
    SegmentPool::Entry& entry = pool_.at(slot);
    const std::size_t block =
        static_cast<std::uint64_t>(request.start) % segment_bytes / block_bytes;
    const auto bit = static_cast<std::uint16_t>(1U << block);
    if ((entry.present & bit) != 0) {
        post_write(std::move(handler), DiskError::none);
        return false;
    }
    std::copy_n(reinterpret_cast<const std::byte*>(bytes), block_bytes,
                pool_.bytes(slot).subspan(block * block_bytes).begin());
    counters_.taken_bytes.fetch_add(block_bytes, std::memory_order_relaxed);
    if (to.giving != nullptr) to.giving->gave |= std::uint64_t{1} << index;
    entry.present = static_cast<std::uint16_t>(entry.present | bit);
    entry.handlers[block] = std::move(handler);
    if (entry.present == all_blocks) start_write(to, *piece, slot);
    if (writes_waiting_ < writes_waiting_max(pool_)) return false;
    if (observer) stopped_peers_.push_back(observer);
    return true;
}

Slot Disk::take_to_fill(DiskVolume& volume, std::uint32_t segment) {
    for (;;) {
        const Slot slot = pool_.take(SegmentPool::State::filling, volume, segment);
        if (slot != no_slot || writes_waiting_ == 0) return slot;
        workers_.wait_done();
        settle_jobs();
    }
}

void Disk::start_write(DiskVolume& volume, PieceInWork& piece, Slot slot) {
    SegmentPool::Entry& entry = pool_.at(slot);
    entry.state = SegmentPool::State::writing;
    ++piece.jobs;
    ++volume.jobs;
    ++writes_waiting_;
    workers_.push({Job::Kind::write, &volume, &piece, entry.segment, slot, pool_.bytes(slot), {}});
}

void Disk::finish_write(Job& job, Handlers& handlers) {
    DiskVolume& volume = *job.volume;
    PieceInWork& piece = *job.piece;
    const std::size_t index = job.segment / volume.segments_per_piece();
    --piece.jobs;
    piece.written[job.segment % volume.segments_per_piece()] = true;
    ++piece.segments_written;
    DiskError error = volume.closing ? DiskError::gone : DiskError::none;
    if (!job.result && job.result.error().code == Errc::tampered) {
        piece.refused = true; // the root tells whose fault it is
    } else if (!job.result) {
        piece.unreadable = true;
        fail_volume(volume, job.result.error());
        error = DiskError::broken;
    }
    if (!piece.clear_handlers.empty()) {
        finish_clear(volume, index);
    } else if (error == DiskError::none && piece.jobs == 0 &&
               piece.segments_written == piece.roots.size()) {
        error = judge(volume, index);
    } else if (piece.hash_handler && piece.jobs == 0) {
        tell_hash(piece, index, error);
    }
    for (const WriteHandler& handler : handlers) {
        if (!handler) continue;
        handler(storage_error(error));
        // The first has the whole piece cleared, the others need only be told.
        if (error == DiskError::again) error = DiskError::gone;
    }
}

void Disk::wake_peers() {
    if (stopped_peers_.empty() || writes_waiting_ > writes_waiting_max(pool_) / 2) return;
    std::vector<std::weak_ptr<lt::disk_observer>> peers;
    peers.swap(stopped_peers_);
    for (const auto& peer : peers) {
        if (const auto alive = peer.lock()) alive->on_disk();
    }
}

void Disk::async_hash(lt::storage_index_t storage, lt::piece_index_t piece,
                      lt::span<lt::sha256_hash> hashes, lt::disk_job_flags_t, HashHandler handler) {
    DiskVolume& of = volume(storage);
    const auto index = static_cast<std::size_t>(static_cast<int>(piece));
    auto& work = of.pieces[index];
    if (of.closing || of.failed || !work) {
        lt::post(io_, [handler = std::move(handler), piece] {
            handler(piece, {}, storage_error(DiskError::gone));
        });
        return;
    }
    work->hashes_wanted = hashes;
    work->hash_handler = std::move(handler);
    // It is asked for when the last block was handed over, so at least its segment is with a worker
    // and the verdict comes with it. Otherwise blocks are missing, and the whole piece must come
    // again.
    if (work->jobs != 0 && work->segments_written + work->jobs == work->roots.size()) return;
    counters_.pieces_given_up.fetch_add(1, std::memory_order_relaxed);
    give_up(of, index, DiskError::again);
}

void Disk::give_up(DiskVolume& volume, std::size_t index, DiskError error) {
    PieceInWork& piece = *volume.pieces[index];
    const std::size_t first = index * volume.segments_per_piece();
    for (std::size_t i = 0; i < volume.segments_per_piece(); ++i) {
        const Slot slot = volume.slots[first + i];
        if (slot == no_slot || pool_.at(slot).state != SegmentPool::State::filling) continue;
        for (WriteHandler& handler : pool_.at(slot).handlers) {
            // The first one has the whole piece cleared, the others need only be told.
            if (handler)
                post_write(std::exchange(handler, nullptr), std::exchange(error, DiskError::gone));
        }
        pool_.release(slot);
    }
    if (piece.hash_handler) tell_hash(piece, index, DiskError::gone);
}

void Disk::async_clear_piece(lt::storage_index_t storage, lt::piece_index_t piece,
                             ClearHandler handler) {
    DiskVolume& of = volume(storage);
    const auto index = static_cast<std::size_t>(static_cast<int>(piece));
    if (!of.pieces[index]) {
        lt::post(io_, [handler = std::move(handler), piece] { handler(piece); });
        return;
    }
    give_up(of, index, DiskError::gone);
    of.pieces[index]->clear_handlers.push_back(std::move(handler));
    finish_clear(of, index);
}

void Disk::finish_clear(DiskVolume& volume, std::size_t index) {
    if (volume.pieces[index]->jobs != 0) return;
    const std::unique_ptr<PieceInWork> cleared = std::move(volume.pieces[index]);
    for (ClearHandler& handler : cleared->clear_handlers) {
        lt::post(io_, [handler = std::move(handler), index] {
            handler(lt::piece_index_t{static_cast<int>(index)});
        });
    }
    if (!starved_.empty()) serve_starved();
}

void Disk::async_hash2(
    lt::storage_index_t, lt::piece_index_t piece, int, lt::disk_job_flags_t,
    std::function<void(lt::piece_index_t, const lt::sha256_hash&, const lt::storage_error&)>
        handler) {
    // libtorrent 2.0 has this call but does not make it.
    lt::post(io_, [handler = std::move(handler), piece] {
        handler(piece, {}, storage_error(DiskError::broken));
    });
}

} // namespace plankurier::swarm
