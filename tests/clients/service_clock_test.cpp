// This computer's clock beside the service's.
#include <clients/cli/service_clock.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <ctime>

namespace plankurier::test::service_clock_test {

using cli::ServiceClock;

TEST_CASE("before anything was heard this computer's clock is taken, and nothing is agreed on") {
    const ServiceClock clock;
    CHECK_FALSE(clock.is_wrong());
    CHECK_FALSE(clock.agreed_now());
    CHECK(std::abs(clock.now() - std::time(nullptr)) <= 1);
}

TEST_CASE("clocks that are an hour apart agree, more is a wrong clock") {
    for (const std::int64_t apart : {std::int64_t{0}, std::int64_t{3'500}, std::int64_t{-3'500}}) {
        ServiceClock clock;
        clock.hear(std::time(nullptr) + apart);
        CHECK_FALSE(clock.is_wrong());
        REQUIRE(clock.agreed_now());
        CHECK(std::abs(*clock.agreed_now() - std::time(nullptr) - apart) <= 1);
    }
    for (const std::int64_t apart : {std::int64_t{3'700}, 20 * day_s, -400 * day_s}) {
        ServiceClock clock;
        clock.hear(std::time(nullptr) + apart);
        CHECK(clock.is_wrong());
        CHECK_FALSE(clock.agreed_now());
        CHECK(std::abs(clock.now() - std::time(nullptr) - apart) <= 1);
    }
}

} // namespace plankurier::test::service_clock_test
