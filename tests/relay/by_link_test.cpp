// Transfers that their link alone opens: who may make them, what they hold, who is told what.
#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::by_link_test {

namespace {

using nlohmann::json;
using Change = Control::Change;

void by_link(relay::TransferRequest& request) {
    request.department.clear();
    request.staff = clerk;
    request.by_link = true;
}
void to_citizen(relay::TransferRequest& request) {
    by_link(request);
    request.staff.clear();
    request.citizen = citizen;
}
Bytes sealed(const Sending& sending, std::size_t links, bool with_password = false) {
    std::vector<Recipient> recipients;
    for (std::size_t i = 0; i < links; ++i) {
        recipients.emplace_back(LinkRecipient{LinkSecret::random()});
    }
    if (with_password) recipients.emplace_back(PasswordRecipient{SecretText{"Moos"}, {1, 8'192}});
    return sending.envelope(recipients);
}

struct World {
    explicit World(const std::filesystem::path& folder, bool allowed = true) : control(folder) {
        set(allowed);
    }
    void set(bool allowed) {
        control.policy.link_allowed = allowed;
        control.restart();
    }
    /// With the notice delivered.
    relay::Finished sent(const Sending& sending, const SessionToken& session,
                         const Change& change) {
        auto request = sending.request();
        change(request);
        REQUIRE(control.relay().create_transfer(session, request));
        REQUIRE(control.relay().put_envelope(sending.id, sending.manage, sealed(sending, 1)));
        const auto finished = finish(sending);
        control.relay().tick();
        return finished;
    }
    relay::Finished finish(const Sending& sending) {
        const auto done = control.relay().finish(sending.id, sending.manage,
                                                 {sending.signed_receipt()}, sending.content());
        REQUIRE(done);
        return *done;
    }
    std::string why_not(const SessionToken& session, const Change& change) {
        auto request = Sending{}.request();
        change(request);
        return why(control.relay().create_transfer(session, request));
    }
    Control control;
};

} // namespace

TEST_CASE("the sender of a transfer by link gets the link's id, as often as it asks") {
    const TempFolder folder;
    World world{folder.path()};
    const Sending sending;
    const auto first = world.sent(sending, world.control.verified_session(), by_link);
    REQUIRE(first.link);
    CHECK(world.control.relay().envelope(*first.link));
    CHECK(world.finish(sending).link == first.link);
    REQUIRE(world.control.relay().fetched(sending.id, sending.fetch(), {}));
    CHECK(world.finish(sending).link == first.link);
    world.set(true);
    CHECK(world.finish(sending).link == first.link);
    // The sender of any other gets none.
    const auto other = world.control.available();
    CHECK_FALSE(world.finish(other).link);
}

TEST_CASE("the notice of a transfer by link names the link and the end, and nobody") {
    const TempFolder folder;
    World world{folder.path()};
    const auto session = world.control.verified_session();
    world.control.mails.sent.clear();
    const Sending sending;
    const auto done = world.sent(sending, session, [](relay::TransferRequest& request) {
        by_link(request);
        request.phone = "+49 9131 803-4711";
        request.language = "en"; // the sender's; staff read German
    });
    REQUIRE(world.control.mails.sent.size() == 1);
    const auto mail = world.control.mails.sent[0];
    CHECK(mail.to == clerk);
    CHECK(mail.reply_to.empty());
    CHECK(mail.subject == "Eine Nachricht wartet auf Ihren Link");
    CHECK(mail.text.find("/t#v1." + done.link->hex() + "\n") != std::string::npos);
    for (const char* private_fact : {"4711", citizen}) {
        CHECK(mail.text.find(private_fact) == std::string::npos);
    }
    const auto row = world.control.store().transfer(sending.id).value();
    CHECK(row.sealed_phone.empty());

    const auto department = world.control.department_session();
    world.control.mails.sent.clear();
    world.sent(Sending{}, department, [](relay::TransferRequest& request) {
        to_citizen(request);
        request.language = "en";
    });
    REQUIRE(world.control.mails.sent.size() == 1);
    CHECK(world.control.mails.sent[0].to == citizen);
    CHECK(world.control.mails.sent[0].subject == "A message is waiting for your link");
    CHECK(world.control.mails.sent[0].text.find(department_mail) == std::string::npos);
}

TEST_CASE("where the policy forbids it nobody makes a transfer by link") {
    const TempFolder folder;
    World world{folder.path(), false};
    const auto session = world.control.verified_session();
    const auto department = world.control.department_session();
    CHECK(world.why_not(session, by_link) == "link_not_allowed");
    CHECK(world.why_not(department, to_citizen) == "link_not_allowed");
    world.set(true);
    CHECK(world.why_not(session, by_link) == "value");
    CHECK(world.why_not(world.control.department_session(), to_citizen) == "value");
}

TEST_CASE("a transfer by link goes to one person") {
    const TempFolder folder;
    World world{folder.path()};
    const auto session = world.control.verified_session();
    CHECK(world.why_not(session, [](auto& request) { request.by_link = true; }) ==
          "invalid_argument");
    CHECK(world.why_not(session, [](auto& request) {
        by_link(request);
        request.department = "bauamt";
    }) == "invalid_argument");
    CHECK(world.why_not(world.control.department_session(), [](auto& request) {
        to_citizen(request);
        request.inbox = InboxId::random(); // an answer has a key
    }) == "invalid_argument");
}

TEST_CASE("the same id is not asked for with and without link") {
    const TempFolder folder;
    World world{folder.path()};
    const auto session = world.control.verified_session();
    auto request = Sending{}.request();
    by_link(request);
    REQUIRE(world.control.relay().create_transfer(session, request));
    CHECK(why(world.control.relay().create_transfer(session, request)) == "value");
    request.by_link = false;
    CHECK(why(world.control.relay().create_transfer(session, request)) == "conflict");
}

TEST_CASE("an envelope opens by link if and only if it was announced like that") {
    const TempFolder folder;
    World world{folder.path()};
    const auto session = world.control.verified_session();
    const auto put = [&](const Sending& sending, const Bytes& envelope) {
        return why(world.control.relay().put_envelope(sending.id, sending.manage, envelope));
    };
    const auto created = [&](const Change& change) {
        Sending sending;
        auto request = sending.request();
        change(request);
        REQUIRE(world.control.relay().create_transfer(session, request));
        return sending;
    };
    const auto linked = created(by_link);
    CHECK(put(linked, linked.envelope()) == "conflict");
    CHECK(put(linked, sealed(linked, 0, true)) == "conflict");
    CHECK(put(linked, sealed(linked, 1, true)) == "conflict");
    CHECK(put(linked, sealed(linked, 2)) == "conflict");
    const auto good = sealed(linked, 1);
    CHECK(put(linked, good) == "value");

    const auto plain = created([](relay::TransferRequest& request) {
        by_link(request);
        request.by_link = false;
    });
    CHECK(put(plain, sealed(plain, 1)) == "link_not_allowed");
    CHECK(put(plain, sealed(plain, 1, true)) == "link_not_allowed");
    CHECK(put(plain, sealed(plain, 0, true)) == "value");

    const auto late = created(by_link);
    world.set(false); // nothing new after that; what is there already stays
    CHECK(put(late, sealed(late, 1)) == "link_not_allowed");
    CHECK(put(linked, good) == "value");
    CHECK(world.finish(linked).link);
}

TEST_CASE("the service tells the domains of staff addresses, and names nobody") {
    const TempFolder folder;
    Api api{folder.path()};
    const auto told = api.good(200, "GET", "/v1/service");
    CHECK(told.at("staff_domains") == json{"amt.example", "andere.example"});
    CHECK(told.dump().find("berta") == std::string::npos);
    CHECK(relay::staff_domains({}).empty());
    relay::Policy mixed;
    mixed.staff_patterns = {"@Amt.Example", "anna@amt.example"};
    CHECK(relay::staff_domains(mixed) == std::vector<std::string>{"amt.example"});
}

TEST_CASE("by HTTP the request says that it is by link") {
    const TempFolder folder;
    Api api{folder.path()};
    CHECK(api.good(200, "GET", "/v1/service").at("link_allowed") == false);
    const Sending sending;
    const auto request = sending.request();
    const Headers session{
        {"plankurier-session", to_base64url(api.world.verified_session().reveal())}};
    json body{{"tid", sending.id.hex()},
              {"staff", clerk},
              {"by_link", true},
              {"body_len", request.body_len},
              {"expiry_days", 14},
              {"fetch_sha256", to_base64url(request.fetch_hash)},
              {"manage_sha256", to_base64url(request.manage_hash)}};
    CHECK(api.refused("POST", "/v1/transfers", session, body.dump()) == "link_not_allowed");
    body["by_link"] = "yes";
    CHECK(api.refused("POST", "/v1/transfers", session, body.dump()) == "malformed");
}

TEST_CASE("by HTTP the answer that ends the sending has the link") {
    const TempFolder folder;
    World world{folder.path()};
    const Sending sending;
    const auto done = world.sent(sending, world.control.verified_session(), by_link);
    relay::http::Published published;
    std::mutex mutex;
    relay::http::Router router{world.control.relay(), published, mutex};
    const auto answer =
        router.handle({"POST",
                       "/v1/transfers/finish",
                       {{"plankurier-transfer", sending.id.hex()},
                        {"plankurier-manage", to_base64url(sending.manage.reveal())}},
                       json{{"receipts", {to_base64url(sending.signed_receipt())}},
                            {"content_root", to_base64url(sending.content())}}
                           .dump()});
    CHECK(json::parse(answer.body).at("link") == done.link->hex());
}

} // namespace plankurier::test::by_link_test
