#include <clients/cli/relay_choice.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::relay_choice_test {

using namespace plankurier::cli;
using std::chrono::seconds;

TEST_CASE("relays are asked in turn from the wanted one on") {
    const RelayChoice choice{3};
    CHECK(choice.pick(0) == 0U);
    CHECK(choice.pick(2) == 2U);
    CHECK(choice.pick(4) == 1U);
}

TEST_CASE("a relay that failed rests, longer each time, until it works again") {
    RelayChoice choice{2};
    const RelayChoice::Time now{seconds{1'000'000}};
    choice.failed(0, now);
    CHECK(choice.pick(0, now) == 1U);
    CHECK_FALSE(choice.usable(0, now));
    CHECK(choice.pick(0, now + seconds{10}) == 0U);
    choice.failed(0, now);
    CHECK(choice.pick(0, now + seconds{10}) == 1U);
    CHECK(choice.pick(0, now + seconds{20}) == 0U);
    for (int again = 0; again < 50; ++again) choice.failed(0, now);
    CHECK(choice.pick(0, now + seconds{299}) == 1U);
    CHECK(choice.pick(0, now + seconds{300}) == 0U);
    choice.worked(0);
    CHECK(choice.pick(0, now) == 0U);
}

TEST_CASE("when all rest, the one that rests shortest is asked") {
    RelayChoice choice{2};
    const RelayChoice::Time now{seconds{1'000'000}};
    choice.failed(0, now);
    choice.failed(0, now);
    choice.failed(1, now);
    CHECK(choice.pick(0, now) == 1U);
}

TEST_CASE("a relay that lied is never asked again") {
    RelayChoice choice{2};
    CHECK(choice.lied(0));
    CHECK_FALSE(choice.lied(0)); // no news
    choice.worked(0);
    CHECK(choice.pick(0) == 1U);
    CHECK(choice.honest_count() == 1);
    CHECK(choice.lied(1));
    CHECK_FALSE(choice.pick(0));
}

} // namespace plankurier::test::relay_choice_test
