// Who copies from whom, and by which kind of line.
#include "relay/pieces/relays.hpp"
#include "relay/pieces/trusted_networks.hpp"

#include "tests/support/control.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::pieces_relays_test {

namespace {

using relay::pieces::holders_of;
using relay::pieces::OtherRelay;
using relay::pieces::TrustedNetworks;
using relay::pieces::upstreams_of;

RelayId id(unsigned number) {
    RelayId out;
    out.bytes[0] = static_cast<std::byte>(number);
    return out;
}
std::vector<OtherRelay> relays(std::initializer_list<unsigned> numbers) {
    std::vector<OtherRelay> out;
    for (const unsigned one : numbers) out.push_back({id(one), "https://relay.example", {}});
    return out;
}
std::vector<unsigned> numbers(const std::vector<OtherRelay>& list) {
    std::vector<unsigned> out;
    for (const auto& one : list) out.push_back(std::to_integer<unsigned>(one.id.bytes[0]));
    return out;
}
TransferId transfer(unsigned first_byte) {
    TransferId out;
    out.bytes[0] = static_cast<std::byte>(first_byte);
    return out;
}
using Numbers = std::vector<unsigned>;

} // namespace

TEST_CASE("a transfer's holders begin where its first byte says") {
    const auto all = relays({30, 10, 40, 20});
    CHECK(numbers(holders_of(all, transfer(0), 3)) == Numbers{10, 20, 30});
    CHECK(numbers(holders_of(all, transfer(3), 3)) == Numbers{40, 10, 20});
    CHECK(numbers(holders_of(all, transfer(6), 2)) == Numbers{30, 40});
    CHECK(numbers(holders_of(all, transfer(0), 9)) == Numbers{10, 20, 30, 40});
    CHECK(holders_of({}, transfer(1), 3).empty());
}

TEST_CASE("each relay copies from the one before it, the first from the entry relay") {
    const auto all = relays({30, 10, 20});
    CHECK(numbers(upstreams_of(all, all, id(10), id(20))) == Numbers{10, 30});
    CHECK(numbers(upstreams_of(all, all, id(10), id(30))) == Numbers{20, 10});
    CHECK(numbers(upstreams_of(all, all, id(30), id(10))) == Numbers{30, 20});
    CHECK(numbers(upstreams_of(all, all, id(30), id(20))) == Numbers{10, 30});
    CHECK(upstreams_of(all, all, id(30), id(30)).empty());
    CHECK(upstreams_of(all, all, id(50), id(30)).empty());
    CHECK(upstreams_of(all, all, id(30), id(50)).empty());
    CHECK(upstreams_of({}, {}, id(1), id(2)).empty());
}

TEST_CASE("a relay that is not to hold a transfer is asked last") {
    const auto all = relays({10, 20, 30, 40});
    CHECK(numbers(upstreams_of(all, relays({10, 40}), id(10), id(40))) == Numbers{10, 20, 30});
    CHECK(numbers(upstreams_of(all, relays({20, 30}), id(40), id(30))) == Numbers{20, 40, 10});
}

TEST_CASE("a network holds its addresses and no others") {
    const TrustedNetworks some{{"10.1.0.0/16", "192.0.2.7", "fd00::/8"}};
    for (const char* inside : {"10.1.0.1", "10.1.255.255", "192.0.2.7", "fd12::1"}) {
        CHECK(some.contain(inside));
    }
    for (const char* outside : {"10.2.0.1", "192.0.2.8", "fe80::1", "::ffff:10.1.0.1", "x", ""}) {
        CHECK_FALSE(some.contain(outside));
    }
    CHECK_FALSE(TrustedNetworks{{}}.contain("127.0.0.1"));
    CHECK_THROWS_AS((TrustedNetworks{{"10.0.0.0/40"}}), std::runtime_error);
    CHECK_THROWS_AS((TrustedNetworks{{"relay.example"}}), std::runtime_error);
}

TEST_CASE("a way is trusted when both its ends are") {
    const TrustedNetworks loopback{{"127.0.0.0/8"}};
    CHECK(loopback.contain_way_to("https://127.0.0.1:8443"));
    CHECK(loopback.contain_way_to("https://127.0.0.2/"));
    CHECK_FALSE(loopback.contain_way_to("http://127.0.0.1:8443"));
    CHECK_FALSE(loopback.contain_way_to("https://"));
    CHECK_FALSE(TrustedNetworks{{"127.0.0.2"}}.contain_way_to("https://127.0.0.2:1"));
    CHECK_FALSE(TrustedNetworks{{}}.contain_way_to("https://127.0.0.1"));
}

} // namespace plankurier::test::pieces_relays_test
