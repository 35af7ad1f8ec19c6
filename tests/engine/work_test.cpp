#include <plankurier/work.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::work_test {

namespace {
bool never() { return false; }
} // namespace

TEST_CASE("work is checked by the hash that is written down, part by part") {
    // By Python's hashlib.
    const WorkPuzzle puzzle{"salt", 8, 3};
    CHECK(check_work(puzzle, {310, 250, 112}));
    CHECK_FALSE(check_work(puzzle, {250, 310, 112}));
    CHECK_FALSE(check_work(puzzle, {310, 250}));
    CHECK_FALSE(check_work(puzzle, {310, 250, 112, 112}));
    CHECK_FALSE(check_work(puzzle, {310, 250, 113}));
    CHECK_FALSE(check_work({"Salt", 8, 3}, {310, 250, 112}));
    CHECK_FALSE(check_work({"salt", 16, 3}, {310, 250, 112}));
}

TEST_CASE("solved work is accepted") {
    const WorkPuzzle puzzle{"salt", 8, 3};
    CHECK(solve_work(puzzle, never).value() == std::vector<std::uint64_t>{310, 250, 112});
    const WorkPuzzle harder{"another", 14, 2};
    CHECK(check_work(harder, solve_work(harder, never).value()));
}

TEST_CASE("nobody is made to work for hours, or on after being stopped") {
    const auto why = [](const WorkPuzzle& puzzle, bool is_canceled) {
        const auto solved = solve_work(puzzle, [=] { return is_canceled; });
        return solved ? std::string{"value"} : std::string{name(solved.error().code)};
    };
    CHECK(why({"salt", 1, work_count_max + 1}, false) == "unsupported");
    CHECK(why({std::string(work_salt_bytes_max + 1, 'a'), 1, 1}, false) == "unsupported");
    // 2^24 attempts in all, however they are divided, and no more.
    for (unsigned parts_log2 = 0; parts_log2 <= 6; ++parts_log2) {
        const auto count = std::size_t{1} << parts_log2;
        CHECK(why({"salt", 24 - parts_log2, count}, true) == "canceled");
        CHECK(why({"salt", 25 - parts_log2, count}, false) == "unsupported");
        if (count < work_count_max) {
            CHECK(why({"salt", 24 - parts_log2, count + 1}, false) == "unsupported");
        }
    }
    for (const unsigned bits : {64U, 65U, 256U, 4'294'967'295U}) {
        CHECK(why({"salt", bits, 1}, false) == "unsupported");
    }
    CHECK_FALSE(is_too_much({"salt", 18, 16})); // what a relay asks for by default
}

} // namespace plankurier::test::work_test
