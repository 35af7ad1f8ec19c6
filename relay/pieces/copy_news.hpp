#pragma once
/// What happens to a volume that is being copied, from the swarm's and the committer's threads to
/// the one that copies. Thread safe: one mutex.

#include <plankurier/error.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace plankurier::relay::pieces {

class CopyNews {
public:
    struct State {
        bool ready{};               ///< loaded by the swarm
        bool ended{};               ///< the swarm process is gone
        bool canceled{};            ///< purged, or the process stops: stays
        bool bad_peer{};            ///< somebody sent other bytes
        std::uint64_t pieces{};     ///< bit i: piece i was written by the swarm
        std::uint64_t durable{};    ///< bit i: piece i was committed
        std::uint64_t lost{};       ///< bit i: piece i was not committed, the disk failed
        std::optional<Errc> failed; ///< the volume stopped in the swarm
    };
    /// `change` alters the state.
    template <typename Change>
    void tell(Change&& change) {
        {
            const std::scoped_lock lock{mutex_};
            change(state_);
            new_ = true;
        }
        told_.notify_all();
    }
    /// Waits for something new, at most so long; gives what came since the last call.
    [[nodiscard]] State wait(std::chrono::milliseconds at_most) {
        std::unique_lock lock{mutex_};
        told_.wait_for(lock, at_most, [&] { return new_; });
        new_ = state_.canceled; // then nobody waits any more
        State out = state_;
        state_ = {};
        state_.canceled = out.canceled;
        return out;
    }

private:
    std::mutex mutex_; ///< guards both below
    std::condition_variable told_;
    State state_;
    bool new_{};
};

} // namespace plankurier::relay::pieces
