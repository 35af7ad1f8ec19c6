#pragma once
/// Makes written pieces durable in groups: one fdatasync a file, one transaction a group.

#include "relay/pieces/catalog.hpp"

#include <condition_variable>
#include <thread>

namespace plankurier::relay::pieces {

class Committer {
public:
    explicit Committer(Catalog& catalog);
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;
    /// A piece is on its way: worth waiting for, so that it is synced with the others. Every call
    /// is followed by one of `add` or of `no_longer_expect`. Any thread.
    void expect();
    void no_longer_expect();
    /// Hands a piece over. Waits while more than 256 MiB are on their way. Any thread.
    void add(Written piece);

private:
    void run(const std::stop_token& stop);
    void flush(std::vector<Written>& group);

    Catalog& catalog_;
    std::mutex mutex_; ///< guards all below
    std::condition_variable_any changed_;
    std::vector<Written> queue_;
    std::uint64_t waiting_bytes_{};
    std::size_t expected_{};
    std::jthread thread_; ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
