// A wrong clock destroys nothing: a jump stops the purge until the clock is back or accepted.
#include "relay/adapters/files.hpp"

#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <set>

namespace plankurier::test::clock_test {

TEST_CASE("a clock that jumps ahead purges nothing") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const LinkId link = world.link_for();
    world.clock.jump(400 * day_s);
    for (int i = 0; i < 3; ++i) {
        world.clock.pass(1);
        world.relay().tick();
        CHECK_FALSE(world.relay().is_clock_trusted());
    }
    CHECK(world.store().transfer(sending.id));
    CHECK(world.audit().empty());
    SECTION("and all is as before when it is back") {
        world.clock.jump(-400 * day_s);
        world.relay().tick();
        CHECK(world.relay().is_clock_trusted());
        CHECK(world.relay().envelope(link));
        world.clock.pass(14 * day_s);
        world.relay().tick();
        CHECK_FALSE(world.store().transfer(sending.id));
    }
    SECTION("until somebody says that it is right") {
        world.relay().accept_clock();
        world.relay().tick();
        CHECK(world.relay().is_clock_trusted());
        CHECK_FALSE(world.store().transfer(sending.id));
    }
}

TEST_CASE("the guard outlives the process, in both directions") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const LinkId link = world.link_for();
    const std::int64_t jump = GENERATE(400 * day_s, -400 * day_s);
    world.clock.jump(jump);
    world.relay().tick();
    for (int start = 0; start < 3; ++start) {
        world.restart();
        world.clock.pass(1);
        world.relay().tick();
        CHECK_FALSE(world.relay().is_clock_trusted());
        CHECK(world.store().transfer(sending.id));
    }
    world.clock.jump(-jump);
    world.relay().tick();
    CHECK(world.relay().envelope(link));
    world.clock.pass(14 * day_s);
    world.restart();
    world.relay().tick();
    CHECK_FALSE(world.store().transfer(sending.id));
}

TEST_CASE("a machine that was off over an end deletes once its time is borne out") {
    const TempFolder folder;
    Control world{folder.path(), {.relays = 2}};
    const auto sending = world.available();
    const LinkId link = world.link_for();
    world.stop();
    world.clock.reboot(21 * day_s);
    world.restart();
    world.relay().tick();
    CHECK_FALSE(world.relay().is_clock_trusted());
    CHECK(world.store().transfer(sending.id));
    CHECK(why(world.relay().envelope(link)) == "not_found"); // its day is over by one clock
    SECTION("by the kernel") { world.clock.synchronised = true; }
    SECTION("by a relay that lives") {
        auto news = world.news();
        news.clock = world.clock.now();
        world.sync(1, news);
    }
    SECTION("by the administrator") { world.relay().accept_clock(); }
    world.relay().tick();
    CHECK(world.relay().is_clock_trusted());
    CHECK_FALSE(world.store().transfer(sending.id));
}

TEST_CASE("nothing is read after its day by any clock") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const LinkId link = world.link_for();
    const auto reads = [&] {
        return std::set{why(world.relay().envelope(link)), why(world.relay().verified_record(link)),
                        why(world.relay().get_ticket(sending.id, sending.fetch()))};
    };
    const std::set<std::string> open{"value"}, over{"not_found"};
    CHECK(reads() == open);
    SECTION("one that is ahead") {
        world.clock.jump(15 * day_s);
        CHECK(reads() == over); // also before the next tick
        world.clock.jump(-15 * day_s);
        CHECK(reads() == open);
    }
    SECTION("one that was set back") {
        world.clock.jump(-100 * day_s);
        world.clock.pass(13 * day_s);
        CHECK(reads() == open);
        world.clock.pass(day_s);
        CHECK(reads() == over);
        world.restart();
        CHECK(reads() == over);
    }
}

TEST_CASE("what somebody has revoked is deleted by whatever clock") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const auto other = world.available();
    world.clock.jump(400 * day_s);
    world.relay().tick();
    REQUIRE(world.relay().revoke(sending.id, sending.manage));
    world.relay().tick();
    CHECK_FALSE(world.store().transfer(sending.id));
    CHECK(world.store().transfer(other.id));
}

TEST_CASE("while the clock is wrong, people send and relays sync by the time that it should be") {
    const TempFolder folder;
    Control world{folder.path()};
    world.relay().tick();
    const std::int64_t right = world.clock.now();
    world.clock.jump(GENERATE(400 * day_s, -400 * day_s));
    world.relay().tick();
    auto news = world.news();
    news.time = right;
    const auto answer = world.relay().sync(known_relay(0).id, news);
    REQUIRE(answer);
    CHECK(answer->now == right);
    CHECK_FALSE(answer->is_time_trusted);
    const auto sending = world.available();
    CHECK(world.relay().status(sending.id, sending.manage)->expires == right + 14 * day_s);
    world.relay().accept_clock();
    CHECK(world.relay().sync(known_relay(0).id, world.news())->is_time_trusted);
}

TEST_CASE("relays that trust their clocks and differ outvote the control plane's") {
    const TempFolder folder;
    Control world{folder.path(), {.relays = 3}};
    const auto sending = world.available();
    world.clock.pass(15 * day_s); // so does the clock of a machine that was wrong from the start
    const std::int64_t theirs = world.clock.now() - 10 * day_s;
    for (const std::size_t number : {1U, 2U}) {
        auto news = world.news();
        news.time = theirs; // refused, but heard
        news.clock = theirs;
        CHECK(why(world.relay().sync(known_relay(number).id, news)) == "expired");
    }
    world.relay().tick();
    CHECK_FALSE(world.relay().is_clock_trusted());
    CHECK(world.store().transfer(sending.id));
    world.clock.pass(60); // they are silent: the doubt stays
    world.relay().tick();
    CHECK(world.store().transfer(sending.id));
    world.relay().accept_clock();
    world.relay().tick();
    CHECK_FALSE(world.store().transfer(sending.id));
}

TEST_CASE("a clock that jumps back is noticed, too, and keeps nothing for longer once accepted") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    world.clock.pass(7 * day_s);
    world.relay().tick();
    world.clock.jump(-5 * day_s);
    world.relay().tick();
    CHECK_FALSE(world.relay().is_clock_trusted());
    world.relay().accept_clock();
    CHECK(world.relay().is_clock_trusted());
    world.clock.pass(12 * day_s);
    world.relay().tick();
    CHECK_FALSE(world.store().transfer(sending.id));
}

TEST_CASE("time that passes while the process sleeps is no jump") {
    const TempFolder folder;
    Control world{folder.path()};
    world.relay().tick();
    world.clock.pass(400 * day_s);
    world.relay().tick();
    CHECK(world.relay().is_clock_trusted());
}

TEST_CASE("while the clock is wrong, mails still go out and codes are kept") {
    const TempFolder folder;
    Control world{folder.path()};
    world.relay().tick();
    const auto session = world.relay().begin_verification(citizen, "de");
    world.clock.jump(GENERATE(-30 * day_s, 30 * day_s));
    world.relay().tick();
    CHECK_FALSE(world.relay().is_clock_trusted());
    CHECK(world.mails.sent_to(citizen).size() == 1);
    CHECK(world.store().verification(to_hex(sha256(session->session.reveal()))));
}

TEST_CASE("the last trusted time is kept in a file, and a damaged one explains no clock") {
    const TempFolder folder;
    const auto file = folder.path() / "trusted-time";
    relay::adapters::TimeFile times{file};
    CHECK_FALSE(times.load());
    const relay::TrustedTime time{"a-boot", 1'800'000'000, 5, 1'800'000'060, 65, true, false, true};
    times.save(time);
    CHECK(relay::adapters::TimeFile{file}.load() == time);
    relay::adapters::write_durably(file, as_bytes("plankurier-time-1 a-boot 18"));
    FakeClock clock;
    relay::ServiceTime service{clock, times};
    CHECK_FALSE(service.is_trusted());
    CHECK(service.latest() >= clock.now());
    service.accept();
    CHECK(service.is_trusted());
    CHECK(times.load()->accepted);
}

TEST_CASE("time that goes by is remembered once a minute, not more often") {
    FakeClock clock;
    FakeTimeMemory memory;
    relay::ServiceTime service{clock, memory};
    CHECK(memory.saves == 1);
    for (int second = 0; second < 120; ++second) {
        clock.pass(1);
        service.look({});
    }
    CHECK(memory.saves == 3);
}

} // namespace plankurier::test::clock_test
