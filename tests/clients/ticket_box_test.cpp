// Tickets are renewed before they end, and nobody waits for that.
#include <clients/cli/lanes.hpp>

#include <plankurier/records.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <ctime>

namespace plankurier::test::ticket_box_test {

using namespace cli;
using namespace std::chrono_literals;

namespace {

/// As the control plane mints it, with a life of some seconds, by a clock that may be wrong here.
TicketAnswer ticket_for(std::chrono::seconds life, std::int64_t clock_error_s = 0) {
    const auto now = std::time(nullptr) + clock_error_s;
    const Ticket ticket{TransferId::random(), TicketRole::put, 1, now,
                        now + life.count(),   now + 86'400};
    return {to_base64url(mint_ticket(ticket, SigningSeed::random())), ticket.expires, {}};
}

template <typename Condition>
bool comes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!condition() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(10ms);
    return condition();
}

} // namespace

TEST_CASE("a transfer of many tickets never waits for one, however slow they are given") {
    std::atomic<int> given{0};
    std::atomic<bool> giving{false};
    TicketBox box{[&]() -> Result<TicketAnswer> {
                      giving = true;
                      std::this_thread::sleep_for(500ms); // of the three that are left
                      ++given;
                      giving = false;
                      return ticket_for(9s);
                  },
                  ticket_for(9s)};
    std::string last;
    unsigned while_giving = 0;
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (given < 2 && std::chrono::steady_clock::now() < end) {
        const bool before = giving;
        const auto begun = given.load();
        const auto header = box.header();
        REQUIRE(header);
        // Asked and answered while the next one was being made.
        if (before && giving && begun == given) ++while_giving;
        last = *header;
        std::this_thread::sleep_for(5ms);
    }
    CHECK(given == 2);
    CHECK(while_giving > 10);
}

TEST_CASE("a ticket's life is the control plane's word, whatever the clock here says") {
    for (const std::int64_t error : {-86'400, 86'400}) {
        CAPTURE(error);
        std::atomic<int> given{0};
        TicketBox box{[&]() -> Result<TicketAnswer> {
                          ++given;
                          return ticket_for(600s, error);
                      },
                      ticket_for(600s, error)};
        for (int call = 0; call < 20; ++call) REQUIRE(box.header());
        CHECK(given == 0);
    }
    std::atomic<int> given{0};
    TicketBox box{[&]() -> Result<TicketAnswer> {
                      ++given;
                      return ticket_for(3s, 86'400);
                  },
                  ticket_for(3s, 86'400)};
    CHECK(comes_true([&] { return given >= 2; }));
}

TEST_CASE("while the control plane is away the old ticket does, as long as it is good") {
    std::atomic<int> asked{0};
    std::atomic<bool> away{true};
    TicketBox box{[&]() -> Result<TicketAnswer> {
                      ++asked;
                      if (away) return fail(Errc::network, "away");
                      return ticket_for(600s);
                  },
                  ticket_for(12s)};
    const auto first = box.header();
    REQUIRE(first);
    CHECK(comes_true([&] { return asked >= 1; }));
    CHECK(box.header().value() == *first);
    away = false;
    CHECK(comes_true([&] { return box.header().value() != *first; }));
}

TEST_CASE("without a good ticket the reason is told, and who is refused gets another") {
    std::atomic<bool> away{true};
    std::atomic<int> given{0};
    TicketBox box{[&]() -> Result<TicketAnswer> {
        if (away) return fail(Errc::network, "away");
        ++given;
        return ticket_for(600s);
    }};
    CHECK(box.header().error().code == Errc::network);
    CHECK(box.offer().error().code == Errc::network);
    away = false;
    const auto first = box.header().value();
    CHECK(box.header().value() == first);
    box.refused(first);
    const auto second = box.header().value();
    CHECK(second != first);
    box.refused(first); // an old one: nothing to do
    CHECK(box.header().value() == second);
    CHECK(given == 2);
}

} // namespace plankurier::test::ticket_box_test
