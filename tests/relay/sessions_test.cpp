// Who holds a department's or a return key gets a session, and sees what waits for that key only.
#include "tests/support/api.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <plankurier/challenge.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::sessions_test {

namespace {

using nlohmann::json;

KeySeed bauamt_seed() { return fixed_secret<KeySeed>("bauamt"); }
RecipientPublicKey public_key(const KeySeed& seed) {
    return recipient_public_key(seed, StanzaType::hpke_p256).value();
}
KeyId bauamt_kid() { return key_id(public_key(bauamt_seed())); }

Hash256 bauamt_answer(Control& world) {
    const auto challenge = world.relay().department_challenge("bauamt", bauamt_kid()).value();
    return answer_challenge(bauamt_seed(), StanzaType::hpke_p256, challenge.bytes).value();
}

/// An available answer to the return key, put there as the rows of an answer are.
Sending answer_for(Control& world, const KeySeed& seed) {
    auto sending = world.available();
    auto row = world.store().transfer(sending.id).value();
    row.department.clear();
    row.inbox_hash = world.relay().inbox_hash(inbox_id(public_key(seed)));
    world.store().transaction([&] { world.store().put(row); });
    return sending;
}

std::set<std::string> tids(Control& world, const SessionToken& session) {
    std::set<std::string> out;
    const auto entries = world.relay().inbox(session).value();
    for (const auto& entry : entries) out.insert(entry.transfer.hex());
    return out;
}

} // namespace

TEST_CASE("who answers a department's challenge sees what waits for it, newest first") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto older = api.world.available();
    api.world.clock.pass(60);
    const auto newer = api.world.available();
    static_cast<void>(api.world.uploading());
    static_cast<void>(api.world.available([](relay::TransferRequest& request) {
        request.department.clear();
        request.staff = clerk;
    }));
    REQUIRE(api.world.relay().fetched(older.id, older.fetch(), {}));

    const json challenge =
        api.good(200, "POST", "/v1/department/challenge", {},
                 json{{"department", "bauamt"}, {"kid", to_hex(bauamt_kid())}}.dump());
    CHECK(members(challenge) == std::set<std::string>{"challenge", "valid_s"});
    CHECK(challenge.at("valid_s") == 120);
    const auto answer =
        answer_challenge(bauamt_seed(), StanzaType::hpke_p256,
                         from_base64url(challenge.at("challenge").get<std::string>()).value());
    const json opened =
        api.good(200, "POST", "/v1/department/session", {},
                 json{{"department", "bauamt"}, {"answer", to_base64url(answer.value())}}.dump());
    CHECK(opened.at("valid_s") == 1'800);
    const Headers session{{"plankurier-session", opened.at("session")}};
    const json list = api.good(200, "GET", "/v1/inbox", session).at("transfers");
    REQUIRE(list.size() == 2);
    const std::int64_t now = api.world.clock.now();
    CHECK(list[0] == json{{"tid", newer.id.hex()},
                          {"state", "available"},
                          {"created", now},
                          {"expires", now + 14 * day_s},
                          {"body_len", newer.layout.body_len()},
                          {"fetched", false}});
    CHECK(list[1].at("tid") == older.id.hex());
    CHECK(list[1].at("fetched") == true);

    Headers read = session;
    read["plankurier-transfer"] = newer.id.hex();
    const auto envelope = api.call("GET", "/v1/envelope", read);
    CHECK(envelope.status == 200);
    CHECK(to_hex(sha256(as_bytes(envelope.body))) ==
          api.world.store().transfer(newer.id)->envelope_hash);
    const json record = api.good(200, "GET", "/v1/record", read);
    CHECK(check_verified(from_base64url(record.at("record").get<std::string>()).value(),
                         signing_public_key(control_seed()))
              ->email == citizen);
}

TEST_CASE("a citizen with the return key sees the answers to it and nobody else's") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    const auto mine = fixed_secret<KeySeed>("erika"), theirs = fixed_secret<KeySeed>("max");
    const auto for_me = answer_for(world, mine);
    const auto for_them = answer_for(world, theirs);
    const auto for_department = world.available();
    const auto key = public_key(mine);
    const json challenge = api.good(
        200, "POST", "/v1/inbox/challenge", {},
        json{{"inbox", inbox_id(key).hex()}, {"type", 5}, {"public_key", to_base64url(key.bytes)}}
            .dump());
    const auto answer =
        answer_challenge(mine, StanzaType::hpke_p256,
                         from_base64url(challenge.at("challenge").get<std::string>()).value());
    const json opened = api.good(
        200, "POST", "/v1/inbox/session", {},
        json{{"inbox", inbox_id(key).hex()}, {"answer", to_base64url(answer.value())}}.dump());
    Headers session{{"plankurier-session", opened.at("session")}};
    const json list = api.good(200, "GET", "/v1/inbox", session).at("transfers");
    REQUIRE(list.size() == 1);
    CHECK(list[0].at("tid") == for_me.id.hex());
    for (const auto& [id, status] : std::map<TransferId, int>{{for_me.id, 200},
                                                              {for_them.id, 404},
                                                              {for_department.id, 404},
                                                              {TransferId::random(), 404}}) {
        session["plankurier-transfer"] = id.hex();
        CHECK(api.call("GET", "/v1/envelope", session).status == status);
        CHECK(api.call("GET", "/v1/record", session).status == status);
    }
    CHECK(tids(world, world.department_session()) ==
          std::set<std::string>{for_department.id.hex()});
    CHECK(tids(world, world.inbox_session(fixed_secret<KeySeed>("nobody"))).empty());
}

TEST_CASE("an answer to a challenge opens one session, in time, for its holder") {
    const TempFolder folder;
    Control world{folder.path()};
    relay::Relay& relay = world.relay();
    SECTION("the same one when it is said again") {
        const auto answer = bauamt_answer(world), other = bauamt_answer(world);
        const auto first = relay.open_key_session({"bauamt", {}}, answer);
        const auto again = relay.open_key_session({"bauamt", {}}, answer);
        REQUIRE(first);
        REQUIRE(again);
        CHECK(std::ranges::equal(first->reveal(), again->reveal()));
        const auto second = relay.open_key_session({"bauamt", {}}, other);
        REQUIRE(second);
        CHECK_FALSE(std::ranges::equal(first->reveal(), second->reveal()));
        world.clock.pass(120);
        CHECK(why(relay.open_key_session({"bauamt", {}}, answer)) == "not_verified");
    }
    SECTION("for two minutes and not a second longer") {
        const auto in_time = bauamt_answer(world), late = bauamt_answer(world);
        world.clock.pass(119);
        CHECK(why(relay.open_key_session({"bauamt", {}}, in_time)) == "value");
        world.clock.pass(1);
        CHECK(why(relay.open_key_session({"bauamt", {}}, late)) == "not_verified");
    }
    SECTION("not for another department or inbox") {
        const auto answer = bauamt_answer(world);
        CHECK(why(relay.open_key_session({"gartenamt", {}}, answer)) == "not_verified");
        CHECK(why(relay.open_key_session({"bauamt", {}}, answer)) == "not_verified");
        CHECK(why(relay.open_key_session({{}, InboxId{}}, bauamt_answer(world))) == "not_verified");
    }
    SECTION("a guess opens nothing") {
        static_cast<void>(bauamt_answer(world));
        CHECK(why(relay.open_key_session({"bauamt", {}}, Hash256{})) == "not_verified");
    }
}

TEST_CASE("a session of a key ends after half an hour without use, and after a day") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto idle = world.department_session(), busy = world.department_session();
    for (int i = 0; i < 47; ++i) {
        world.clock.pass(1'799);
        REQUIRE(world.relay().inbox(busy));
    }
    CHECK(why(world.relay().inbox(idle)) == "not_verified");
    world.clock.pass(1'799);
    CHECK(world.relay().inbox(busy));
    world.clock.pass(48);
    CHECK(why(world.relay().inbox(busy)) == "not_verified");
    const auto fresh = world.department_session();
    world.relay().set_directory({});
    CHECK(why(world.relay().inbox(fresh)) == "not_verified");
    world.relay().set_directory(usual_directory());
    world.restart();
    CHECK(why(world.relay().inbox(fresh)) == "not_verified");
}

TEST_CASE("a department that does not exist is asked for an answer like any other") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto ask = [&](const std::string& department, const KeyId& kid) {
        return api.good(200, "POST", "/v1/department/challenge", {},
                        json{{"department", department}, {"kid", to_hex(kid)}}.dump());
    };
    KeyId stranger{};
    const json known = ask("bauamt", bauamt_kid());
    for (const json& other : {ask("gartenamt", bauamt_kid()), ask("bauamt", stranger)}) {
        CHECK(members(other) == members(known));
        CHECK(other.at("valid_s") == known.at("valid_s"));
        const auto one = from_base64url(known.at("challenge").get<std::string>()).value();
        const auto two = from_base64url(other.at("challenge").get<std::string>()).value();
        CHECK(one.size() == two.size());
        CHECK(std::equal(one.begin(), one.begin() + 6, two.begin()));
        CHECK(why(answer_challenge(bauamt_seed(), StanzaType::hpke_p256, two)) != "value");
    }
    const auto challenge =
        from_base64url(ask("bauamt", stranger).at("challenge").get<std::string>());
    CHECK(std::equal(stranger.begin(), stranger.end(), challenge->begin() + 6));
}

TEST_CASE("only a department's key that holds today and is not revoked opens its inbox") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto can_answer = [&] {
        const auto challenge = world.relay().department_challenge("bauamt", bauamt_kid()).value();
        return answer_challenge(bauamt_seed(), StanzaType::hpke_p256, challenge.bytes).has_value();
    };
    CHECK(can_answer());
    auto directory = usual_directory();
    directory.revoked.push_back(bauamt_kid());
    world.relay().set_directory(directory);
    CHECK_FALSE(can_answer());
    directory.revoked.clear();
    directory.departments[0].keys[0].until = world.clock.now();
    world.relay().set_directory(directory);
    CHECK_FALSE(can_answer());
    directory.departments[0].keys[0].until = world.clock.now() + 1;
    directory.departments[0].keys[0].from = world.clock.now() + 1;
    world.relay().set_directory(directory);
    CHECK_FALSE(can_answer());
    directory.departments[0].keys[0].from = world.clock.now();
    world.relay().set_directory(directory);
    CHECK(can_answer());
}

TEST_CASE("an inbox is asked for with the key that it is made of") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto key = public_key(fixed_secret<KeySeed>("erika"));
    const auto ask = [&](const json& change) {
        json body{
            {"inbox", inbox_id(key).hex()}, {"type", 5}, {"public_key", to_base64url(key.bytes)}};
        body.update(change);
        return api.refused("POST", "/v1/inbox/challenge", {}, body.dump());
    };
    CHECK(ask(json::object()) == "status 200");
    CHECK(ask({{"inbox", InboxId::random().hex()}}) == "malformed");
    CHECK(ask({{"inbox", "00"}}) == "malformed");
    CHECK(ask({{"type", 1}}) == "malformed");
    CHECK(ask({{"public_key", ""}}) == "malformed");
    for (const int type : {0, 2, 3, 6, -1, 65'536, 65'541}) {
        CHECK(ask({{"type", type}}) == "unsupported");
    }
    RecipientPublicKey no_point{StanzaType::hpke_p256, Bytes(65, std::byte{4})};
    CHECK(ask({{"inbox", inbox_id(no_point).hex()},
               {"public_key", to_base64url(no_point.bytes)}}) == "malformed");
}

TEST_CASE("sessions of keys leave nothing on the disk, and the disk does not name the inbox") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto seed = fixed_secret<KeySeed>("erika");
    static_cast<void>(answer_for(world, seed));
    const auto session = world.inbox_session(seed);
    REQUIRE(world.relay().inbox(session).value().size() == 1);
    const auto key = public_key(seed);
    for (const std::string& trace :
         {inbox_id(key).hex(), to_hex(key.bytes), to_hex(session.reveal()),
          to_hex(sha256(session.reveal())), to_hex(sha256(inbox_id(key).bytes))}) {
        INFO(trace);
        CHECK(files_with(folder.path(), trace).empty());
    }
}

TEST_CASE("an inbox lists the newest 500 of what can still be fetched") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto seed = fixed_secret<KeySeed>("erika");
    const auto sending = answer_for(world, seed);
    const auto session = world.inbox_session(seed);
    auto row = world.store().transfer(sending.id).value();
    const auto newest = TransferId::random();
    world.store().transaction([&] {
        for (int i = 0; i < 500; ++i) {
            row.transfer = i == 499 ? newest : TransferId::random();
            row.created = 1 + i;
            world.store().put(row);
        }
        row.transfer = sending.id;
        row.created = 0;
        world.store().put(row);
    });
    const auto list = world.relay().inbox(session).value();
    REQUIRE(list.size() == 500);
    CHECK(list.front().transfer == newest);
    CHECK(tids(world, session).count(sending.id.hex()) == 0);
    world.clock.pass(14 * day_s);
    const auto later = world.inbox_session(seed);
    CHECK(world.relay().inbox(later).value().empty());
    CHECK(why(world.relay().envelope(later, newest)) == "not_found");
}

} // namespace plankurier::test::sessions_test
