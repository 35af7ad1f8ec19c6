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

/// A piece store with a whole body, asked as by a connection.
class Leased {
public:
    Leased() {
        store_.put_all(body_);
        times.wall = std::time(nullptr);
    }
    unsigned status(const std::string& method, const std::string& rest, TicketRole role,
                    std::uint64_t length = 0, const std::string& piece = {}) {
        const std::string target = piece.empty() ? body_.path(rest) : rest;
        const relay::pieces::Head head{method, target, body_.authorization(role),
                                       {},     piece,  length};
        const auto ticket = service_.ticket(head);
        if (!ticket) return service_.problem(ticket.error().code).status;
        const auto plan = service_.plan(head, *ticket);
        if (const auto* answer = std::get_if<relay::pieces::Answer>(&plan)) return answer->status;
        if (const auto* upload = std::get_if<relay::pieces::PieceUpload>(&plan)) {
            service_.abandon(*upload);
        }
        return 200U;
    }

    Times times;

private:
    const TempFolder folder_;
    PieceStore store_{folder_.path()};
    const Body body_{"leased"};
    relay::pieces::Service service_{{store_.catalog(), store_.committer(), times.lease, nullptr},
                                    known_relay(0).id,
                                    relay_seed(0),
                                    signing_public_key(control_seed())};
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
    Leased leased;
    Times& times = leased.times;
    const auto status = [&](const std::string& method, const std::string& rest, TicketRole role,
                            std::uint64_t length = 0) {
        return leased.status(method, rest, role, length);
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

TEST_CASE("a sender's ticket reads maps and descriptors, and no piece under either name") {
    Leased leased;
    leased.times.lease.renew(leased.times.wall);
    for (const char* method : {"GET", "HEAD"}) {
        for (const auto& [role, pieces] : {std::pair{TicketRole::put, 401U},
                                           {TicketRole::get, 200U},
                                           {TicketRole::peer, 200U}}) {
            CHECK(leased.status(method, "", role) == 200);
            CHECK(leased.status(method, "/0", role) == 200);
            CHECK(leased.status(method, "/0/1", role) == pieces);
            CHECK(leased.status(method, "/v1/piece", role, 0, "0/1") == pieces);
        }
    }
    CHECK(leased.status("GET", "/0/9", TicketRole::put) == 401); // whether it is there or not
}

} // namespace plankurier::test::pieces_lease_test
