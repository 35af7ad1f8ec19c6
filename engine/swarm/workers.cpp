#include "engine/swarm/workers.hpp"

#include <exception>

namespace plankurier::swarm {

namespace {

Result<void> do_job(const Job& job) {
    const std::uint64_t offset = job.segment * segment_bytes;
    if (job.kind == Job::Kind::read) return job.volume->backing->read(offset, job.bytes);
    // Hashed first: the backing may change the bytes where they lie.
    const std::size_t at = job.segment % job.volume->segments_per_piece();
    const auto leaves = std::span{job.piece->leaves}.subspan(at * segment_blocks);
    job.piece->roots[at] = hash_segment(job.bytes, leaves.first<segment_blocks>());
    return job.volume->backing->write(offset, job.bytes);
}

} // namespace

Workers::Workers(unsigned threads, std::size_t jobs_max, std::function<void()> wake)
    : wake_(std::move(wake)), ring_(jobs_max) {
    done_.reserve(jobs_max);
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() { stop(); }

void Workers::push(Job job) {
    {
        const std::scoped_lock lock{mutex_};
        expects(count_ < ring_.size(), "no more jobs than slots");
        ring_[(first_ + count_++) % ring_.size()] = std::move(job);
    }
    more_.notify_one();
}

void Workers::take_done(std::vector<Job>& out) {
    const std::scoped_lock lock{mutex_};
    done_.swap(out);
}

void Workers::wait_done() {
    std::unique_lock lock{mutex_};
    one_done_.wait(lock, [this] { return stopped_ || !done_.empty(); });
}

void Workers::stop() {
    {
        const std::scoped_lock lock{mutex_};
        stopped_ = true;
    }
    more_.notify_all();
    one_done_.notify_all();
    threads_.clear();
}

void Workers::run() {
    std::unique_lock lock{mutex_};
    for (;;) {
        more_.wait(lock, [this] { return stopped_ || count_ != 0; });
        if (stopped_) return;
        Job job = std::move(ring_[first_]);
        first_ = (first_ + 1) % ring_.size();
        --count_;
        lock.unlock();
        try {
            job.result = do_job(job);
        } catch (const std::exception&) {
            // The volume fails, not the process that serves all others.
            job.result = fail(Errc::file_unreadable, "backing");
        }
        lock.lock();
        done_.push_back(std::move(job));
        if (done_.size() != 1) continue;
        one_done_.notify_one();
        wake_();
    }
}

} // namespace plankurier::swarm
