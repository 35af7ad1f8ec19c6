// One transfer to several departments: who gets what, and within which limits.
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <plankurier/challenge.hpp>
#include <plankurier/records.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::recipients_test {

namespace {

constexpr const char* second_mail = "umwelt@amt.example";

SigningSeed second_signer() { return fixed_secret<SigningSeed>("umwelt signs"); }

/// The usual control plane and a second department, "umwelt".
struct World : Control {
    explicit World(const std::filesystem::path& where) : Control(where) {
        policy.department_mails["umwelt"] = second_mail;
        begin();
    }
    void begin() {
        restart();
        auto directory = usual_directory();
        auto umwelt = directory.departments.front();
        umwelt.id = "umwelt";
        const auto key =
            recipient_public_key(fixed_secret<KeySeed>("umwelt"), StanzaType::hpke_p256).value();
        umwelt.keys.front().kid = key_id(key);
        umwelt.keys.front().key = key;
        umwelt.signing_keys.front().key = signing_public_key(second_signer());
        directory.departments.push_back(std::move(umwelt));
        relay().set_directory(std::move(directory));
    }
    std::string attempt(const Change& change) {
        auto request = Sending{}.request();
        change(request);
        if (!sender) sender.emplace(verified_session());
        return why(relay().create_transfer(*sender, request));
    }
    SessionToken second_session() {
        const auto seed = fixed_secret<KeySeed>("umwelt");
        const auto key = recipient_public_key(seed, StanzaType::hpke_p256).value();
        const auto challenge = relay().department_challenge("umwelt", key_id(key)).value();
        const auto answer = answer_challenge(seed, StanzaType::hpke_p256, challenge.bytes);
        return std::move(relay().open_key_session({"umwelt", {}}, answer.value()).value());
    }
    std::optional<SessionToken> sender;
};

void to_both(relay::TransferRequest& request) { request.also = {"umwelt"}; }

} // namespace

TEST_CASE("departments beside the first are known, named once, few, and never alone") {
    const TempFolder folder;
    World world{folder.path()};
    world.policy.limits.open_transfers_per_address = 100;
    world.begin();
    const auto also = [&](std::vector<std::string> ids) {
        return world.attempt([&](auto& request) { request.also = std::move(ids); });
    };
    CHECK(also({"umwelt"}) == "value");
    CHECK(also({"bauamt"}) == "invalid_argument");
    CHECK(also({"umwelt", "umwelt"}) == "invalid_argument");
    CHECK(also({"a", "b", "c", "d", "e", "f", "g", "h"}) == "invalid_argument");
    CHECK(also({"nirgends"}) == "unknown_department");
    CHECK(also({"umwelt nirgends"}) == "unknown_department");
    CHECK(world.attempt([](auto& request) {
        request.department.clear();
        request.staff = clerk;
        request.also = {"umwelt"};
    }) == "invalid_argument");
    world.policy.rules = {{"@gemeinde.example", "umwelt"}};
    world.begin();
    CHECK(also({"umwelt"}) == "address_not_allowed");
    CHECK(also({}) == "value");
}

TEST_CASE("the narrowest limits of all departments hold, now and when the expiry is changed") {
    const TempFolder folder;
    World world{folder.path()};
    world.policy.departments["umwelt"] = {{"pdf"}, std::uint64_t{1} << 40, 2, 5, 20};
    world.policy.limits.expiry_extend = true;
    world.begin();
    const auto days = [&](std::int64_t count) {
        return world.attempt([&](auto& request) {
            to_both(request);
            request.expiry_days = count;
        });
    };
    CHECK(days(1) == "invalid_argument");
    CHECK(days(21) == "invalid_argument");
    CHECK(days(20) == "value");
    const auto sending = world.available(to_both);
    CHECK(why(world.relay().change_expiry(sending.id, sending.manage, 21)) == "invalid_argument");
    CHECK(world.relay().change_expiry(sending.id, sending.manage, 20));
}

TEST_CASE("all departments get notices and reminders, and list it, also after a restart") {
    const TempFolder folder;
    World world{folder.path()};
    const auto first = world.available();
    world.clock.pass(1);
    const auto both = world.available([](auto& request) {
        to_both(request);
        request.remind_recipient = true;
    });
    world.relay().tick();
    CHECK(world.mails.sent_to(department_mail).size() == 2);
    REQUIRE(world.mails.sent_to(second_mail).size() == 1);
    CHECK(world.link_for(second_mail) == world.link_for(department_mail));
    world.begin();
    const auto of_second = world.relay().inbox(world.second_session());
    REQUIRE(of_second);
    REQUIRE(of_second->size() == 1);
    CHECK(of_second->front().transfer == both.id);
    CHECK(world.relay().envelope(world.second_session(), both.id));
    CHECK(why(world.relay().envelope(world.second_session(), first.id)) == "not_found");
    const auto of_first = world.relay().inbox(world.department_session());
    REQUIRE(of_first->size() == 2);
    CHECK(of_first->front().transfer == both.id); // the newest first
    for (int hours = 0; hours < 12 * 24; ++hours) {
        world.clock.pass(hour_s);
        world.relay().tick();
    }
    CHECK(world.mails.sent_to(second_mail).size() == 2);
    CHECK(world.mails.sent_to(department_mail).size() == 3);
}

TEST_CASE(
    "a department's inbox has its own and the shared ones in one order, and no more than 500") {
    const TempFolder folder;
    World world{folder.path()};
    auto& store = world.store();
    auto row = *store.transfer(world.available().id);
    store.transaction([&] {
        for (int i = 0; i < 600; ++i) {
            row.transfer = TransferId::random();
            row.created += 1;
            row.department = i % 2 == 0 ? "umwelt" : "bauamt";
            row.also.clear();
            if (i % 2 != 0) row.also = {"xumwelt", "umwelt"};
            row.link_hash = to_hex(row.transfer.bytes);
            store.put(row);
        }
    });
    const auto listed = store.readable_transfers("umwelt", "", world.clock.now(), 500);
    REQUIRE(listed.size() == 500);
    for (std::size_t i = 1; i < listed.size(); ++i) {
        CHECK(listed[i - 1].created == listed[i].created + 1);
    }
    CHECK(store.readable_transfers("welt", "", world.clock.now(), 500).empty());
    CHECK(store.readable_transfers("xumwelt", "", world.clock.now(), 500).size() == 300);
}

TEST_CASE("each department may sign that it was fetched, and nobody else") {
    const TempFolder folder;
    World world{folder.path()};
    const auto report = [&](const Sending& sending, const SigningSeed& seed) {
        return sign_fetched(world.fetched_report(sending), seed);
    };
    const auto both = world.available(to_both), one = world.available();
    const auto fetched = [&](const Sending& sending, const SigningSeed& seed) {
        return why(world.relay().fetched(sending.id, sending.fetch(), report(sending, seed)));
    };
    CHECK(fetched(one, second_signer()) == "bad_signature");
    CHECK(fetched(both, relay_seed(0)) == "bad_signature");
    CHECK(fetched(both, second_signer()) == "value");
    CHECK(world.relay().status(both.id, both.manage)->fetch_signed);
    CHECK(fetched(both, department_seed()) == "value");
}

TEST_CASE("the sender hears once when one of the departments takes no mail") {
    const TempFolder folder;
    World world{folder.path()};
    world.mails.refused_address = second_mail;
    const auto before = world.mails.sent_to(citizen).size();
    const auto both = world.available(to_both);
    world.relay().tick();
    world.relay().tick();
    CHECK(world.relay().status(both.id, both.manage)->undeliverable);
    CHECK(world.mails.sent_to(department_mail).size() == 1);
    CHECK(world.mails.sent_to(citizen).size() == before + 2); // the code, and this
}

} // namespace plankurier::test::recipients_test
