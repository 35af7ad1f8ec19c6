// Who lives, and in which order relays get a transfer.
#include "relay/domain/relays.hpp"

#include "tests/support/control.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::relays_test {

namespace {

using relay::KnownRelays;

/// Relays whose ids are 1, 2, …, given in another order.
std::vector<relay::KnownRelay> numbered(std::size_t count) {
    std::vector<relay::KnownRelay> out;
    for (std::size_t i = 0; i < count; ++i) {
        relay::KnownRelay relay;
        relay.id.bytes[15] = static_cast<std::byte>(i + 1);
        out.insert(i % 2 == 0 ? out.begin() : out.end(), relay);
    }
    return out;
}
RelayId id(std::size_t number) {
    RelayId out;
    out.bytes[15] = static_cast<std::byte>(number);
    return out;
}
TransferId starting_with(unsigned first) {
    auto out = TransferId::random();
    out.bytes[0] = static_cast<std::byte>(first);
    return out;
}
std::string digits(const std::vector<relay::KnownRelay>& relays) {
    std::string out;
    for (const auto& relay : relays) {
        out += std::to_string(std::to_integer<int>(relay.id.bytes[15]));
    }
    return out;
}

} // namespace

TEST_CASE("the ring is sorted by id and begins where the transfer's first byte points") {
    const KnownRelays relays{numbered(4), 0};
    CHECK(digits(relays.all()) == "1234");
    CHECK(digits(relays.ring(starting_with(0))) == "1234");
    CHECK(digits(relays.ring(starting_with(1))) == "2341");
    CHECK(digits(relays.ring(starting_with(7))) == "4123");
    CHECK(digits(relays.ring(starting_with(255))) == "4123");
    CHECK(KnownRelays{{}, 0}.ring(starting_with(9)).empty());
}

TEST_CASE("a relay lives for 30 seconds after its last sync, and all do at the start") {
    KnownRelays relays{numbered(3), 1'000};
    CHECK(relays.live_count(1'000) == 3);
    relays.heard(id(2), 1'020);
    CHECK(relays.live_count(1'030) == 3);
    CHECK(relays.live_count(1'031) == 1);
    CHECK(relays.is_live(id(2), 1'050));
    CHECK_FALSE(relays.is_live(id(2), 1'051));
    relays.heard(id(2), 2'000);
    CHECK(relays.is_live(id(2), 2'000));
}

TEST_CASE("a relay that was just registered does not live before it says something") {
    KnownRelays relays{numbered(1), 0};
    relays.replace(numbered(3));
    CHECK(relays.live_count(1) == 1);
    relays.heard(id(3), 1);
    relays.heard(id(4), 1); // nobody knows it
    CHECK(relays.live_count(1) == 2);
    relays.replace(numbered(1));
    relays.replace(numbered(3));
    CHECK(relays.live_count(2) == 1); // what was said before it was removed is forgotten
}

TEST_CASE("two copies are wanted where two relays live, else one, never none") {
    KnownRelays relays{numbered(3), 0};
    CHECK(relays.copies_min(0) == 2);
    relays.heard(id(1), 40);
    CHECK(relays.copies_min(40) == 1);
    relays.heard(id(2), 40);
    CHECK(relays.copies_min(40) == 2);
    CHECK(relays.copies_min(1'000) == 1);
}

TEST_CASE("a sender is offered the first living relays of the ring, or all when nobody lives") {
    KnownRelays relays{numbered(5), 0};
    CHECK(digits(relays.offered(starting_with(2), 3, 0)) == "345");
    for (const std::size_t number : {1U, 2U, 4U}) relays.heard(id(number), 100);
    CHECK(digits(relays.offered(starting_with(2), 3, 100)) == "412");
    CHECK(digits(relays.offered(starting_with(2), 2, 100)) == "41");
    CHECK(digits(relays.offered(starting_with(2), 3, 1'000)) == "345");
}

TEST_CASE("the first of the ring hold a transfer; others stand in when too few of them live") {
    KnownRelays relays{numbered(5), 0};
    const auto holders = [&](std::int64_t now) {
        std::string out;
        for (std::size_t number = 1; number <= 5; ++number) {
            if (relays.should_hold(id(number), starting_with(0), 3, now)) {
                out += std::to_string(number);
            }
        }
        return out;
    };
    CHECK(holders(0) == "123");
    for (const std::size_t number : {1U, 2U, 4U, 5U}) relays.heard(id(number), 100);
    CHECK(holders(100) == "123"); // one of three is away: nothing is moved
    for (const std::size_t number : {2U, 4U, 5U}) relays.heard(id(number), 200);
    CHECK(holders(200) == "1234");
    for (const std::size_t number : {4U, 5U}) relays.heard(id(number), 300);
    CHECK(holders(300) == "12345");
    CHECK_FALSE(relays.should_hold(id(6), starting_with(0), 3, 300));
}

} // namespace plankurier::test::relays_test
