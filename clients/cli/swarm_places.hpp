#pragma once
/// Where relays serve volumes. Each relay is asked on a thread of its own, so that one that keeps
/// silent holds nobody else up. `ask` and the destructor belong to one thread.

#include <clients/cli/lanes.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace plankurier::cli {

class SwarmPlaces {
public:
    /// The call to a relay (its number), which blocks. Ends early when `stop` asks for it.
    using Call = std::function<Result<SwarmPeer>(std::size_t relay, std::uint32_t volume,
                                                 const std::stop_token& stop)>;
    /// What a relay said; told from its thread.
    struct Answer {
        std::size_t relay{};
        std::uint32_t volume{};
        Result<SwarmPeer> peer;
    };
    using Listener = std::function<void(Answer)>;

    SwarmPlaces(std::size_t relays, Call call, Listener listener);
    ~SwarmPlaces();

    /// Asks a relay about a volume, after what it was asked before. The caller has one question
    /// about a volume under way at a time, which bounds the queue.
    void ask(std::size_t relay, std::uint32_t volume);

private:
    struct Relay {
        std::mutex mutex; ///< guards the queue
        std::condition_variable_any more;
        std::deque<std::uint32_t> volumes;
        std::jthread thread; ///< last, so that it ends first
    };
    void run(std::size_t number, Relay& relay, const std::stop_token& stop);

    Call call_;
    Listener listener_;
    std::deque<Relay> relays_;
};

} // namespace plankurier::cli
