#pragma once
/// The threads that hash, read and write segments, so that the network thread never does. Jobs are
/// bounded by the slots of the pool: each has one.

#include "engine/swarm/pool.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace plankurier::swarm {

struct Job {
    enum class Kind : std::uint8_t { read, write };
    Kind kind{};
    DiskVolume* volume{};
    PieceInWork* piece{}; ///< of a write
    std::uint32_t segment{};
    Slot slot{};
    std::span<std::byte> bytes;
    Result<void> result;
};

class Workers {
public:
    /// `wake` is called by a worker when the first of a batch of jobs is done.
    Workers(unsigned threads, std::size_t jobs_max, std::function<void()> wake);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// Any thread.
    void push(Job job);
    /// Swaps all finished jobs into `out`, which must be empty.
    void take_done(std::vector<Job>& out);
    /// Waits until a job is done that was not taken yet.
    void wait_done();
    /// Waits for running jobs and ends the threads; what has not begun is forgotten.
    void stop();

private:
    void run();

    std::function<void()> wake_;
    std::mutex mutex_; ///< guards all below but threads_
    std::condition_variable more_, one_done_;
    std::vector<Job> ring_;
    std::size_t first_{}, count_{};
    std::vector<Job> done_;
    bool stopped_{};
    std::vector<std::jthread> threads_;
};

} // namespace plankurier::swarm
