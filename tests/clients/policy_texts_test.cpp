// Every rule of the policy: what breaks it, and what the person reads then, in both languages.
#include <clients/cli/texts.hpp>

#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::policy_texts_test {

namespace {

using relay::TransferRequest;

std::string german(Errc code) { return std::string{cli::text(cli::Language::de, code)}; }
std::string english(Errc code) { return std::string{cli::text(cli::Language::en, code)}; }

/// The code that the request is refused with. The test fails when it is not.
Errc refused(Control& world, const SessionToken& session, const Control::Change& change) {
    auto request = Sending{}.request();
    change(request);
    const auto created = world.relay().create_transfer(session, request);
    REQUIRE_FALSE(created);
    return created.error().code;
}
Control::Change to_staff(const std::string& address) {
    return [=](TransferRequest& request) {
        request.department.clear();
        request.staff = address;
    };
}

} // namespace

TEST_CASE("who may write to whom: the words for each refusal") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.rules = {{"@gemeinde.example", "bauamt"}};
    world.restart();
    const auto session = world.verified_session();
    const std::string words = "An diese oder von dieser Adresse ist das Senden nicht zugelassen. ";
    for (const auto& change :
         {Control::Change{[](TransferRequest&) {}}, to_staff("max@buerger.example"),
          Control::Change{[](TransferRequest& request) {
              request.department.clear();
              request.citizen = "max@buerger.example";
          }}}) {
        const Errc code = refused(world, session, change);
        CHECK(german(code).starts_with(words));
        CHECK(english(code).starts_with("Sending to or from this address is not allowed. "));
    }
    const Errc unknown = refused(world, session, [](auto& request) { request.department = "x"; });
    CHECK(german(unknown).starts_with("Dieses Sachgebiet gibt es nicht."));
    CHECK(english(unknown).starts_with("There is no such department."));
}

TEST_CASE("transfers by link: the words for the refusal") {
    const TempFolder folder;
    Control world{folder.path()};
    const Errc code = refused(world, world.verified_session(), [](TransferRequest& request) {
        to_staff(clerk)(request);
        request.by_link = true;
    });
    CHECK(german(code).starts_with("Diese Behörde lässt Sendungen, die ein Link allein öffnet,"));
    CHECK(english(code).starts_with("This authority does not allow transfers that a link alone"));
}

TEST_CASE("sizes and days, of all and of one department: the words for each refusal") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.transfer_bytes_max = 8 * segment_bytes;
    world.policy.departments["bauamt"] = {{"pdf"}, 2 * segment_bytes, 3, 5, 7};
    world.restart();
    const auto session = world.verified_session();
    for (const auto& [segments, to] :
         {std::pair{3, std::string{}}, std::pair{9, std::string{clerk}}}) {
        const Errc code = refused(world, session, [&](TransferRequest& request) {
            if (!to.empty()) to_staff(to)(request);
            request.body_len = static_cast<std::uint64_t>(segments) * segment_plain_bytes;
        });
        CHECK(german(code) ==
              "Das ist größer, als die Behörde annimmt. Bitte teilen Sie die Sendung auf.");
        CHECK(english(code) == "This is larger than the authority accepts. Please split it.");
    }
    for (const auto& [days, to] :
         {std::pair{2, std::string{}}, std::pair{8, std::string{}},
          std::pair{0, std::string{clerk}}, std::pair{61, std::string{clerk}}}) {
        const Errc code = refused(world, session, [&](TransferRequest& request) {
            if (!to.empty()) to_staff(to)(request);
            request.expiry_days = days;
        });
        CHECK(german(code).starts_with("Eine Angabe ist nicht zulässig."));
        CHECK(english(code).starts_with("A value is not allowed."));
    }
}

TEST_CASE("quotas and room: the words for each refusal") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.open_transfers_per_address = 1;
    world.policy.limits.bytes_per_address_day = 3 * Sending{}.layout.body_len();
    world.restart();
    const auto session = world.verified_session();
    const auto expect_quota = [&] {
        const Errc code = refused(world, session, [](auto&) {});
        CHECK(german(code).starts_with("Von dieser Adresse sind zu viele Sendungen unfertig, oder "
                                       "es wurde heute zu viel gesendet."));
        CHECK(english(code).starts_with("Too many transfers of this address are unfinished, or "
                                        "too much was sent today."));
    };
    REQUIRE(world.relay().create_transfer(session, Sending{}.request()));
    expect_quota();
    world.policy.limits.open_transfers_per_address = 100;
    world.restart();
    REQUIRE(world.relay().create_transfer(session, Sending{}.request()));
    REQUIRE(world.relay().create_transfer(session, Sending{}.request()));
    expect_quota();
    auto news = world.news();
    news.space = {1, 1'000};
    world.sync(0, news);
    const Errc full = refused(world, world.verified_session("max@buerger.example"), [](auto&) {});
    CHECK(german(full).starts_with("Der Speicherplatz ist voll, hier oder beim Dienst."));
    CHECK(english(full).starts_with("Storage is full, here or at the service."));
}

TEST_CASE("codes, expiry and notices: the words for each refusal") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.code_mails_hour = 3;
    world.restart();
    const auto sending = world.available();
    const auto code_of = [](const auto& result) {
        REQUIRE_FALSE(result);
        return result.error().code;
    };
    auto& relay = world.relay();
    const Errc longer = code_of(relay.change_expiry(sending.id, sending.manage, 30));
    CHECK(german(longer).starts_with("Eine Angabe ist nicht zulässig."));
    CHECK(english(longer).starts_with("A value is not allowed."));
    const Errc soon = code_of(relay.resend_notice(sending.id, sending.manage));
    CHECK(german(soon).starts_with("Dafür ist es noch zu früh."));
    CHECK(english(soon).starts_with("It is too early for that."));
    for (int i = 0; i < 3; ++i) {
        world.clock.pass(600);
        REQUIRE(relay.resend_notice(sending.id, sending.manage));
    }
    const Errc often = code_of(relay.resend_notice(sending.id, sending.manage));
    CHECK(german(often).starts_with("Das wurde zu oft versucht."));
    CHECK(english(often).starts_with("That was tried too often."));
    const auto session = world.asked_session("max@buerger.example");
    std::int64_t left = 0;
    const Errc days = code_of(relay.check_code(session, SecretText{"0"}, left, 31));
    CHECK(german(days).starts_with("Eine Angabe ist nicht zulässig."));
    CHECK(english(days).starts_with("A value is not allowed."));
    REQUIRE(relay.begin_verification("moritz@buerger.example", "de"));
    const Errc busy = code_of(relay.begin_verification("moritz@buerger.example", "de"));
    CHECK(german(busy).starts_with("Zu viele Anfragen in kurzer Zeit."));
    CHECK(english(busy).starts_with("Too many requests in a short time."));
}

} // namespace plankurier::test::policy_texts_test
