// Which step is allowed in which state, and that a step said twice has the effect of once.
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <map>

namespace plankurier::test::transfers_test {

namespace {

using Names = std::map<std::string, std::string>;

struct Case {
    explicit Case(const std::filesystem::path& folder) : world(folder) {}
    Control world;
    Sending sending;
    LinkId link = LinkId::random();
    std::unique_ptr<SessionToken> session;
};

void create(Case& it) {
    it.session = std::make_unique<SessionToken>(it.world.verified_session());
    REQUIRE(it.world.relay().create_transfer(*it.session, it.sending.request()));
}
void upload(Case& it) {
    create(it);
    REQUIRE(it.world.relay().put_envelope(it.sending.id, it.sending.manage, it.sending.envelope()));
}
void finish(Case& it) {
    upload(it);
    REQUIRE(it.world.relay().finish(it.sending.id, it.sending.manage, {it.sending.signed_receipt()},
                                    it.sending.content()));
    it.world.relay().tick();
    it.link = it.world.link_for();
}
void fetch(Case& it) {
    finish(it);
    REQUIRE(it.world.relay().fetched(it.sending.id, it.sending.fetch(), {}));
}
void let_upload_end(Case& it) {
    upload(it);
    it.world.clock.pass(day_s);
}
void let_files_end(Case& it) {
    finish(it);
    it.world.clock.pass(14 * day_s);
}
/// A crash in the middle of the purge leaves the row in one of the ended states.
void end_with(Case& it, relay::TransferState state) {
    finish(it);
    auto row = it.world.store().transfer(it.sending.id).value();
    row.state = state;
    it.world.store().transaction([&] { it.world.store().put(row); });
}
void revoke(Case& it) {
    finish(it);
    REQUIRE(it.world.relay().revoke(it.sending.id, it.sending.manage));
}

std::string answer(Case& it, const std::string& call) {
    relay::Relay& relay = it.world.relay();
    const auto& sending = it.sending;
    if (call == "create") {
        // A new session, since the first one may be over; its code comes with a tick, so that what
        // has ended is purged by then.
        const auto session = it.world.verified_session();
        return why(relay.create_transfer(session, sending.request()));
    }
    if (call == "envelope") {
        return why(relay.put_envelope(sending.id, sending.manage, sending.envelope()));
    }
    if (call == "put ticket") return why(relay.put_ticket(sending.id, sending.manage));
    if (call == "get ticket") return why(relay.get_ticket(sending.id, sending.fetch()));
    if (call == "finish") {
        return why(relay.finish(sending.id, sending.manage, {sending.signed_receipt()},
                                sending.content()));
    }
    if (call == "status") return why(relay.status(sending.id, sending.manage));
    if (call == "read envelope") return why(relay.envelope(it.link));
    if (call == "read record") return why(relay.verified_record(it.link));
    if (call == "fetched") return why(relay.fetched(sending.id, sending.fetch(), {}));
    if (call == "revoke") return why(relay.revoke(sending.id, sending.manage));
    return "no such call";
}

struct State {
    std::string name;
    std::function<void(Case&)> reach;
    Names answers;
};

/// Calls that the same sender or recipient may make in that state, and the answer to each.
std::vector<State> states() {
    const Names open{{"create", "value"},
                     {"envelope", "conflict"},
                     {"put ticket", "value"},
                     {"get ticket", "not_found"},
                     {"finish", "value"},
                     {"status", "value"},
                     {"read envelope", "not_found"},
                     {"read record", "not_found"},
                     {"fetched", "not_found"},
                     {"revoke", "value"}};
    const auto with = [](Names names, const Names& changes) {
        for (const auto& [call, code] : changes) names[call] = code;
        return names;
    };
    const auto managed_is = [&](const std::string& code) {
        return with(open, {{"create", "conflict"},
                           {"envelope", code},
                           {"put ticket", code},
                           {"finish", code},
                           {"status", code},
                           {"revoke", code}});
    };
    const Names readable = with(open, {{"get ticket", "value"},
                                       {"read envelope", "value"},
                                       {"read record", "value"},
                                       {"fetched", "value"}});
    return {
        {"never created", [](Case&) {}, with(managed_is("not_found"), {{"create", "value"}})},
        {"created", create,
         with(open, {{"envelope", "value"}, {"put ticket", "conflict"}, {"finish", "conflict"}})},
        {"uploading", upload, open},
        {"available", finish, readable},
        {"fetched", fetch, readable},
        {"upload too late", let_upload_end, managed_is("expired")},
        {"past its end", let_files_end, managed_is("expired")},
        {"expired", [](Case& it) { end_with(it, relay::TransferState::expired); },
         managed_is("expired")},
        {"revoked", [](Case& it) { end_with(it, relay::TransferState::revoked); },
         with(managed_is("revoked"), {{"revoke", "value"}})},
        {"purged", revoke, with(managed_is("purged"), {{"revoke", "value"}})},
    };
}

} // namespace

TEST_CASE("in each state each call is allowed or refused as the protocol says") {
    for (const State& state : states()) {
        for (const auto& [call, expected] : state.answers) {
            const TempFolder folder;
            Case it{folder.path()};
            state.reach(it);
            INFO(state.name << ": " << call);
            CHECK(answer(it, call) == expected);
        }
    }
}

TEST_CASE("creating twice is creating once") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.verified_session();
    const Sending sending;
    const auto first = world.relay().create_transfer(session, sending.request());
    world.clock.pass(hour_s);
    const auto second = world.relay().create_transfer(session, sending.request());
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->upload_until == second->upload_until);
    CHECK(world.store().used_slots().size() == 2); // of the session and of one transfer
}

TEST_CASE("a transfer id belongs to whoever took it first") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto victim = world.uploading();
    const auto session = world.verified_session("mallory@boese.example");
    Sending foreign;
    foreign.id = victim.id;
    CHECK(why(world.relay().create_transfer(session, foreign.request())) == "conflict");
    auto longer = victim.request();
    longer.body_len = BodyLayout::for_content(10'000'000)->body_len();
    CHECK(why(world.relay().create_transfer(session, longer)) == "conflict");
    CHECK(why(world.relay().put_envelope(victim.id, foreign.manage, foreign.envelope())) ==
          "not_found");
    CHECK(why(world.relay().put_ticket(victim.id, foreign.manage)) == "not_found");
    CHECK(why(world.relay().status(victim.id, foreign.manage)) == "not_found");
    CHECK(why(world.relay().revoke(victim.id, foreign.manage)) == "not_found");
    CHECK(why(world.relay().finish(victim.id, foreign.manage, {victim.signed_receipt()},
                                   victim.content())) == "not_found");
    REQUIRE(world.relay().finish(victim.id, victim.manage, {victim.signed_receipt()},
                                 victim.content()));
    CHECK(why(world.relay().get_ticket(victim.id, foreign.fetch())) == "not_found");
    CHECK(why(world.relay().fetched(victim.id, foreign.fetch(), {})) == "not_found");
    CHECK(why(world.relay().envelope(LinkId::random())) == "not_found");
}

TEST_CASE("an id that was purged is never given out again") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    world.clock.pass(14 * day_s);
    world.relay().tick();
    world.restart();
    const auto session = world.verified_session();
    CHECK(why(world.relay().create_transfer(session, sending.request())) == "conflict");
}

TEST_CASE("an envelope is written once, and only one that fits its transfer") {
    const TempFolder folder;
    Control world{folder.path()};
    const Sending sending;
    const Sending other;
    REQUIRE(world.relay().create_transfer(world.verified_session(), sending.request()));
    const Bytes envelope = sending.envelope();
    const auto put = [&](const Bytes& bytes) {
        return why(world.relay().put_envelope(sending.id, sending.manage, bytes));
    };
    CHECK(put(other.envelope()) == "conflict");
    Sending longer;
    longer.id = sending.id;
    longer.layout = BodyLayout::for_content(10'000'000).value();
    CHECK(put(longer.envelope()) == "conflict");
    CHECK(put({}) == "malformed");
    CHECK(put({envelope.begin(), envelope.begin() + 200}) == "malformed");
    CHECK(put(envelope) == "value");
    CHECK(put(envelope) == "value");
    CHECK(put(sending.envelope()) == "conflict"); // sealed anew: other bytes
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    CHECK(put(envelope) == "value");
    world.relay().tick();
    const auto read = world.relay().envelope(world.link_for());
    REQUIRE(read);
    CHECK(*read == envelope);
}

TEST_CASE("an upload lives a day from its last ticket") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    for (int i = 0; i < 5; ++i) {
        world.clock.pass(day_s - 1);
        world.relay().tick();
        CHECK(world.relay().put_ticket(sending.id, sending.manage));
    }
    world.clock.pass(day_s);
    world.relay().tick();
    CHECK(why(world.relay().put_ticket(sending.id, sending.manage)) == "purged");
}

TEST_CASE("a ticket says what its holder may do, for a quarter of an hour") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto key = signing_public_key(control_seed());
    const auto sending = world.uploading();
    const auto put = world.relay().put_ticket(sending.id, sending.manage);
    REQUIRE(put);
    const std::int64_t now = world.clock.now();
    CHECK(put->expires == now + 900);
    CHECK(check_ticket(put->ticket, key, now).value() ==
          Ticket{sending.id, TicketRole::put, sending.layout.body_len(), now, now + 900,
                 now + day_s + 14 * day_s});
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    world.clock.pass(hour_s);
    const auto get = world.relay().get_ticket(sending.id, sending.fetch());
    REQUIRE(get);
    CHECK(check_ticket(get->ticket, key, now + hour_s).value() ==
          Ticket{sending.id, TicketRole::get, sending.layout.body_len(), now + hour_s,
                 now + hour_s + 900, now + 14 * day_s});
    CHECK(why(check_ticket(get->ticket, key, now + 3 * hour_s)) == "expired");
}

TEST_CASE("revoking deletes at once and may be said twice") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const LinkId link = world.link_for();
    const std::string notice = world.mails.sent_to(department_mail).front().id;
    REQUIRE(world.relay().revoke(sending.id, sending.manage));
    CHECK_FALSE(world.store().transfer(sending.id));
    CHECK(world.store().is_tombstoned(sending.id));
    CHECK(std::ranges::count(world.mails.forgotten, notice) == 1);
    CHECK(why(world.relay().envelope(link)) == "not_found");
    CHECK(world.relay().revoke(sending.id, sending.manage));
    world.relay().tick();
    CHECK(world.mails.sent.size() == 2); // the code and the notice, nothing more
}

TEST_CASE("a revoked transfer's waiting notice is not sent") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    REQUIRE(world.relay().revoke(sending.id, sending.manage));
    world.relay().tick();
    CHECK(world.mails.sent_to(department_mail).empty());
}

} // namespace plankurier::test::transfers_test
