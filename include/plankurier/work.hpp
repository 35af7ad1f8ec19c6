#pragma once
/// Proof of work: whoever asks for something of which there is not enough for all pays with
/// computing time. Stateless functions; any thread.

#include <plankurier/bytes.hpp>
#include <plankurier/error.hpp>

#include <functional>
#include <vector>

namespace plankurier {

/// `count` small searches instead of a big one: the time that it takes varies less.
struct WorkPuzzle {
    std::string salt; ///< at most 64 bytes
    unsigned bits{};
    std::size_t count{};
};
/// The most that a client does for anybody: 2^24 attempts on average in all, a quarter of a minute
/// of one core. A relay asks for 2^22 by default, seconds.
inline constexpr std::uint64_t work_attempts_max = std::uint64_t{1} << 24;
inline constexpr std::size_t work_count_max = 64, work_salt_bytes_max = 64;
/// True when a client refuses it, by these limits.
[[nodiscard]] bool is_too_much(const WorkPuzzle& puzzle) noexcept;

/// True when there is a number for each part and, for part i = 0, 1, …,
/// SHA-256("plankurier/1 work" 00 salt i:u32 number:u64), integers big-endian, begins with `bits`
/// zero bits.
[[nodiscard]] bool check_work(const WorkPuzzle& puzzle, const std::vector<std::uint64_t>& numbers);
/// Finds such numbers, by 2^bits * count attempts on average. `is_canceled` is asked now and then.
/// Fails with `unsupported` (`is_too_much`), `canceled`.
[[nodiscard]] Result<std::vector<std::uint64_t>>
solve_work(const WorkPuzzle& puzzle, const std::function<bool()>& is_canceled);

} // namespace plankurier
