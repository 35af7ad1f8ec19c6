#pragma once
/// libtorrent's disk over volume backings: segments read once into the pool and lent to send
/// buffers without copying; blocks gathered to segments, hashed and written once. All calls of
/// libtorrent come on its network thread, and all its handlers are called there.
///
/// Back-pressure: a write's handler is called when its segment is written, and a peer is stopped
/// while too many full segments wait for the workers. What its socket had ready comes nevertheless,
/// and may use up the pool; then the network thread waits for a worker, who never waits for it. A
/// peer is never stopped for segments that are still filling (their missing blocks could not
/// arrive); when those alone use up their share, the piece is given up and its peer disconnected,
/// which frees the memory.

#include "engine/swarm/workers.hpp"

#include <libtorrent/disk_observer.hpp>
#include <libtorrent/io_context.hpp>
#include <libtorrent/sha1_hash.hpp>

#include <deque>
#include <map>

namespace plankurier::swarm {

/// Errors as libtorrent treats them. `gone`: the blocks are asked for again, nothing else happens.
/// `again`: the whole piece starts again and the peer is disconnected. `broken`: the torrent stops.
enum class DiskError { none, gone, again, broken };
[[nodiscard]] lt::storage_error storage_error(DiskError error);

/// Numbers that any thread may look at while the session runs.
struct Counters {
    std::atomic<std::uint64_t> sent_bytes{}, received_bytes{}, taken_bytes{};
    std::atomic<std::uint64_t> peers{};
    std::atomic<std::uint64_t> pieces_given_up{};
};

class Disk final : public lt::disk_interface, private lt::buffer_allocator_interface {
public:
    using Report = std::function<void(const DiskVolume&, SwarmEvent)>;
    /// `report` is called on the network thread with `piece` and `failed`.
    Disk(lt::io_context& io, const SwarmSettings& settings, Counters& counters, Report report);

    /// Any thread: the volume whose torrent with this info-hash will be added next.
    void expect(const lt::sha1_hash& info_hash, std::shared_ptr<DiskVolume> volume);
    /// Any thread: it was not added after all.
    void forget(const lt::sha1_hash& info_hash);
    /// Any thread.
    [[nodiscard]] std::uint64_t pool_bytes() const noexcept { return pool_.held_bytes(); }

    lt::storage_holder new_torrent(const lt::storage_params& parameters,
                                   const std::shared_ptr<void>& torrent) override;
    void remove_torrent(lt::storage_index_t storage) override;
    void async_read(lt::storage_index_t storage, const lt::peer_request& request,
                    ReadHandler handler, lt::disk_job_flags_t flags) override;
    bool async_write(lt::storage_index_t storage, const lt::peer_request& request,
                     const char* bytes, std::shared_ptr<lt::disk_observer> observer,
                     WriteHandler handler, lt::disk_job_flags_t flags) override;
    void async_hash(lt::storage_index_t storage, lt::piece_index_t piece,
                    lt::span<lt::sha256_hash> hashes, lt::disk_job_flags_t flags,
                    HashHandler handler) override;
    void async_hash2(
        lt::storage_index_t storage, lt::piece_index_t piece, int offset,
        lt::disk_job_flags_t flags,
        std::function<void(lt::piece_index_t, const lt::sha256_hash&, const lt::storage_error&)>
            handler) override;
    void async_clear_piece(lt::storage_index_t storage, lt::piece_index_t piece,
                           ClearHandler handler) override;
    void async_stop_torrent(lt::storage_index_t storage, std::function<void()> handler) override;
    void abort(bool wait) override;

    // There are no files to move, check, rename or delete.
    void
    async_check_files(lt::storage_index_t storage, const lt::add_torrent_params* resume,
                      lt::aux::vector<std::string, lt::file_index_t> links,
                      std::function<void(lt::status_t, const lt::storage_error&)> handler) override;
    void async_move_storage(
        lt::storage_index_t storage, std::string path, lt::move_flags_t flags,
        std::function<void(lt::status_t, const std::string&, const lt::storage_error&)> handler)
        override;
    void async_release_files(lt::storage_index_t storage, std::function<void()> handler) override;
    void async_rename_file(
        lt::storage_index_t storage, lt::file_index_t file, std::string name,
        std::function<void(const std::string&, lt::file_index_t, const lt::storage_error&)> handler)
        override;
    void async_delete_files(lt::storage_index_t storage, lt::remove_flags_t flags,
                            std::function<void(const lt::storage_error&)> handler) override;
    void async_set_file_priority(
        lt::storage_index_t storage,
        lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities,
        std::function<void(const lt::storage_error&,
                           lt::aux::vector<lt::download_priority_t, lt::file_index_t>)>
            handler) override;
    void update_stats_counters(lt::counters&) const override {}
    std::vector<lt::open_file_state> get_status(lt::storage_index_t) const override { return {}; }
    void submit_jobs() override {}
    void settings_updated() override {}

private:
    struct Read {
        DiskVolume* volume{};
        lt::peer_request request;
        ReadHandler handler;
    };
    struct ReadyRead {
        Slot slot{};
        lt::peer_request request;
        ReadHandler handler;
    };

    using Handlers = std::array<WriteHandler, segment_blocks>;
    /// A job that is done and no longer needs its memory; its handlers are still to be called.
    struct Settled {
        Job job;
        Handlers handlers;
    };

    void free_disk_buffer(char* buffer) override;
    [[nodiscard]] DiskVolume& volume(lt::storage_index_t storage);
    void settle_jobs();
    void finish_jobs();
    void finish_read(Job& job);
    void finish_write(Job& job, Handlers& handlers);
    void fail_volume(DiskVolume& volume, const Error& error);
    void finish_closing(DiskVolume& volume);
    void close(DiskVolume& volume);

    // disk_read.cpp
    [[nodiscard]] bool start_read(Read& read, bool may_take);
    void show(Slot slot, const lt::peer_request& request, const ReadHandler& handler);
    void show_ready();
    void serve_starved();

    // disk_write.cpp
    void post_write(WriteHandler handler, DiskError error);
    [[nodiscard]] Slot take_to_fill(DiskVolume& volume, std::uint32_t segment);
    void start_write(DiskVolume& volume, PieceInWork& piece, Slot slot);
    void give_up(DiskVolume& volume, std::size_t index, DiskError error);
    void finish_clear(DiskVolume& volume, std::size_t index);
    void wake_peers();

    // disk_verdict.cpp
    /// Of a piece that is there completely. Gives what the last segment's blocks are told.
    [[nodiscard]] DiskError judge(DiskVolume& volume, std::size_t index);
    void tell_hash(PieceInWork& piece, std::size_t index, DiskError error);

    lt::io_context& io_;
    Counters& counters_;
    Report report_;
    SegmentPool pool_;
    std::vector<std::shared_ptr<DiskVolume>> volumes_; ///< by storage index; empty where free
    std::deque<Read> starved_;                         ///< bounded by libtorrent's send buffers
    std::vector<ReadyRead> ready_, showing_;
    std::vector<SegmentPool::Waiter> waiting_; ///< those of the segment being handed out
    bool show_posted_{};
    std::size_t writes_waiting_{};
    std::vector<std::weak_ptr<lt::disk_observer>> stopped_peers_;
    std::vector<Job> done_;
    std::vector<Settled> settled_, finishing_;
    std::mutex expected_mutex_; ///< guards expected_
    std::map<lt::sha1_hash, std::shared_ptr<DiskVolume>> expected_;
    Workers workers_; ///< last: its threads use what stands above
};

} // namespace plankurier::swarm
