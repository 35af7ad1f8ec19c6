// When a relay may serve, and whose time it goes by.
#include "relay/pieces/lease.hpp"

#include "tests/support/pieces.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::pieces_lease_test {

namespace {

struct Times {
    std::int64_t wall{1'800'000'000}, steady{5'000};
    relay::pieces::Lease lease{{[this] { return wall; }, [this] { return steady; }}};
};

} // namespace

TEST_CASE("a relay serves after its first good sync, and for a day after the last") {
    Times times;
    CHECK_FALSE(times.lease.holds());
    times.lease.renew(times.wall);
    CHECK(times.lease.holds());
    times.steady += day_s - 1;
    CHECK(times.lease.holds());
    times.steady += 1;
    CHECK_FALSE(times.lease.holds());
    times.lease.renew(times.wall + day_s);
    CHECK(times.lease.holds());
}

TEST_CASE("a relay goes by the control plane's time, whatever its own clock does") {
    Times times;
    CHECK_FALSE(times.lease.control_now());
    CHECK(times.lease.now() == times.wall);
    times.lease.renew(1'900'000'000);
    times.wall += 40 * day_s; // somebody sets it
    times.steady += 7;
    CHECK(times.lease.control_now() == 1'900'000'007);
    CHECK(times.lease.now() == 1'900'000'007);
    CHECK(times.lease.holds());
}

TEST_CASE("a relay knows whether the time it was told is trusted, and the latest of both clocks") {
    Times times;
    CHECK_FALSE(times.lease.trusted_control_now());
    CHECK(times.lease.latest() == times.wall);
    times.lease.renew(1'900'000'000, false);
    times.steady += 7;
    CHECK_FALSE(times.lease.trusted_control_now());
    CHECK(times.lease.latest() == 1'900'000'007);
    times.lease.renew(1'900'000'000, true);
    CHECK(times.lease.trusted_control_now() == 1'900'000'000);
    times.wall = 2'000'000'000;
    CHECK(times.lease.latest() == 2'000'000'000);
}

TEST_CASE("without a lease nothing is read, and everything is written") {
    const TempFolder folder;
    PieceStore store{folder.path()};
    const Body body{"leased"};
    store.put_all(body);
    Times times;
    relay::pieces::Service service{{store.catalog(), store.committer(), times.lease, nullptr},
                                   known_relay(0).id,
                                   relay_seed(0),
                                   signing_public_key(control_seed())};
    times.wall = std::time(nullptr);
    const auto status = [&](const std::string& method, const std::string& rest, TicketRole role,
                            std::uint64_t length = 0) {
        const relay::pieces::Head head{method, body.path(rest), body.authorization(role), {},
                                       {},     length};
        const auto ticket = service.ticket(head);
        if (!ticket) return service.problem(ticket.error().code).status;
        const auto plan = service.plan(head, *ticket);
        if (const auto* answer = std::get_if<relay::pieces::Answer>(&plan)) return answer->status;
        if (const auto* piece = std::get_if<relay::pieces::PieceUpload>(&plan)) {
            service.abandon(*piece);
        }
        return 200U;
    };
    const auto reads = [&] {
        std::set<unsigned> all;
        for (const char* method : {"GET", "HEAD"}) {
            for (const char* rest : {"", "/0", "/0/1"}) {
                all.insert(status(method, rest, TicketRole::get));
            }
        }
        return all;
    };
    CHECK(reads() == std::set{503U});
    CHECK(status("PUT", "/0/1", TicketRole::put, segment_bytes) == 200);
    CHECK(status("PUT", "/0", TicketRole::put, 100) == 200);
    CHECK(status("POST", "/stored", TicketRole::put) == 200);
    times.lease.renew(std::time(nullptr));
    CHECK(reads() == std::set{200U});
    times.wall += day_s; // by its own clock the transfer is over, by the control plane's it is not
    CHECK(reads() == std::set{410U});
    CHECK(status("PUT", "/0/1", TicketRole::put, segment_bytes) == 200);
    CHECK(status("GET", "", TicketRole::put) == 200); // senders go on
    times.wall -= 2 * day_s;
    CHECK(reads() == std::set{200U});
    times.lease.renew(std::time(nullptr) - day_s); // so that the tickets hold when a day is over
    times.steady += day_s;
    CHECK(reads() == std::set{503U});
    CHECK(status("PUT", "/0", TicketRole::put, 100) == 200);
}

} // namespace plankurier::test::pieces_lease_test
