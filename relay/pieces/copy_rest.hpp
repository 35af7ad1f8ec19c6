#pragma once
/// How long a volume that could not be copied rests before the next attempt. One thread at a time.

#include <chrono>

namespace plankurier::relay::pieces {

enum class CopyEnd {
    done,  ///< the descriptor is durable
    again, ///< worth another attempt soon
    disk,  ///< the disk is full or fails: worth another attempt later
    drop   ///< purged, or never going to fit
};

class CopyRest {
public:
    /// After an attempt that ended with `again` or `disk`. Twice as long each time that it ends in
    /// the same way, from 250 ms (`disk`: `disk_rest`) up to 15 s (`disk`: a minute); another end
    /// begins anew: a swarm process that has yet to start must not make the first failure of the
    /// disk cost more.
    [[nodiscard]] std::chrono::milliseconds after(CopyEnd end, std::chrono::milliseconds disk_rest);

private:
    CopyEnd last_{}; ///< `done`: there was none
    unsigned in_a_row_{};
};

} // namespace plankurier::relay::pieces
