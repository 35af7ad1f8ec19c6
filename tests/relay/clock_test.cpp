// A wrong clock destroys nothing: a jump stops the purge until the clock is back or accepted.
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test {

TEST_CASE("a clock that jumps ahead purges nothing") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const LinkId link = world.link_for();
    world.clock.jump(400 * day_s);
    for (int i = 0; i < 3; ++i) {
        world.clock.pass(1);
        world.relay().tick();
        CHECK(world.relay().clock_jumped());
    }
    CHECK(world.store().transfer(sending.id));
    CHECK(world.audit().empty());
    SECTION("and all is as before when it is back") {
        world.clock.jump(-400 * day_s);
        world.relay().tick();
        CHECK_FALSE(world.relay().clock_jumped());
        CHECK(world.relay().envelope(link));
        world.clock.pass(14 * day_s);
        world.relay().tick();
        CHECK_FALSE(world.store().transfer(sending.id));
    }
    SECTION("until somebody says that it is right") {
        world.relay().accept_clock();
        world.relay().tick();
        CHECK_FALSE(world.relay().clock_jumped());
        CHECK_FALSE(world.store().transfer(sending.id));
    }
}

TEST_CASE("relays are not told a time that jumped") {
    const TempFolder folder;
    Control world{folder.path()};
    world.relay().tick();
    const auto sync = [&] { return why(world.relay().sync(known_relay(0).id, world.news())); };
    CHECK(sync() == "value");
    world.clock.jump(400 * day_s);
    CHECK(sync() == why(Result<void>{fail(Errc::unavailable)}));
    world.relay().accept_clock();
    CHECK(sync() == "value");
}

TEST_CASE("a clock that jumps back is noticed, too, and keeps nothing for longer once accepted") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    world.clock.pass(7 * day_s);
    world.relay().tick();
    world.clock.jump(-5 * day_s);
    world.relay().tick();
    CHECK(world.relay().clock_jumped());
    world.relay().accept_clock();
    CHECK_FALSE(world.relay().clock_jumped());
    world.clock.pass(12 * day_s);
    world.relay().tick();
    CHECK_FALSE(world.store().transfer(sending.id));
}

TEST_CASE("a jump of up to an hour is a correction, a second more is not") {
    const TempFolder folder;
    Control world{folder.path()};
    world.relay().tick();
    for (const std::int64_t jump : {hour_s, -hour_s, hour_s}) {
        world.clock.jump(jump);
        world.relay().tick();
        CHECK_FALSE(world.relay().clock_jumped());
    }
    world.clock.jump(hour_s + 1);
    world.relay().tick();
    CHECK(world.relay().clock_jumped());
    world.clock.jump(-1);
    world.relay().tick();
    CHECK_FALSE(world.relay().clock_jumped());
    world.clock.jump(-hour_s - 1);
    world.relay().tick();
    CHECK(world.relay().clock_jumped());
}

TEST_CASE("time that passes while the process sleeps is no jump") {
    const TempFolder folder;
    Control world{folder.path()};
    world.relay().tick();
    world.clock.pass(400 * day_s);
    world.relay().tick();
    CHECK_FALSE(world.relay().clock_jumped());
}

TEST_CASE("while the clock is wrong, mails still go out and codes are kept") {
    const TempFolder folder;
    Control world{folder.path()};
    world.relay().tick();
    const auto session = world.relay().begin_verification(citizen, "de");
    world.clock.jump(-30 * day_s);
    world.relay().tick();
    CHECK(world.relay().clock_jumped());
    CHECK(world.mails.sent_to(citizen).empty()); // due in the future of this clock
    world.clock.jump(60 * day_s);
    world.relay().tick();
    CHECK(world.relay().clock_jumped());
    CHECK(world.mails.sent_to(citizen).size() == 1);
    CHECK(world.store().verification(to_hex(sha256(session->session.reveal()))));
}

} // namespace plankurier::test
