// How much one address may send, and what each department takes from whom.
#include "relay/config.hpp"

#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace plankurier::test::quotas_test {

namespace {

using nlohmann::json;

std::string write(Control& world, const SessionToken& session, const Control::Change& change = {}) {
    auto request = Sending{}.request();
    if (change) change(request);
    return why(world.relay().create_transfer(session, request));
}
/// The message of a configuration that is refused, or "".
std::string complaint(const TempFolder& folder, const std::string& text,
                      relay::Policy* policy = {}) {
    const auto file = folder.path() / "relay.toml";
    std::ofstream{file} << text;
    try {
        const auto config = relay::load_config(file);
        if (policy != nullptr) *policy = config.policy;
        return {};
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("an address has three uploads open at a time, in all its sessions") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.open_transfers_per_address = 3;
    world.restart();
    const auto first = world.verified_session(),
               second = world.verified_session("ERIKA.Mustermann@buerger.example");
    Sending sending;
    REQUIRE(world.relay().create_transfer(first, sending.request()));
    CHECK(write(world, second) == "value");
    CHECK(write(world, first) == "value");
    CHECK(write(world, first) == "quota_exceeded");
    CHECK(write(world, second) == "quota_exceeded");
    CHECK(why(world.relay().create_transfer(first, sending.request())) == "value"); // said twice
    CHECK(write(world, world.verified_session("max@buerger.example")) == "value");
    const auto department = world.department_session();
    for (int i = 0; i < 5; ++i) CHECK(write(world, department) == "value");
    // Finished or given up, it counts no more.
    REQUIRE(world.relay().put_envelope(sending.id, sending.manage, sending.envelope()));
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    CHECK(write(world, first) == "value");
    CHECK(write(world, first) == "quota_exceeded");
    world.clock.pass(day_s);
    world.relay().tick();
    CHECK(write(world, world.verified_session()) == "value");
}

TEST_CASE("an address sends so many bytes a day, also if it revokes them") {
    const TempFolder folder;
    Control world{folder.path()};
    Sending one;
    world.policy.limits.bytes_per_address_day = 3 * one.layout.body_len();
    world.restart();
    const auto session = world.verified_session();
    const auto revoked = world.sent(session, [](auto&) {});
    REQUIRE(world.relay().revoke(revoked.id, revoked.manage));
    CHECK(write(world, session) == "value");
    CHECK(write(world, session) == "value");
    CHECK(write(world, session) == "quota_exceeded");
    CHECK(write(world, world.department_session()) == "value");
    CHECK(write(world, world.verified_session("max@buerger.example")) == "value");
    world.restart();
    CHECK(write(world, session) == "quota_exceeded");
    world.clock.pass(day_s);
    CHECK(write(world, world.verified_session()) == "value");
}

TEST_CASE("headers say what is left, and nothing about an address") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto begin = [&](const std::string& address) {
        return api.call("POST", "/v1/verifications", {}, json{{"email", address}}.dump());
    };
    for (int i = 1; i <= 5; ++i) {
        // The fourth mail to one address is not sent: the headers go on all the same.
        const auto response = begin("a@buerger.example");
        CHECK(response.headers.at("RateLimit-Limit") == "300");
        CHECK(response.headers.at("RateLimit-Remaining") == std::to_string(300 - i));
        CHECK(response.headers.at("RateLimit-Reset") == "3601");
    }
    const Sending sending;
    const auto request = sending.request();
    const Headers session{
        {"plankurier-session", to_base64url(api.world.verified_session().reveal())}};
    const std::string body = json{{"tid", sending.id.hex()},
                                  {"department", "bauamt"},
                                  {"body_len", request.body_len},
                                  {"expiry_days", 14},
                                  {"fetch_sha256", to_base64url(request.fetch_hash)},
                                  {"manage_sha256", to_base64url(request.manage_hash)}}
                                 .dump();
    const auto created = api.call("POST", "/v1/transfers", session, body);
    CHECK(created.status == 201);
    CHECK(created.headers.at("RateLimit-Limit") == "1000");
    CHECK(created.headers.at("RateLimit-Remaining") == "999");
}

TEST_CASE("a department's own limits hold for it and for nobody else") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.departments["bauamt"] = {{"pdf"}, 2 * segment_bytes, 3, 5, 7};
    world.restart();
    const auto session = world.verified_session();
    const auto ask = [&](std::uint64_t segments, std::int64_t days, bool staff) {
        return write(world, session, [&](relay::TransferRequest& request) {
            request.body_len = segments * segment_plain_bytes;
            request.expiry_days = days;
            if (staff) {
                request.department.clear();
                request.staff = clerk;
            }
        });
    };
    CHECK(ask(2, 3, false) == "value");
    CHECK(ask(2, 7, false) == "value");
    CHECK(ask(3, 7, false) == "too_large");
    CHECK(ask(2, 2, false) == "invalid_argument");
    CHECK(ask(2, 8, false) == "invalid_argument");
    CHECK(ask(3, 2, true) == "value");
    CHECK(ask(3, 60, true) == "value");
}

TEST_CASE("rules say who may write to a department, and others stay open to all") {
    relay::Policy policy;
    policy.rules = {{"@gemeinde.example", "kasse"},
                    {"anna@buerger.example", "kasse"},
                    {"*", "pforte"},
                    {"@amt.example", "@amt.example"}};
    using relay::may_write;
    CHECK(may_write(policy, "x@gemeinde.example", "kasse", "kasse@anders.example"));
    CHECK(may_write(policy, "Anna@Buerger.example", "kasse", "kasse@anders.example"));
    CHECK_FALSE(may_write(policy, "max@buerger.example", "kasse", "kasse@anders.example"));
    CHECK(may_write(policy, "max@buerger.example", "pforte", "p@anders.example"));
    CHECK(may_write(policy, "max@buerger.example", "bauamt", "b@anders.example"));
    CHECK_FALSE(may_write(policy, "max@buerger.example", "", "anna@amt.example"));
    CHECK(may_write(policy, "berta@amt.example", "", "anna@amt.example"));

    const TempFolder folder;
    Control world{folder.path()};
    world.policy.rules = {{"@gemeinde.example", "bauamt"}};
    world.restart();
    CHECK(write(world, world.verified_session()) == "address_not_allowed");
    CHECK(write(world, world.verified_session("x@gemeinde.example")) == "value");
    CHECK(write(world, world.verified_session(), [](relay::TransferRequest& request) {
              request.department.clear();
              request.staff = clerk;
          }) == "value");
}

TEST_CASE("relay.toml names limits for all, for a department, and rules") {
    const TempFolder folder;
    relay::Policy policy;
    CHECK(complaint(folder,
                    "[expiry]\ndays_max = 30\nextend = true\n"
                    "[limits]\nopen_transfers_per_address = 7\ngib_per_address_day = 2\n"
                    "remember_days_max = 3\nfree_gib_min = 0\nfree_percent_min = 5\n"
                    "[policy]\nlink_allowed = true\n"
                    "[departments.bauamt]\nmail = \"b@amt.example\"\ntypes = [\"pdf\"]\n"
                    "transfer_gib_max = 5\ndays_max = 20\n"
                    "[departments.kasse]\nmail = \"k@amt.example\"\n"
                    "[[rules]]\nfrom = \"@gemeinde.example\"\nto = \"kasse\"\n",
                    &policy)
              .empty());
    CHECK(policy.limits.expiry_extend);
    CHECK(policy.limits.open_transfers_per_address == 7);
    CHECK(policy.limits.bytes_per_address_day == std::uint64_t{2} << 30);
    CHECK(policy.limits.remember_days_max == 3);
    CHECK(policy.limits.free_bytes_min == 0);
    CHECK(policy.limits.free_percent_min == 5);
    CHECK(policy.departments.size() == 1);
    const auto bauamt = relay::limits_of(policy, "bauamt");
    CHECK(bauamt.types == std::vector<std::string>{"pdf"});
    CHECK(bauamt.transfer_bytes_max == std::uint64_t{5} << 30);
    CHECK(bauamt.expiry_days_max == 20);
    CHECK(bauamt.expiry_days_default == 14);
    const auto kasse = relay::limits_of(policy, "kasse");
    CHECK(kasse.types.size() == 3);
    CHECK(kasse.expiry_days_max == 30);
    CHECK(policy.rules.size() == 1);
    CHECK(policy.link_allowed);
    CHECK_FALSE(relay::Policy{}.link_allowed);

    const std::string bauamt_mail = "[departments.bauamt]\nmail = \"b@amt.example\"\n";
    CHECK_FALSE(complaint(folder, bauamt_mail + "types = [\"exe\"]\n").empty());
    CHECK_FALSE(complaint(folder, bauamt_mail + "types = []\n").empty());
    CHECK_FALSE(complaint(folder, bauamt_mail + "days_max = 3\n").empty());
    CHECK_FALSE(complaint(folder, bauamt_mail + "transfer_gib_max = 0\n").empty());
    CHECK_FALSE(complaint(folder, "[departments.bauamt]\n").empty());
    CHECK_FALSE(complaint(folder, "[[rules]]\nfrom = \"*\"\n").empty());
    CHECK_FALSE(complaint(folder, "[mail]\nbounce = \"no address\"\n").empty());
    CHECK_FALSE(complaint(folder, "[limits]\ngib_per_address_day = -1\n").empty());
    CHECK_FALSE(complaint(folder, "[limits]\nfree_gib_min = -1\n").empty());
    CHECK_FALSE(complaint(folder, "[limits]\nfree_percent_min = 101\n").empty());
    CHECK_FALSE(complaint(folder, "[policy]\nlink_allowed = \"yes\"\n").empty());
}

} // namespace plankurier::test::quotas_test
