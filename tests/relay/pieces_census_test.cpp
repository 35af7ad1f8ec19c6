// Whose lines the piece plane counts.
#include <utility> // Boost 1.74 uses std::exchange without it

#include "relay/pieces/census.hpp"

#include <catch2/catch.hpp>

#include <vector>

namespace plankurier::test::pieces_census_test {

namespace {

using relay::pieces::Census;
using relay::pieces::LineLimits;

boost::asio::ip::address office() { return boost::asio::ip::make_address("192.0.2.1"); }
LineLimits small() { return {3, 5, 2, 4, 2}; }
TransferId transfer(char c) { return TransferId::from_hex(std::string(32, c)).value(); }

std::vector<Census::Seat> enter(Census& census, int count) {
    std::vector<Census::Seat> out;
    for (int i = 0; i < count; ++i) {
        if (auto seat = census.enter(office())) out.push_back(std::move(*seat));
    }
    return out;
}

} // namespace

TEST_CASE("beyond its limit an address has some late lines, and then none") {
    Census census{small()};
    auto seats = enter(census, 9);
    REQUIRE(seats.size() == 5);
    CHECK_FALSE(seats[2].late());
    CHECK(seats[3].late());
    seats.clear();
    CHECK(enter(census, 9).size() == 5);
}

TEST_CASE("a line with a ticket no longer counts for its address") {
    Census census{small()};
    auto seats = enter(census, 3);
    CHECK(seats[0].take(transfer('a')));
    CHECK(seats[0].take(transfer('a'))); // shown again
    CHECK(seats[0].has_ticket());
    const auto next = census.enter(office());
    REQUIRE(next);
    CHECK_FALSE(next->late());
}

TEST_CASE("a late line that shows a ticket is as good as any") {
    Census census{small()};
    auto seats = enter(census, 4);
    REQUIRE(seats[3].late());
    CHECK(seats[3].take(transfer('a')));
    CHECK_FALSE(seats[3].late());
    CHECK(enter(census, 9).size() == 2); // its late place is free again
}

TEST_CASE("a transfer has so many lines, and all transfers together") {
    Census census{small()};
    std::vector<Census::Seat> all;
    const auto taken = [&](char c) {
        auto seat = census.enter(office());
        REQUIRE(seat);
        const bool good = seat->take(transfer(c));
        if (good) all.push_back(std::move(*seat));
        return good;
    };
    CHECK(taken('a'));
    CHECK(taken('a'));
    CHECK_FALSE(taken('a'));
    CHECK(taken('b'));
    CHECK(taken('b'));
    CHECK_FALSE(taken('c'));           // four in all
    CHECK(all[0].take(transfer('c'))); // it may go over to another
    CHECK(all.size() == 4);
    all.pop_back();
    CHECK(taken('c'));
}

} // namespace plankurier::test::pieces_census_test
