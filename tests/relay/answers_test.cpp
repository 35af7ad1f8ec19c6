// The other direction: the authority writes to citizens, and nobody else does.
#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::answers_test {

namespace {

using nlohmann::json;

InboxId erikas_inbox() {
    return inbox_id(
        recipient_public_key(fixed_secret<KeySeed>("erika"), StanzaType::hpke_p256).value());
}
void to_citizen(relay::TransferRequest& request) {
    request.department.clear();
    request.citizen = citizen;
}
void to_inbox(relay::TransferRequest& request) {
    to_citizen(request);
    request.inbox = erikas_inbox();
}
std::string write(Control& world, const SessionToken& session, const Control::Change& change) {
    auto request = Sending{}.request();
    change(request);
    return why(world.relay().create_transfer(session, request));
}

} // namespace

TEST_CASE("a department answers a citizen, who finds it by mail and in the inbox") {
    const TempFolder folder;
    Api api{folder.path()};
    Control& world = api.world;
    const auto first = world.available();
    REQUIRE(world.relay().revoke(first.id, first.manage)); // the answer does not need it
    const Sending sending;
    const auto request = sending.request();
    const Headers session{
        {"plankurier-session", to_base64url(world.department_session().reveal())}};
    api.good(201, "POST", "/v1/transfers", session,
             json{{"tid", sending.id.hex()},
                  {"citizen", citizen},
                  {"inbox", erikas_inbox().hex()},
                  {"body_len", request.body_len},
                  {"expiry_days", 14},
                  {"fetch_sha256", to_base64url(request.fetch_hash)},
                  {"manage_sha256", to_base64url(request.manage_hash)}}
                 .dump());
    REQUIRE(world.relay().put_envelope(sending.id, sending.manage, sending.envelope()));
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    world.mails.sent.clear();
    world.relay().tick();
    REQUIRE(world.mails.sent.size() == 1);
    const auto& mail = world.mails.sent[0];
    CHECK(mail.to == citizen);
    CHECK(mail.subject == "Eine Antwort liegt bereit");
    CHECK(mail.reply_to.empty());
    CHECK(mail.text.find("Rücklink aus Ihrer Quittung") != std::string::npos);
    CHECK(world.relay().envelope(world.link_for(citizen)));
    const auto inbox = world.inbox_session(fixed_secret<KeySeed>("erika"));
    REQUIRE(world.relay().inbox(inbox).value().size() == 1);
    CHECK(world.relay().envelope(inbox, sending.id));
    const auto record = check_verified(world.relay().verified_record(inbox, sending.id).value(),
                                       signing_public_key(control_seed()));
    CHECK(record->email == department_mail);
    // To the department it is not listed: it does not wait there.
    CHECK(world.relay().inbox(world.department_session()).value().empty());

    world.mails.sent.clear();
    REQUIRE(world.relay().fetched(sending.id, sending.fetch(), {}));
    world.relay().tick();
    REQUIRE(world.mails.sent.size() == 1);
    CHECK(world.mails.sent[0].to == department_mail);
    CHECK(world.mails.sent[0].subject == "Ihre Nachricht wurde abgerufen");
}

TEST_CASE("a clerk with a verified address writes first, and the password comes another way") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.verified_session(clerk);
    world.mails.sent.clear();
    const auto sending = world.sent(session, [](relay::TransferRequest& request) {
        to_citizen(request);
        request.language = "en";
    });
    REQUIRE(world.mails.sent.size() == 1);
    CHECK(world.mails.sent[0].to == citizen);
    CHECK(world.mails.sent[0].subject == "A message is ready");
    CHECK(world.mails.sent[0].text.find(clerk) == std::string::npos);
    CHECK(world.mails.sent[0].text.find("password") != std::string::npos);
    const auto link = world.link_for(citizen);
    CHECK(check_verified(world.relay().verified_record(link).value(),
                         signing_public_key(control_seed()))
              ->email == clerk);
    REQUIRE(world.relay().fetched(sending.id, sending.fetch(), {}));
    world.relay().tick();
    CHECK(world.mails.sent_to(clerk).back().subject == "Ihre Nachricht wurde abgerufen");
}

TEST_CASE("one side is always the authority") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto citizens = world.verified_session();
    const auto clerks = world.verified_session(clerk);
    const auto departments = world.department_session();
    CHECK(write(world, citizens, to_citizen) == "address_not_allowed");
    CHECK(write(world, citizens, to_inbox) == "address_not_allowed");
    CHECK(write(world, world.inbox_session(fixed_secret<KeySeed>("erika")), to_citizen) ==
          "not_verified");
    CHECK(write(world, world.asked_session("berta@andere.example"), to_citizen) == "not_verified");
    for (const auto* session : {&clerks, &departments}) {
        CHECK(write(world, *session, to_citizen) == "value");
        CHECK(write(world, *session, to_inbox) == "value");
        CHECK(write(world, *session, [](auto&) {}) == "value"); // to a department
        for (const char* odd : {clerk, "BERTA@andere.example", "a b@c.example", "a@b@c.example"}) {
            INFO(odd);
            CHECK(write(world, *session, [&](relay::TransferRequest& request) {
                      request.department.clear();
                      request.citizen = odd;
                  }) == "address_not_allowed");
        }
    }
}

TEST_CASE("a transfer has one recipient, and only a citizen has an inbox") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.department_session();
    CHECK(write(world, session, [](auto& request) { request.citizen = citizen; }) ==
          "invalid_argument");
    CHECK(write(world, session, [](auto& request) {
              to_citizen(request);
              request.staff = clerk;
          }) == "invalid_argument");
    CHECK(write(world, session, [](auto& request) { request.inbox = erikas_inbox(); }) ==
          "invalid_argument");
    CHECK(write(world, session, [](auto& request) {
              request.department.clear();
              request.staff = clerk;
              request.inbox = erikas_inbox();
          }) == "invalid_argument");
}

TEST_CASE("a department without address for its notices cannot send") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.department_mails.clear();
    world.restart();
    CHECK(write(world, world.department_session(), to_citizen) == "not_verified");
}

TEST_CASE("an inbox in a request that is no id is malformed") {
    const TempFolder folder;
    Api api{folder.path()};
    const Sending sending;
    const Headers session{
        {"plankurier-session", to_base64url(api.world.department_session().reveal())}};
    json body{{"tid", sending.id.hex()},
              {"citizen", citizen},
              {"inbox", "00"},
              {"body_len", sending.layout.body_len()},
              {"expiry_days", 14},
              {"fetch_sha256", to_base64url(Hash256{})},
              {"manage_sha256", to_base64url(Hash256{})}};
    CHECK(api.refused("POST", "/v1/transfers", session, body.dump()) == "malformed");
    body["inbox"] = 7;
    CHECK(api.refused("POST", "/v1/transfers", session, body.dump()) == "malformed");
    body["inbox"] = erikas_inbox().hex();
    CHECK(api.refused("POST", "/v1/transfers", session, body.dump()) == "status 201");
}

} // namespace plankurier::test::answers_test
