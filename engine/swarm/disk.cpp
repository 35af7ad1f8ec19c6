#include "engine/swarm/disk.hpp"

namespace plankurier::swarm {

lt::storage_error storage_error(DiskError error) {
    lt::storage_error out;
    out.operation = lt::operation_t::file_write;
    switch (error) {
    case DiskError::none: return {};
    case DiskError::gone: out.ec = boost::asio::error::operation_aborted; break;
    case DiskError::again: out.ec = make_error_code(boost::system::errc::not_enough_memory); break;
    case DiskError::broken: out.ec = make_error_code(boost::system::errc::io_error); break;
    }
    return out;
}

Disk::Disk(lt::io_context& io, const SwarmSettings& settings, Counters& counters, Report report)
    : io_(io), counters_(counters), report_(std::move(report)), pool_(settings.pool_bytes_max),
      workers_(settings.workers, pool_.size(),
               [this] { lt::post(io_, [this] { finish_jobs(); }); }) {
    done_.reserve(pool_.size());
    settled_.reserve(pool_.size());
    finishing_.reserve(pool_.size());
}

void Disk::expect(const lt::sha1_hash& info_hash, std::shared_ptr<DiskVolume> volume) {
    const std::scoped_lock lock{expected_mutex_};
    expected_[info_hash] = std::move(volume);
}

void Disk::forget(const lt::sha1_hash& info_hash) {
    const std::scoped_lock lock{expected_mutex_};
    expected_.erase(info_hash);
}

DiskVolume& Disk::volume(lt::storage_index_t storage) {
    return *volumes_[static_cast<std::uint32_t>(storage)];
}

lt::storage_holder Disk::new_torrent(const lt::storage_params& parameters,
                                     const std::shared_ptr<void>&) {
    std::shared_ptr<DiskVolume> volume;
    {
        const std::scoped_lock lock{expected_mutex_};
        const auto found = expected_.find(parameters.info_hash);
        expects(found != expected_.end(), "a torrent of the swarm");
        volume = std::move(found->second);
        expected_.erase(found);
    }
    std::size_t index = 0;
    while (index < volumes_.size() && volumes_[index]) ++index;
    if (index == volumes_.size()) volumes_.emplace_back();
    volumes_[index] = std::move(volume);
    return {lt::storage_index_t{static_cast<std::uint32_t>(index)}, *this};
}

void Disk::remove_torrent(lt::storage_index_t storage) {
    std::shared_ptr<DiskVolume> gone = std::move(volumes_[static_cast<std::uint32_t>(storage)]);
    for (const std::uint32_t slot : gone->slots) {
        if (slot != no_slot) pool_.release(slot);
    }
    pool_.trim();
    serve_starved();
    std::promise<void> told = std::move(gone->gone);
    gone->backing.reset(); // before whoever waits goes on; the watches live a little longer
    told.set_value();
}

void Disk::settle_jobs() {
    workers_.take_done(done_);
    for (Job& job : done_) {
        Settled& settled = settled_.emplace_back();
        if (job.kind == Job::Kind::write) {
            settled.handlers.swap(pool_.at(job.slot).handlers);
            pool_.release(job.slot);
            --writes_waiting_;
        }
        settled.job = std::move(job);
    }
    done_.clear();
}

void Disk::finish_jobs() {
    settle_jobs();
    finishing_.swap(settled_);
    for (Settled& settled : finishing_) {
        Job& job = settled.job;
        --job.volume->jobs;
        job.kind == Job::Kind::read ? finish_read(job) : finish_write(job, settled.handlers);
        // The volume lives: its torrent waits for when_idle.
        finish_closing(*job.volume);
    }
    finishing_.clear();
    serve_starved();
    wake_peers();
}

void Disk::finish_closing(DiskVolume& volume) {
    if (volume.jobs != 0 || !volume.when_idle) return;
    lt::post(io_, std::exchange(volume.when_idle, nullptr));
}

void Disk::fail_volume(DiskVolume& volume, const Error& error) {
    if (std::exchange(volume.failed, true)) return;
    SwarmEvent event;
    event.kind = SwarmEvent::Kind::failed;
    event.error = error;
    report_(volume, std::move(event));
}

void Disk::close(DiskVolume& volume) {
    for (std::size_t i = 0; i < volume.pieces.size(); ++i) {
        if (volume.pieces[i]) give_up(volume, i, DiskError::gone);
    }
    for (auto read = starved_.begin(); read != starved_.end();) {
        if (read->volume != &volume) {
            ++read;
            continue;
        }
        lt::post(io_, [handler = std::move(read->handler)] {
            handler({}, storage_error(DiskError::gone));
        });
        read = starved_.erase(read);
    }
}

void Disk::async_stop_torrent(lt::storage_index_t storage, std::function<void()> handler) {
    DiskVolume& stopped = volume(storage);
    // A pause only: what is half there goes on when the torrent does.
    if (!stopped.closing) {
        if (handler) lt::post(io_, std::move(handler));
        return;
    }
    close(stopped);
    stopped.when_idle = handler ? std::move(handler) : [] {};
    finish_closing(stopped);
}

void Disk::abort(bool) { workers_.stop(); }

void Disk::async_check_files(lt::storage_index_t, const lt::add_torrent_params*,
                             lt::aux::vector<std::string, lt::file_index_t>,
                             std::function<void(lt::status_t, const lt::storage_error&)> handler) {
    lt::post(io_, [handler = std::move(handler)] { handler(lt::status_t::no_error, {}); });
}

void Disk::async_move_storage(
    lt::storage_index_t, std::string path, lt::move_flags_t,
    std::function<void(lt::status_t, const std::string&, const lt::storage_error&)> handler) {
    lt::post(io_, [handler = std::move(handler), path = std::move(path)] {
        handler(lt::status_t::fatal_disk_error, path, storage_error(DiskError::broken));
    });
}

void Disk::async_release_files(lt::storage_index_t, std::function<void()> handler) {
    if (handler) lt::post(io_, std::move(handler));
}

void Disk::async_rename_file(
    lt::storage_index_t, lt::file_index_t file, std::string name,
    std::function<void(const std::string&, lt::file_index_t, const lt::storage_error&)> handler) {
    lt::post(io_, [handler = std::move(handler), file, name = std::move(name)] {
        handler(name, file, storage_error(DiskError::broken));
    });
}

void Disk::async_delete_files(lt::storage_index_t, lt::remove_flags_t,
                              std::function<void(const lt::storage_error&)> handler) {
    lt::post(io_, [handler = std::move(handler)] { handler({}); });
}

void Disk::async_set_file_priority(
    lt::storage_index_t, lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities,
    std::function<void(const lt::storage_error&,
                       lt::aux::vector<lt::download_priority_t, lt::file_index_t>)>
        handler) {
    lt::post(io_, [handler = std::move(handler), priorities = std::move(priorities)]() mutable {
        handler({}, std::move(priorities));
    });
}

} // namespace plankurier::swarm
