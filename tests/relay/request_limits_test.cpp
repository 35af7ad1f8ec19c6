// Who may ask the control plane how often.
#include "relay/http/request_limits.hpp"

#include <plankurier/bytes.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::request_limits_test {

namespace {

using relay::http::Request;
using relay::http::RequestLimits;
using relay::http::Response;

/// Ten requests a second of an address, five of a proof; the good token is all sevens.
class Counter {
public:
    [[nodiscard]] int ask(Request request) {
        return limits_
            .handle(request,
                    [](const Request& one) -> Response {
                        if (one.path == "/v1/service") return {200, "{}"};
                        const auto shown = one.headers.find("plankurier-manage");
                        const bool good = shown != one.headers.end() && shown->second == token('7');
                        return {good ? 200 : 404, "{}"};
                    })
            .status;
    }
    /// How many of so many get through.
    [[nodiscard]] int served(const Request& request, int count) {
        int out = 0;
        for (int i = 0; i < count; ++i) out += static_cast<int>(ask(request) != 503);
        return out;
    }
    void pass(double seconds) { now_ += seconds; }
    /// One request of each of so many new addresses. Gives how many were served.
    [[nodiscard]] int flood(int count) {
        int out = 0;
        for (int i = 0; i < count; ++i) out += served(from("flood-" + std::to_string(next_++)), 1);
        return out;
    }
    [[nodiscard]] std::size_t looked_at() { return limits_.looked_at(); }
    static Request from(const std::string& address) {
        return {"GET", "/v1/service", {}, {}, address};
    }
    static std::string token(char c) { return to_base64url(Bytes(32, static_cast<std::byte>(c))); }

private:
    double now_{1'000};
    int next_{};
    RequestLimits limits_{{10, 5}, [this] { return now_; }};
};

Request plain(const std::string& address = "192.0.2.1") { return Counter::from(address); }
Request shown(char token, const std::string& path = "/v1/transfers/status") {
    return {"GET",
            path,
            {{"plankurier-transfer", std::string(32, 'a')},
             {"plankurier-manage", Counter::token(token)}},
            {},
            "192.0.2.1"};
}

} // namespace

TEST_CASE("an address may ask so often, and again after a while") {
    Counter counter;
    CHECK(counter.served(plain(), 150) == 100);
    CHECK(counter.served(plain("192.0.2.2"), 10) == 10);
    counter.pass(1);
    CHECK(counter.served(plain(), 20) == 10);
    counter.pass(1'000);
    CHECK(counter.served(plain(), 150) == 100);
}

TEST_CASE("a token that was found good has a limit of its own, whatever its address does") {
    Counter counter;
    CHECK(counter.ask(shown('7')) == 200);
    CHECK(counter.served(plain(), 150) == 99);
    CHECK(counter.served(shown('7'), 60) == 50);
    counter.pass(1);
    CHECK(counter.served(shown('7'), 60) == 5);
}

TEST_CASE("a made-up token lifts nothing, and neither does one where nothing checks it") {
    Counter counter;
    CHECK(counter.served(plain(), 100) == 100);
    CHECK(counter.ask(shown('8')) == 503);
    Counter other;
    CHECK(other.ask(shown('8', "/v1/service")) == 200);
    CHECK(other.served(plain(), 150) == 99);
    CHECK(other.served(shown('8', "/v1/service"), 10) == 0);
}

TEST_CASE("another spelling of a good token is not another token") {
    Counter counter;
    CHECK(counter.ask(shown('7')) == 200);
    Request upper = shown('7');
    upper.headers["plankurier-transfer"] = std::string(32, 'A');
    Request more = shown('7');
    more.headers["plankurier-session"] = Counter::token('9'); // not looked at by this call
    CHECK(counter.served(upper, 30) + counter.served(more, 30) == 50);
}

TEST_CASE("who is refused learns when to ask again") {
    Counter counter;
    const Response answer = relay::http::problem(Errc::busy);
    CHECK(answer.status == 503);
    CHECK(answer.headers.at("Retry-After") == "1");
}

TEST_CASE("a flood of new addresses costs each request the same, and forgets nobody's debts") {
    Counter counter;
    CHECK(counter.served(plain(), 150) == 100);
    CHECK(counter.ask(shown('7')) == 503); // its address has spent everything
    counter.pass(0.125);
    CHECK(counter.ask(shown('7')) == 200);
    CHECK(counter.served(shown('7'), 60) == 50);
    const std::size_t before = counter.looked_at();
    // At once: when there is no room and nobody can be forgotten, the others share a bucket.
    const int served = counter.flood(100'000);
    CHECK(served > 49'000);
    CHECK(served < 51'000);
    CHECK(counter.looked_at() - before <= 2 * 100'000);
    CHECK(counter.served(plain(), 20) == 0);
    CHECK(counter.served(shown('7'), 20) == 0);
    counter.pass(0.5); // by then all of the flood have full buckets again
    CHECK(counter.flood(100) == 100);
    CHECK(counter.looked_at() - before <= 2 * 100'200);
    CHECK(counter.served(plain(), 20) == 5);
    CHECK(counter.served(shown('7'), 20) == 2);
}

TEST_CASE("addresses that come one after the other are all served, however many there are") {
    Counter counter;
    CHECK(counter.served(plain(), 150) == 100);
    for (int i = 0; i < 100; ++i) {
        CHECK(counter.flood(1'000) == 1'000);
        counter.pass(0.0625);
    }
    CHECK(counter.looked_at() <= 2 * 100'150);
    CHECK(counter.served(plain(), 150) == 62); // 6.25 seconds later
}

TEST_CASE("this machine's own relay is not counted") {
    Counter counter;
    CHECK(counter.served(plain(""), 300) == 300);
}

} // namespace plankurier::test::request_limits_test
