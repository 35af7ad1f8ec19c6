// Who is stuck, and what does not look like that.
#include <clients/cli/hedge.hpp>

#include "tests/clients/odd_port.hpp"
#include "tests/clients/piece_server.hpp"
#include "tests/clients/relays_world.hpp"

namespace plankurier::test::hedge_test {

using namespace cli;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// As a request does on which nothing moves: the silence grows while it asks. How long it was when
/// the relay was given up; nothing: not within `patience`.
std::optional<milliseconds> given_up_after(Hedge& hedge, const std::string& url,
                                           milliseconds patience) {
    const auto begun = steady_clock::now();
    for (;;) {
        const auto silent = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun);
        if (hedge.give_up(url, silent)) return silent;
        if (silent > patience) return std::nullopt;
        std::this_thread::sleep_for(20ms);
    }
}

constexpr HedgeTimes quick{100ms, 300ms, 900ms, 10'000ms};

} // namespace

TEST_CASE("a relay that keeps silent while another answers is stuck") {
    TempFolder folder;
    const auto identity = make_identity(folder.path());
    PieceServer good{folder.path() / "good", identity, 0};
    const OddPort mute{OddPort::Way::mute};
    Hedge hedge{{mute.url("https"), good.address().url}, {identity.certificate, 60}, quick};
    const auto after = given_up_after(hedge, mute.url("https"), 30s);
    REQUIRE(after);
    CHECK(*after >= quick.stuck);
    CHECK(hedge.is_stuck(mute.url("https")));
    CHECK_FALSE(hedge.is_stuck(good.address().url));
    CHECK_FALSE(hedge.give_up("https://of.nobody.example", 60s));
}

TEST_CASE("when nobody answers it is our own line, and nobody is given up") {
    const OddPort one{OddPort::Way::mute}, other{OddPort::Way::close};
    Hedge hedge{{one.url("https"), other.url("https")}, {}, quick};
    CHECK_FALSE(given_up_after(hedge, one.url("https"), 1'500ms));
    Hedge alone{{one.url("https")}, {}, quick};
    CHECK_FALSE(given_up_after(alone, one.url("https"), 1'500ms));
    CHECK_FALSE(hedge.is_stuck(one.url("https")));
}

TEST_CASE("a line that is dead while its relay answers is given up, and the relay is not") {
    TempFolder folder;
    const auto identity = make_identity(folder.path());
    PieceServer good{folder.path() / "good", identity, 0};
    Hedge hedge{{good.address().url}, {identity.certificate, 60}, quick};
    const auto after = given_up_after(hedge, good.address().url, 30s);
    REQUIRE(after);
    CHECK(*after >= quick.dead);
    CHECK_FALSE(hedge.is_stuck(good.address().url));
}

TEST_CASE("uploads and downloads go on by another relay while one is stuck from the start") {
    RelaysWorld world{2, 40};
    world.fill(1);
    world.servers[0]->freeze();
    const auto fetched = world.download({0, 1});
    CHECK(why(fetched.done) == "value");
    CHECK(fetched.right);
    CHECK(why(world.upload({0, 1})) == "value");
    CHECK(world.lost == std::vector<std::size_t>{0});
    CHECK(world.described(1, 0));
}

} // namespace plankurier::test::hedge_test
