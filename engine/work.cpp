#include "engine/crypto.hpp"

#include <plankurier/work.hpp>

#include <algorithm>
#include <bit>

namespace plankurier {

namespace {

/// What a number is tried with: the text of its part, whose last eight bytes it becomes.
class Part {
public:
    Part(const WorkPuzzle& puzzle, std::size_t index) : bits_(puzzle.bits) {
        Writer out;
        out.text("plankurier/1 work").u8(0).text(puzzle.salt);
        text_ = out.u32(static_cast<std::uint32_t>(index)).u64(0).take();
    }

    bool fits(std::uint64_t number) {
        for (auto at = text_.rbegin(); at != text_.rbegin() + 8; ++at, number >>= 8) {
            *at = static_cast<std::byte>(number & 0xFF);
        }
        return zero_bits(sha256(text_)) >= bits_;
    }

private:
    static unsigned zero_bits(const std::array<std::byte, 32>& digest) {
        unsigned count = 0;
        for (const std::byte one : digest) {
            const auto zeros =
                static_cast<unsigned>(std::countl_zero(std::to_integer<std::uint8_t>(one)));
            count += zeros;
            if (zeros < 8) break;
        }
        return count;
    }

    Bytes text_;
    unsigned bits_;
};

} // namespace

bool is_too_much(const WorkPuzzle& puzzle) noexcept {
    if (puzzle.count > work_count_max || puzzle.salt.size() > work_salt_bytes_max) return true;
    constexpr auto bits_max = static_cast<unsigned>(std::bit_width(work_attempts_max)) - 1;
    return puzzle.bits > bits_max || puzzle.count > work_attempts_max >> puzzle.bits;
}

bool check_work(const WorkPuzzle& puzzle, const std::vector<std::uint64_t>& numbers) {
    if (numbers.size() != puzzle.count) return false;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (!Part{puzzle, i}.fits(numbers[i])) return false;
    }
    return true;
}

Result<std::vector<std::uint64_t>> solve_work(const WorkPuzzle& puzzle,
                                              const std::function<bool()>& is_canceled) {
    constexpr std::uint64_t tries_between_questions = 1 << 16;
    if (is_too_much(puzzle)) return fail(Errc::unsupported, "work");
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < puzzle.count; ++i) {
        Part part{puzzle, i};
        std::uint64_t number = 0;
        while (!part.fits(number)) {
            if (++number % tries_between_questions == 0 && is_canceled()) {
                return fail(Errc::canceled, "work");
            }
        }
        numbers.push_back(number);
    }
    return numbers;
}

} // namespace plankurier
