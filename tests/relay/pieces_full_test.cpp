// A relay that has no room for anything new.
#include "tests/support/swarm_relay.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::pieces_full_test {

namespace {

/// What another relay says when it has volume 0 of the body.
std::string push(const Body& body) {
    return nlohmann::json{{"from", known_relay(1).id.hex()},
                          {"descriptor", to_base64url(body.descriptor(0))}}
        .dump();
}

} // namespace

TEST_CASE("a full relay takes no copy of what is new to it, and goes on with what it has begun") {
    const TempFolder folder;
    const TlsFiles tls{folder.path()};
    SwarmControl control{folder.path() / "control.sock"};
    TestRelay relay{0, tls, folder.path() / "control.sock", {}};
    const relay::pieces::OtherRelay other{known_relay(1).id, "https://127.0.0.1:1",
                                          known_relay(1).key}; // which answers nobody
    control.set_relays({relay.record(), other});
    const auto next_sync = [&] {
        const auto before = control.syncs();
        control.wait("a sync and its answer", [&] { return control.syncs() >= before + 2; });
    };
    const Body begun{"begun", 66}, fresh{"fresh"};
    relay.upload(begun, 1);
    const auto status = [&](const Body& body) {
        return relay.call("POST", body.path("/0/copy"), body.authorization(), push(body)).status;
    };
    control.set_full(true);
    next_sync();
    CHECK(control.space_told());
    CHECK(status(fresh) == 507);
    CHECK(status(begun) == 202);
    CHECK(relay.call("GET", fresh.path(), fresh.authorization(TicketRole::get)).body ==
          R"({"volumes":[]})");
    control.set_full(false);
    next_sync();
    CHECK(status(fresh) == 202);
}

} // namespace plankurier::test::pieces_full_test
