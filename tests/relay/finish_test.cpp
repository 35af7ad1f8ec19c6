// "available" and "fetched": what proves them, and which mails follow.
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::finish_test {

namespace {

std::string finish(Control& world, const Sending& sending, const std::vector<Bytes>& receipts) {
    return why(world.relay().finish(sending.id, sending.manage, receipts, sending.content()));
}

Bytes report(const Sending& sending, Control& world, const SigningSeed& key) {
    return sign_fetched(world.fetched_report(sending), key);
}

void to_clerk(relay::TransferRequest& request) {
    request.department.clear();
    request.staff = clerk;
}

} // namespace

TEST_CASE("a transfer becomes available only by its relay's own signature") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    const auto other = world.uploading();
    CHECK(finish(world, sending, {}) == "bad_signature");
    CHECK(finish(world, sending, {{}}) == "bad_signature");
    CHECK(finish(world, sending, {other.signed_receipt()}) == "bad_signature");
    CHECK(finish(world, sending, {sign_stored(sending.receipt(), control_seed())}) ==
          "bad_signature");
    auto shorter = sending.receipt();
    shorter.body_len -= 1;
    CHECK(finish(world, sending, {sign_stored(shorter, relay_seed(0))}) == "bad_signature");
    auto in_the_name_of_another = sending.receipt();
    in_the_name_of_another.relay = known_relay(1).id;
    CHECK(finish(world, sending, {sign_stored(in_the_name_of_another, relay_seed(0))}) ==
          "bad_signature");
    CHECK(finish(world, sending, {sending.signed_receipt(1)}) == "bad_signature");
    CHECK(world.relay().status(sending.id, sending.manage)->state ==
          relay::TransferState::uploading);
    world.relay().tick();
    CHECK(world.mails.sent_to(department_mail).empty());
    CHECK(finish(world, sending, {{}, other.signed_receipt(), sending.signed_receipt()}) ==
          "value");
}

TEST_CASE("no receipt with a changed byte counts") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    const Bytes good = sending.signed_receipt();
    for (std::size_t at = 0; at < good.size(); ++at) {
        Bytes bad = good;
        bad[at] ^= std::byte{0x10};
        INFO("byte " << at);
        CHECK(finish(world, sending, {bad}) == "bad_signature");
    }
    CHECK(finish(world, sending, {{good.begin(), good.end() - 1}}) == "bad_signature");
    Bytes longer = good;
    longer.push_back({});
    CHECK(finish(world, sending, {longer}) == "bad_signature");
    CHECK(finish(world, sending, {good}) == "value");
}

TEST_CASE("with several relays two of them must store it, one twice is not enough") {
    const TempFolder folder;
    Control world{folder.path(), {3}};
    const auto sending = world.uploading();
    const auto twice = sending.signed_receipt(1);
    CHECK(finish(world, sending, {sending.signed_receipt(3)}) == "bad_signature");
    CHECK(finish(world, sending, {twice}) == "unavailable");
    CHECK(finish(world, sending, {twice, twice}) == "unavailable");
    CHECK(finish(world, sending, {twice, sending.signed_receipt(3)}) == "unavailable");
    CHECK(finish(world, sending, {twice, sending.signed_receipt(2)}) == "value");
}

TEST_CASE("finishing starts the clock of the expiry, and twice is once") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    world.clock.pass(5 * hour_s);
    const auto first = world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                            sending.content());
    REQUIRE(first);
    CHECK(first->expires == world.clock.now() + 14 * day_s);
    CHECK(first->receipt_number.size() == 9);
    world.clock.pass(hour_s);
    const auto second = world.relay().finish(sending.id, sending.manage, {}, sending.content());
    REQUIRE(second);
    CHECK(second->expires == first->expires);
    CHECK(second->receipt_number == first->receipt_number);
    world.relay().tick();
    world.restart();
    world.relay().tick();
    CHECK(world.mails.sent_to(department_mail).size() == 1);
}

TEST_CASE("the department's notice holds a link and nothing of the sender") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending =
        world.available([](relay::TransferRequest& request) { request.phone = "+49 9131 803"; });
    const auto mails = world.mails.sent_to(department_mail);
    REQUIRE(mails.size() == 1);
    CHECK(mails[0].reply_to.empty());
    for (const std::string& foreign :
         {std::string{citizen}, std::string{"9131 803"}, std::string{"Erika"}, sending.id.hex()}) {
        CHECK(mails[0].text.find(foreign) == std::string::npos);
    }
    const auto record = world.relay().verified_record(world.link_for());
    REQUIRE(record);
    const auto checked = check_verified(*record, signing_public_key(control_seed()));
    REQUIRE(checked);
    CHECK(checked->email == citizen);
    CHECK(checked->transfer == sending.id);
    CHECK(checked->envelope_sha256 == sha256(world.relay().envelope(world.link_for()).value()));
}

TEST_CASE("a clerk's notice names the verified address, and the phone only if it was given") {
    const TempFolder folder;
    Control world{folder.path()};
    static_cast<void>(world.available(to_clerk));
    static_cast<void>(world.available([](relay::TransferRequest& request) {
        to_clerk(request);
        request.phone = "+49 (9131) 803-4711/12";
    }));
    const auto mails = world.mails.sent_to(clerk);
    REQUIRE(mails.size() == 2);
    for (const auto& mail : mails) {
        CHECK(mail.reply_to == citizen);
        CHECK(mail.text.find(citizen) != std::string::npos);
    }
    CHECK(mails[0].text.find("Telefon für") == std::string::npos);
    CHECK(mails[1].text.find("Telefon für Rückfragen: +49 (9131) 803-4711/12\n") !=
          std::string::npos);
}

TEST_CASE("the sender hears once that it was fetched") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    world.clock.pass(hour_s);
    for (int i = 0; i < 3; ++i) {
        REQUIRE(world.relay().fetched(sending.id, sending.fetch(), {}));
        world.relay().tick();
        world.clock.pass(60);
    }
    CHECK(world.mails.sent_to(citizen).size() == 2); // the code, and this
    const auto mail = world.mails.sent_to(citizen).back();
    CHECK(mail.subject == "Ihre Nachricht wurde abgerufen");
    const auto status = world.relay().status(sending.id, sending.manage);
    CHECK(status->state == relay::TransferState::fetched);
    CHECK(status->fetched == world.clock.now() - 180);
    CHECK_FALSE(status->fetch_signed);
}

TEST_CASE("the sender hears nothing if it was not asked for, and in English if that was") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto quiet =
        world.available([](relay::TransferRequest& request) { request.notify_fetch = false; });
    REQUIRE(world.relay().fetched(quiet.id, quiet.fetch(), {}));
    world.relay().tick();
    CHECK(world.mails.sent_to(citizen).size() == 1);
    const auto english =
        world.available([](relay::TransferRequest& request) { request.language = "en"; });
    REQUIRE(world.relay().fetched(english.id, english.fetch(), {}));
    world.relay().tick();
    CHECK(world.mails.sent_to(citizen).back().subject == "Your message was fetched");
}

TEST_CASE("a report counts as signed only by the department, for this envelope") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const auto other = world.available();
    const auto tell = [&](const Bytes& bytes) {
        return why(world.relay().fetched(sending.id, sending.fetch(), bytes));
    };
    CHECK(tell(report(sending, world, relay_seed(0))) == "bad_signature");
    CHECK(tell(report(other, world, department_seed())) == "bad_signature");
    FetchedReport foreign;
    foreign.transfer = sending.id;
    CHECK(tell(sign_fetched(foreign, department_seed())) == "bad_signature");
    CHECK(tell(Bytes(50)) == "bad_signature");
    CHECK(world.relay().status(sending.id, sending.manage)->fetched == 0);
    CHECK(tell({}) == "value");
    CHECK_FALSE(world.relay().status(sending.id, sending.manage)->fetch_signed);
    CHECK(tell(report(sending, world, department_seed())) == "value");
    CHECK(world.relay().status(sending.id, sending.manage)->fetch_signed);
    CHECK(tell({}) == "value"); // an unsigned one later takes nothing away
    CHECK(world.relay().status(sending.id, sending.manage)->fetch_signed);
}

TEST_CASE("nobody can sign for a transfer that went to a clerk") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available(to_clerk);
    CHECK(why(world.relay().fetched(sending.id, sending.fetch(),
                                    report(sending, world, department_seed()))) == "bad_signature");
    CHECK(world.relay().fetched(sending.id, sending.fetch(), {}));
}

TEST_CASE("a mail that cannot be delivered now waits longer each time and is never lost") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    world.mails.answer = relay::Delivery::later;
    std::vector<std::int64_t> waits;
    std::int64_t last = world.clock.now();
    world.relay().tick();
    for (std::size_t tries = 1; tries < 8; world.relay().tick()) {
        if (world.mails.tried.size() - 1 == tries) { // one was the code
            world.clock.pass(30);
            continue;
        }
        waits.push_back(world.clock.now() - last);
        last = world.clock.now();
        tries = world.mails.tried.size() - 1;
    }
    CHECK(waits == std::vector<std::int64_t>{60, 120, 240, 480, 960, 1'920, 3'840});
    world.mails.answer = relay::Delivery::done;
    world.clock.pass(4 * hour_s);
    world.relay().tick();
    const auto mails = world.mails.sent_to(department_mail);
    REQUIRE(mails.size() == 1);
    for (std::size_t i = 1; i < world.mails.tried.size(); ++i) {
        CHECK(world.mails.tried[i].id == mails[0].id); // recognisable if it came twice
    }
    world.clock.pass(4 * hour_s);
    world.relay().tick();
    CHECK(world.mails.sent_to(department_mail).size() == 1);
}

TEST_CASE("a mail that was refused is not tried again, and its text is not kept") {
    const TempFolder folder;
    Control world{folder.path()};
    world.mails.answer = relay::Delivery::refused;
    const auto begun = world.relay().begin_verification(citizen, "de");
    world.relay().tick();
    world.clock.pass(5 * 60);
    world.relay().tick();
    CHECK(world.mails.tried.size() == 1);
    const auto rows = world.store().mails_of(to_hex(sha256(begun->session.reveal())));
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].sealed.empty());
}

} // namespace plankurier::test::finish_test
