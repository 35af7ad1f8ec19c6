// When a clock is believed: readings in, verdict out.
#include "relay/domain/time_judge.hpp"

#include "tests/support/control.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::time_judge_test {

namespace {

using relay::ClockReading;
using relay::TimeJudge;
using relay::TrustedTime;

constexpr std::int64_t minute_s = 60;

/// A machine whose clocks a test moves, and its judge.
struct Machine {
    ClockReading reading{1'800'000'000, 5'000, "first", false};
    TimeJudge judge{std::nullopt, {}};

    Machine() { judge.judge(reading, {}); }
    void pass(std::int64_t seconds) {
        reading.wall += seconds;
        reading.monotonic += seconds;
    }
    /// Off for a while; `wall_s` is how far its clock goes on meanwhile.
    void reboot(std::int64_t wall_s) {
        reading.wall += wall_s;
        reading.monotonic = 30;
        reading.boot += "'";
        judge = TimeJudge{judge.memory(), {}};
    }
    bool trusts(const std::vector<std::int64_t>& others = {}) {
        judge.judge(reading, others);
        return judge.is_trusted();
    }
    [[nodiscard]] std::int64_t time() const { return judge.time(reading.wall, reading.monotonic); }
};

} // namespace

TEST_CASE("a clock that nothing is known of is taken as it is, and time that passes is no jump") {
    Machine machine;
    CHECK(machine.judge.is_trusted());
    for (const std::int64_t days : {1, 30, 400}) {
        machine.pass(days * day_s);
        CHECK(machine.trusts());
    }
}

TEST_CASE("a clock that jumps in a running machine is not trusted until it is back") {
    for (const std::int64_t jump : {400 * day_s, -400 * day_s, hour_s + 1, -hour_s - 1}) {
        Machine machine;
        const std::int64_t right = machine.reading.wall;
        machine.reading.wall += jump;
        CHECK_FALSE(machine.trusts());
        CHECK(machine.judge.ahead_s(machine.reading.wall, machine.reading.monotonic) == jump);
        CHECK(machine.time() == right);
        machine.pass(day_s);
        CHECK_FALSE(machine.trusts());
        CHECK(machine.time() == right + day_s);
        machine.reading.wall -= jump;
        CHECK(machine.trusts());
    }
}

TEST_CASE("not even for the moment between two verdicts a jump counts as time") {
    Machine machine;
    CHECK(machine.judge.time(machine.reading.wall + 400 * day_s, machine.reading.monotonic) ==
          machine.reading.wall);
}

TEST_CASE("an hour of corrections a day is followed, more is a jump in steps") {
    Machine machine;
    machine.reading.wall += hour_s;
    CHECK(machine.trusts());
    machine.reading.wall += 1;
    CHECK_FALSE(machine.trusts());
    machine.reading.wall -= 1;
    CHECK(machine.trusts());
    machine.pass(day_s);
    CHECK(machine.trusts());
    machine.reading.wall += 59 * minute_s;
    CHECK(machine.trusts());
    for (int step = 0; step < 10; ++step) {
        machine.pass(1);
        machine.reading.wall += 59 * minute_s;
        CHECK_FALSE(machine.trusts());
    }
}

TEST_CASE("the guard outlives the process: what jumped before a restart is a jump after it") {
    for (const std::int64_t jump : {400 * day_s, -400 * day_s}) {
        Machine machine;
        const std::int64_t right = machine.reading.wall;
        machine.reading.wall += jump;
        machine.judge = TimeJudge{machine.judge.memory(), {}};
        CHECK_FALSE(machine.trusts());
        CHECK(machine.time() == right);
    }
}

TEST_CASE("a machine that is started again quickly needs no witness") {
    Machine machine;
    machine.pass(200 * day_s);
    CHECK(machine.trusts());
    machine.reboot(2 * minute_s);
    CHECK(machine.trusts());
}

TEST_CASE("a machine that was off for three weeks goes on when its kernel knows the time") {
    Machine machine;
    machine.reboot(21 * day_s);
    CHECK_FALSE(machine.trusts());
    machine.pass(minute_s);
    machine.reading.synchronised = true;
    CHECK(machine.trusts());
    CHECK(machine.time() == machine.reading.wall);
}

TEST_CASE("or when it started with the clock of its last day, which is set right then") {
    Machine machine;
    machine.reboot(0); // no clock of its own that runs while it is off
    CHECK(machine.trusts());
    machine.pass(minute_s);
    machine.reading.wall += 21 * day_s;
    machine.reading.synchronised = true;
    CHECK(machine.trusts());
    SECTION("but no more once it was right in this run") {
        machine.pass(minute_s);
        machine.reading.wall += 21 * day_s;
        CHECK_FALSE(machine.trusts());
    }
}

TEST_CASE("or when other machines bear it out") {
    Machine machine;
    machine.reboot(21 * day_s);
    CHECK(machine.trusts({machine.reading.wall + 2}));
}

TEST_CASE("nobody is believed to have been off for 400 days on a kernel's word") {
    for (const std::int64_t jump : {400 * day_s, -400 * day_s}) {
        Machine machine;
        const std::int64_t right = machine.reading.wall;
        machine.reboot(jump);
        machine.reading.synchronised = true;
        CHECK_FALSE(machine.trusts());
        if (jump < 0) CHECK(machine.time() >= right);
        CHECK(machine.trusts({machine.reading.wall}));
    }
}

TEST_CASE("in a running machine the kernel's word explains no jump") {
    Machine machine;
    machine.reading.synchronised = true;
    CHECK(machine.trusts());
    machine.reading.wall += 20 * day_s;
    CHECK_FALSE(machine.trusts());
    CHECK_FALSE(machine.trusts({machine.reading.wall - 20 * day_s})); // one that differs
    CHECK(machine.trusts({machine.reading.wall}));
}

TEST_CASE("most of the others outvote a clock, one alone does not") {
    Machine machine;
    const std::int64_t theirs = machine.reading.wall + 10 * day_s;
    CHECK(machine.trusts({theirs}));
    CHECK(machine.trusts({theirs, machine.reading.wall, theirs}));
    CHECK_FALSE(machine.trusts({theirs, theirs}));
    CHECK(machine.time() == theirs);
    SECTION("and the doubt stays when they fall silent, and over a restart") {
        CHECK_FALSE(machine.trusts());
        machine.judge = TimeJudge{machine.judge.memory(), {}};
        CHECK_FALSE(machine.trusts());
    }
    SECTION("until one agrees") { CHECK(machine.trusts({machine.reading.wall})); }
    SECTION("or the administrator decides, who then outvotes them until the next jump") {
        machine.judge.accept(machine.reading);
        CHECK(machine.judge.is_trusted());
        CHECK(machine.trusts({theirs, theirs}));
        machine.judge = TimeJudge{machine.judge.memory(), {}};
        CHECK(machine.trusts({theirs, theirs}));
        machine.reading.wall += 2 * hour_s;
        CHECK_FALSE(machine.trusts());
    }
}

TEST_CASE("outvoted at its very first start a clock is not trusted either") {
    Machine machine;
    machine.judge = TimeJudge{std::nullopt, {}};
    const std::int64_t theirs = machine.reading.wall - 30 * day_s;
    CHECK_FALSE(machine.trusts({theirs, theirs}));
    CHECK_FALSE(machine.trusts());
}

TEST_CASE("the administrator's word sets the time anew") {
    Machine machine;
    machine.reading.wall += 400 * day_s;
    CHECK_FALSE(machine.trusts());
    machine.judge.accept(machine.reading);
    CHECK(machine.judge.is_trusted());
    CHECK(machine.time() == machine.reading.wall);
    machine.pass(1);
    CHECK(machine.trusts());
    machine.reading.wall -= 400 * day_s; // the time before is a jump now
    CHECK_FALSE(machine.trusts());
}

} // namespace plankurier::test::time_judge_test
