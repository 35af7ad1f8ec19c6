#pragma once
/// The time that a process of the service goes by, and whether it may delete by it. Judges the
/// machine's clock (time_judge.hpp) and remembers the last trusted time beyond the process.
/// Thread safe: one mutex.

#include "relay/domain/ports.hpp"
#include "relay/domain/time_judge.hpp"

#include <mutex>

namespace plankurier::relay {

class ServiceTime final : public Clock {
public:
    /// Judges at once, by this machine alone.
    ServiceTime(Clock& machine, TimeMemory& memory, TimeRule rule = {});

    /// Judges anew. `others`: see TimeJudge.
    void look(const std::vector<std::int64_t>& others);
    /// The administrator says that the wall clock is right.
    void accept();

    /// The best that is known of the time.
    std::int64_t now() override;
    /// The latest that any clock says: nothing is read after its day by it.
    [[nodiscard]] std::int64_t latest();
    std::int64_t monotonic() override { return machine_.monotonic(); }
    ClockReading read() override { return machine_.read(); }
    /// May what is past its day be deleted? By the last `look`, and unless the clock has jumped
    /// since.
    [[nodiscard]] bool is_trusted();
    /// How far the wall clock is ahead of what was to be expected; less than 0: behind.
    [[nodiscard]] std::int64_t ahead_s();

private:
    void remember();

    Clock& machine_;
    TimeMemory& store_;
    const TimeRule rule_;
    std::mutex mutex_;                ///< guards both below
    std::optional<TrustedTime> kept_; ///< what the memory holds
    TimeJudge judge_;
};

} // namespace plankurier::relay
