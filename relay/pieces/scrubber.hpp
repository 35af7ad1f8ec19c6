#pragma once
/// Reads and hashes what this relay stores: slowly everything, at once what somebody could not
/// read. Damaged pieces go out of service; those that are good again, because a disk came back,
/// come back too. One thread of its own.

#include "relay/pieces/catalog.hpp"
#include "relay/pieces/lease.hpp"

#include <thread>

namespace plankurier::relay::pieces {

class Scrubber {
public:
    struct Settings {
        std::filesystem::path request; ///< while this file is there, everything is wanted again
        std::int64_t days{30};         ///< so often everything is read
        std::uint64_t bytes_per_s{50'000'000}; ///< of the slow reading; at least 1
        /// A volume that was good is not read again before, however often somebody complains; but
        /// then it is.
        std::chrono::milliseconds suspect_rest{30'000};
    };
    /// A volume has lost pieces, or has them back; on the scrubber's thread.
    struct News {
        std::function<void(const Catalog::VolumeId&)> damaged; ///< nothing of it may be served on
        std::function<void()> changed;                         ///< what this relay has
        /// What lies there is to be looked at: no copy writes it for the moment.
        std::function<void(const TransferId&)> let_go{[](const TransferId&) {}};
    };
    Scrubber(Catalog& catalog, const Lease& lease, Settings settings, News news);
    ~Scrubber();
    Scrubber(const Scrubber&) = delete;
    Scrubber& operator=(const Scrubber&) = delete;

private:
    using Clock = std::chrono::steady_clock;
    void run(const std::stop_token& stop);
    void step(const std::stop_token& stop);
    void look_at_suspect(const Catalog::VolumeId& volume);
    void check(const Catalog::VolumeId& volume, const std::stop_token* slow);
    [[nodiscard]] std::uint64_t bad_pieces(const VolumeCheck& check, const std::stop_token* slow);
    void pause(std::uint64_t bytes, const std::stop_token& stop);
    void end_rests();
    enum class Look { nothing, taken, busy };
    Look take_back(const Catalog::VolumeId& volume);
    void take_back_all(const std::stop_token& stop);

    Catalog& catalog_;
    const Lease& lease_;
    const Settings settings_;
    const News news_;
    // The thread's own:
    Bytes buffer_;
    std::map<Catalog::VolumeId, Clock::time_point> looked_; ///< at suspects, lately
    std::set<Catalog::VolumeId> too_early_; ///< complained of since, and yet to be looked at
    std::set<Catalog::VolumeId> to_take_back_;
    Clock::time_point take_back_at_{};
    std::chrono::seconds take_back_rest_{};
    std::mutex rest_mutex_; ///< guards nothing: the thread rests with it
    std::condition_variable_any rest_;
    std::jthread thread_; ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
