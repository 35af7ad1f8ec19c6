// A registered clerk beside departments: notice, inbox, signed reports, answers, rules, purge.
#include "relay/adapters/files.hpp"
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <plankurier/challenge.hpp>
#include <plankurier/records.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::clerks_test {

namespace {

constexpr const char* anna = "clerk-00112233445566aa";

KeySeed annas_seed() { return fixed_secret<KeySeed>("anna"); }

/// The usual control plane, and a clerk who is registered with the address `clerk`.
struct World : Control {
    explicit World(const std::filesystem::path& where) : Control(where) { begin(); }
    void begin(std::string address = clerk) {
        restart();
        directory = usual_directory();
        Department record = directory.departments.front();
        record.id = anna;
        record.name = "Anna Grün";
        record.address = std::move(address);
        const auto key = recipient_public_key(annas_seed(), StanzaType::hpke_p256).value();
        record.keys.front().kid = key_id(key);
        record.keys.front().key = key;
        record.signing_keys.front().key = signing_public_key(signing_seed(annas_seed()));
        directory.clerks.push_back(std::move(record));
        relay().set_directory(directory);
    }
    std::string attempt(const Change& change) {
        auto request = Sending{}.request();
        change(request);
        if (!sender) sender.emplace(verified_session());
        return why(relay().create_transfer(*sender, request));
    }
    Result<SessionToken> clerks_session() {
        const auto key = recipient_public_key(annas_seed(), StanzaType::hpke_p256).value();
        const auto challenge = relay().department_challenge(anna, key_id(key)).value();
        const auto answer = answer_challenge(annas_seed(), StanzaType::hpke_p256, challenge.bytes);
        if (!answer) return tl::unexpected(answer.error());
        return relay().open_key_session({anna, {}}, *answer);
    }
    Directory directory;
    std::optional<SessionToken> sender;
};

void to_clerk(relay::TransferRequest& request) { request.department = anna; }
void to_both(relay::TransferRequest& request) { request.also = {anna}; }

} // namespace

TEST_CASE("a registered clerk gets the notice of key holders, lists it, and signs for it") {
    const TempFolder folder;
    World world{folder.path()};
    const auto one = world.available(to_clerk), both = world.available(to_both);
    const auto mails = world.mails.sent_to(clerk);
    REQUIRE(mails.size() == 2);
    for (const auto& mail : mails) {
        CHECK(mail.text.find("Schlüssel") != std::string::npos);
        CHECK(mail.text.find("Passwort") == std::string::npos);
        CHECK(mail.reply_to.empty());
    }
    CHECK(world.mails.sent_to(department_mail).size() == 1);
    CHECK(world.relay().inbox(world.clerks_session().value())->size() == 2);
    CHECK(world.relay().inbox(world.department_session())->size() == 1);
    CHECK(world.relay().envelope(world.clerks_session().value(), both.id));
    const FetchedReport report = world.fetched_report(one);
    const auto fetched = [&](const SigningSeed& seed) {
        return why(world.relay().fetched(one.id, one.fetch(), sign_fetched(report, seed)));
    };
    CHECK(fetched(department_seed()) == "bad_signature");
    CHECK(fetched(signing_seed(annas_seed())) == "value");
    CHECK(world.relay().status(one.id, one.manage)->fetch_signed);
}

TEST_CASE("a clerk answers by the own key, under the own address") {
    const TempFolder folder;
    World world{folder.path()};
    const auto inbox = inbox_id(
        recipient_public_key(fixed_secret<KeySeed>("erika"), StanzaType::hpke_p256).value());
    const auto session = world.clerks_session();
    REQUIRE(session);
    const auto answer = world.sent(*session, [&](auto& request) {
        request.department.clear();
        request.citizen = citizen;
        request.inbox = inbox;
    });
    CHECK(world.mails.sent_to(citizen).size() == 1);
    const auto reader = world.inbox_session(fixed_secret<KeySeed>("erika"));
    const auto record = world.relay().verified_record(reader, answer.id);
    REQUIRE(record);
    const auto key = signing_public_key(control_seed());
    CHECK(check_verified(*record, key)->email == clerk);
    REQUIRE(world.relay().fetched(answer.id, answer.fetch(), {}));
    world.relay().tick();
    CHECK(world.mails.sent_to(clerk).back().subject == "Ihre Nachricht wurde abgerufen");
}

TEST_CASE("rules about a clerk name the id or the address") {
    const TempFolder folder;
    World world{folder.path()};
    CHECK(world.attempt(to_clerk) == "value");
    for (const char* about : {anna, clerk, "@amt.example"}) {
        CAPTURE(about);
        world.policy.rules = {{"@gemeinde.example", about}};
        world.begin();
        CHECK(world.attempt(to_clerk) == "address_not_allowed");
        CHECK(world.attempt(to_both) == "address_not_allowed");
    }
    world.policy.rules = {{"@gemeinde.example", "otto@amt.example"}};
    world.policy.departments[anna] = {{"pdf"}, std::uint64_t{1} << 40, 2, 5, 10};
    world.begin();
    CHECK(world.attempt(to_clerk) == "invalid_argument"); // 14 days are too long
    CHECK(world.attempt([](auto& request) {
        to_clerk(request);
        request.expiry_days = 10;
    }) == "value");
}

TEST_CASE("nobody is a clerk whose address is not the authority's, or who is not listed") {
    const TempFolder folder;
    World world{folder.path()};
    world.begin("anna@anderswo.example");
    CHECK(world.attempt(to_clerk) == "unknown_department");
    CHECK(world.attempt(to_both) == "unknown_department");
    world.begin();
    CHECK(world.attempt([](auto& request) { request.department = clerk; }) ==
          "unknown_department"); // by id only: the address would stand in the database
    CHECK(world.attempt([](auto& request) { request.also = {clerk}; }) == "unknown_department");
    const auto before = world.available(to_both);
    world.relay().set_directory(usual_directory());
    CHECK(world.attempt(to_clerk) == "unknown_department");
    CHECK(why(world.clerks_session()) == "wrong_key");
    world.clock.pass(601);
    const auto mails = world.mails.sent_to(clerk).size();
    REQUIRE(world.relay().resend_notice(before.id, before.manage));
    world.relay().tick();
    CHECK(world.mails.sent_to(clerk).size() == mails); // gone is gone
    CHECK(world.mails.sent_to(department_mail).size() == 2);
}

TEST_CASE("a clerk whose key is revoked or over gets no session") {
    const TempFolder folder;
    World world{folder.path()};
    CHECK(world.clerks_session());
    auto revoked = world.directory;
    revoked.revoked.push_back(revoked.clerks.front().keys.front().kid);
    world.relay().set_directory(revoked);
    CHECK(why(world.clerks_session()) == "wrong_key");
    auto over = world.directory;
    over.clerks.front().keys.front().until = world.clock.now();
    world.relay().set_directory(over);
    CHECK(why(world.clerks_session()) == "wrong_key");
}

TEST_CASE("the audit names no clerk, not even by the id, and nothing keeps the address") {
    const TempFolder folder;
    World world{folder.path()};
    REQUIRE(world.available(to_clerk).id != world.available(to_both).id);
    for (const auto& file : std::filesystem::recursive_directory_iterator{folder.path()}) {
        if (!file.is_regular_file()) continue;
        const auto bytes = relay::adapters::read_file(file.path());
        REQUIRE(bytes);
        CAPTURE(file.path());
        CHECK(as_text(*bytes).find("anna.gruen") == std::string_view::npos);
    }
    world.relay().purge_now(true);
    CHECK(world.audit().find(" purged department=- ") != std::string::npos);
    CHECK(world.audit().find(" purged department=bauamt ") != std::string::npos);
    CHECK(world.audit().find("clerk-") == std::string::npos);
}

} // namespace plankurier::test::clerks_test
