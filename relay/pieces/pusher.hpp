#pragma once
/// Tells all other relays when a volume has become whole here, so that they copy it at once. A help
/// only: what a relay does not hear, it finds by its next syncs. A bounded queue, a few tries.
/// Thread safe: one mutex. One thread of its own.

#include "relay/pieces/relay_calls.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <thread>

namespace plankurier::relay::pieces {

class Pusher {
public:
    static constexpr std::size_t queued_max = 1'024;

    Pusher(const Relays& relays, std::filesystem::path ca_file);
    ~Pusher();
    Pusher(const Pusher&) = delete;
    Pusher& operator=(const Pusher&) = delete;
    /// `ticket`: base64url. Does not wait.
    void push(const VolumeName& volume, const std::string& ticket, ByteView descriptor);

private:
    using Clock = std::chrono::steady_clock;
    struct Note {
        VolumeName volume;
        std::string ticket;
        Bytes descriptor;
    };
    struct Push {
        std::shared_ptr<const Note> note;
        OtherRelay to;
        unsigned tries{};
        Clock::time_point not_before;
    };
    /// A relay that did not answer.
    struct Away {
        std::chrono::seconds time{};
        Clock::time_point until{};
    };
    void run(const std::stop_token& stop);
    [[nodiscard]] std::optional<Push> next(std::unique_lock<std::mutex>& lock,
                                           const std::stop_token& stop);

    const Relays& relays_;
    RelayCalls calls_; ///< the thread's
    std::mutex mutex_; ///< guards queue_
    std::condition_variable_any changed_;
    std::deque<Push> queue_;
    std::map<RelayId, Away> away_; ///< the thread's
    std::jthread thread_;          ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
