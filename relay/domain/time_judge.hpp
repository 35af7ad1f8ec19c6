#pragma once
/// When this machine's wall clock may be believed: a rule alone, without clocks, files or threads.
/// Readings go in, a verdict comes out. Times are Unix seconds, monotonic ones seconds since the
/// machine started.
///
/// A clock is continuous while it says what the last trusted time and the monotonic clock let
/// expect, give or take `jump_s` within `steady_s`. Small corrections are so followed, many of them
/// in a row are not. Over a restart of the machine nothing tells how long it was off: a pause of up
/// to `jump_s` is taken as it is. All else needs a witness:
///  * other machines that trust their own clocks, when more of them agree than differ;
///  * the kernel, when a time service keeps the clock right since the machine started, and no more
///    than `away_max_s` are unexplained. A clock that was right already in this run of the machine
///    and then jumps is not believed on that word: what moved it set the kernel's mark, too;
///  * the administrator.
/// Others that differ outvote a continuous clock when they are more than this one and those that
/// agree; the doubt stays until somebody agrees.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plankurier::relay {

/// What the clocks of this machine say at one moment.
struct ClockReading {
    std::int64_t wall{};
    std::int64_t monotonic{}; ///< goes on while the machine sleeps, never jumps
    std::string boot;         ///< names this run of the machine
    bool synchronised{};      ///< the kernel says that a time service keeps the wall clock right
};

/// What is to be remembered, also beyond the process.
struct TrustedTime {
    std::string boot;
    std::int64_t wall{}, monotonic{};           ///< where the time that is judged began
    std::int64_t seen_wall{}, seen_monotonic{}; ///< the last that was trusted
    bool confirmed{}; ///< in this run of the machine its clock was synchronised, or borne out
    bool doubted{};   ///< others have outvoted it
    bool accepted{};  ///< by the administrator: no vote counts until it jumps
    friend bool operator==(const TrustedTime&, const TrustedTime&) = default;
};

struct TimeRule {
    std::int64_t jump_s{3'600};
    std::int64_t steady_s{24 * 3'600};
    std::int64_t away_max_s{60 * 24 * 3'600};
};

class TimeJudge {
public:
    /// Without a memory the first clock is taken as it is: nothing is known that speaks against it.
    TimeJudge(std::optional<TrustedTime> memory, TimeRule rule)
        : rule_(rule), memory_(std::move(memory)) {}

    /// `others`: the time now by machines that trust their own clocks.
    void judge(const ClockReading& reading, const std::vector<std::int64_t>& others);
    /// The administrator says that this clock is right.
    void accept(const ClockReading& reading);

    /// The verdict of the last `judge` or `accept`.
    [[nodiscard]] bool is_trusted() const noexcept { return trusted_; }
    /// The best that is known of the time when the clocks say this: the wall clock while it is
    /// trusted and has not jumped since; else what the others say, or what the last trusted time
    /// lets expect.
    [[nodiscard]] std::int64_t time(std::int64_t wall, std::int64_t monotonic) const;
    /// How far the wall clock is ahead of what was to be expected; less than 0: behind.
    [[nodiscard]] std::int64_t ahead_s(std::int64_t wall, std::int64_t monotonic) const;
    /// For keeping; nothing before the first verdict.
    [[nodiscard]] const std::optional<TrustedTime>& memory() const noexcept { return memory_; }

private:
    [[nodiscard]] bool is_same_boot() const { return memory_->boot == boot_; }
    [[nodiscard]] std::int64_t expected(std::int64_t monotonic) const;
    void trust(const ClockReading& reading, bool is_borne_out, bool is_accepted);

    TimeRule rule_;
    std::optional<TrustedTime> memory_;
    std::string boot_; ///< of the last reading
    bool trusted_{};
    std::optional<std::int64_t> others_ahead_; ///< their time, minus the monotonic clock
};

} // namespace plankurier::relay
