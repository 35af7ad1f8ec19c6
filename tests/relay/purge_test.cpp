// At its end a transfer is gone, not a second earlier, and no byte of it stays.
#include "relay/adapters/files.hpp"
#include "tests/support/control.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::purge_test {

namespace {

using Names = std::set<std::string>;

Bytes slot_bytes(const Control& world, relay::Slot slot) {
    const Bytes vault = relay::adapters::read_file(world.folder / "vault").value();
    const auto at = vault.begin() + static_cast<std::ptrdiff_t>(slot) * 64;
    return {at, at + 64};
}

void to_clerk(relay::TransferRequest& request) {
    request.department.clear();
    request.staff = clerk;
    request.phone = "+49 9131 803-4711";
}

/// Everything that could point to a transfer or a person, as it stands in files.
Names traces(const relay::TransferRow& row) {
    Names out{to_hex(row.sealed_sender),
              to_hex(row.sealed_link),
              to_hex(row.sealed_history).substr(0, 200),
              to_hex(row.sealed_recipient),
              row.manage_hash,
              row.fetch_hash,
              row.link_hash,
              row.envelope_hash,
              row.receipt_number};
    for (const std::string& hash : {row.sender_hash, row.inbox_hash}) {
        if (!hash.empty()) out.insert(hash);
    }
    return out;
}

std::size_t mail_files(const Control& world) {
    using Walk = std::filesystem::directory_iterator;
    return static_cast<std::size_t>(std::distance(Walk{world.folder / "mail"}, Walk{}));
}

} // namespace

TEST_CASE("a transfer is whole until the second of its end, and gone from then on") {
    const TempFolder folder;
    Control world{folder.path(), {1, true, true}};
    const auto sending = world.available(to_clerk);
    const LinkId link = world.link_for(clerk);
    world.clock.pass(14 * day_s - 1);
    world.relay().tick();
    const auto row = world.store().transfer(sending.id);
    REQUIRE(row);
    const Bytes key = slot_bytes(world, row->slot);
    CHECK(to_hex(sha256(world.relay().envelope(link).value())) == row->envelope_hash);
    CHECK(mail_files(world) == 1);
    CHECK(world.audit().empty());
    world.clock.pass(1);
    world.relay().tick();
    CHECK_FALSE(world.store().transfer(sending.id));
    CHECK(world.store().is_tombstoned(sending.id));
    CHECK(world.store().mails_of(sending.id.hex()).empty());
    CHECK(std::filesystem::is_empty(world.folder / "envelopes"));
    CHECK(slot_bytes(world, row->slot) != key);
    CHECK(mail_files(world) == 0);
    CHECK(why(world.relay().envelope(link)) == "not_found");
    CHECK(why(world.relay().get_ticket(sending.id, sending.fetch())) == "not_found");
    CHECK(why(world.relay().status(sending.id, sending.manage)) == "purged");
}

TEST_CASE("reading ends with the second of the end, even before the purge comes round") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const LinkId link = world.link_for();
    world.clock.pass(14 * day_s - 1);
    CHECK(world.relay().envelope(link));
    CHECK(world.relay().get_ticket(sending.id, sending.fetch()));
    world.clock.pass(1);
    CHECK(why(world.relay().envelope(link)) == "not_found");
    CHECK(why(world.relay().verified_record(link)) == "not_found");
    CHECK(why(world.relay().get_ticket(sending.id, sending.fetch())) == "not_found");
    CHECK(why(world.relay().put_ticket(sending.id, sending.manage)) == "expired");
}

TEST_CASE("only what has ended is purged") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto short_one =
        world.available([](relay::TransferRequest& request) { request.expiry_days = 1; });
    const auto long_one = world.available();
    world.clock.pass(day_s);
    const auto young = world.uploading();
    world.relay().tick();
    CHECK_FALSE(world.store().transfer(short_one.id));
    CHECK(world.store().transfer(long_one.id));
    CHECK(world.store().transfer(young.id));
    CHECK(world.relay().envelope(world.link_for()));
    CHECK(world.relay().finish(young.id, young.manage, {young.signed_receipt()}, young.content()));
}

TEST_CASE("no byte of any file points to a purged transfer or a person") {
    const TempFolder folder;
    Control world{folder.path(), {1, true, true}};
    Names all;
    for (const bool staff : {false, true}) {
        const auto sending = world.available(staff ? to_clerk : Control::Change{});
        all.merge(traces(world.store().transfer(sending.id).value()));
    }
    const auto answer = world.sent(world.department_session(), [](relay::TransferRequest& request) {
        request.department.clear();
        request.citizen = "max@buerger.example";
        request.inbox = InboxId{};
    });
    all.merge(traces(world.store().transfer(answer.id).value()));
    const Names people{citizen,
                       "max@buerger.example",
                       clerk,
                       department_mail,
                       "+49 9131 803-4711",
                       world.link_for(clerk).hex(),
                       std::string{world.code_for().reveal()}};
    for (const std::string& trace : all) {
        INFO(trace);
        const Names files = files_with(folder.path(), trace);
        CHECK((files.contains("control.db") || files.contains("control.db-wal")));
    }
    // What is readable stands in the mails that were sent, and nowhere else. The code's mail went
    // when the code was used.
    CHECK(files_with(folder.path(), clerk).size() == 1);
    CHECK(files_with(folder.path(), "+49 9131 803-4711").size() == 1);
    CHECK(files_with(folder.path(), world.link_for(clerk).hex()).size() == 1);

    world.clock.pass(14 * day_s);
    world.relay().tick();
    for (const std::string& trace : all) {
        INFO(trace);
        CHECK(files_with(folder.path(), trace) == Names{});
    }
    for (const std::string& person : people) {
        INFO(person);
        CHECK(files_with(folder.path(), person) == Names{});
    }
}

TEST_CASE("without secure_delete the same scan finds what is left") {
    const TempFolder folder;
    Control world{folder.path(), {1, false}};
    Names all;
    for (int i = 0; i < 3; ++i) {
        all.merge(traces(world.store().transfer(world.available().id).value()));
    }
    world.clock.pass(14 * day_s);
    world.relay().tick();
    std::size_t found = 0;
    for (const std::string& trace : all) found += files_with(folder.path(), trace).size();
    CHECK(found > 0);
}

TEST_CASE("without emptying the log the same scan finds what is left") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const Names all = traces(world.store().transfer(sending.id).value());
    world.store().transaction([&] { world.store().remove_transfer(sending.id); });
    std::size_t found = 0;
    for (const std::string& trace : all) {
        found += files_with(folder.path(), trace).count("control.db-wal");
    }
    CHECK(found == all.size());
    world.store().scrub();
    for (const std::string& trace : all) CHECK(files_with(folder.path(), trace) == Names{});
}

TEST_CASE("the audit says that something was purged, and nothing of what or whom") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    world.clock.pass(14 * day_s + 100);
    world.relay().tick();
    const std::string audit = world.audit();
    CHECK(audit.find(" purged department=bauamt size_log2=18 hour=") == 32);
    CHECK(std::ranges::count(audit, '\n') == 1);
    CHECK(audit.find(sending.id.hex()) == std::string::npos);
    CHECK(audit.find('@') == std::string::npos);
    const std::int64_t hour = world.clock.now() / hour_s * hour_s;
    CHECK(audit.find("hour=" + std::to_string(hour) + "\n") != std::string::npos);
}

TEST_CASE("waiting mails of a purged transfer are never sent") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    world.mails.answer = relay::Delivery::later;
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    world.relay().tick();
    world.clock.pass(14 * day_s);
    world.mails.answer = relay::Delivery::done;
    world.relay().tick();
    world.clock.pass(day_s);
    world.relay().tick();
    CHECK(world.mails.sent_to(department_mail).empty());
    CHECK(world.store().counts().mails_due == 0);
}

TEST_CASE("the sender hears once that nobody fetched it before its end, if that was asked for") {
    const TempFolder folder;
    Control world{folder.path()};
    static_cast<void>(world.available());
    static_cast<void>(
        world.available([](relay::TransferRequest& request) { request.notify_fetch = false; }));
    const auto fetched = world.available();
    REQUIRE(world.relay().fetched(fetched.id, fetched.fetch(), {}));
    static_cast<void>(world.uploading());
    world.relay().tick();
    world.mails.sent.clear();
    world.clock.pass(14 * day_s);
    for (int i = 0; i < 3; ++i) world.relay().tick();
    REQUIRE(world.mails.sent.size() == 1);
    CHECK(world.mails.sent[0].to == citizen);
    CHECK(world.mails.sent[0].subject == "Ihre Nachricht wurde nicht abgerufen");
    CHECK(world.store().counts().tombstones == 4);
}

TEST_CASE("a mail that is on its way while its transfer is purged is forgotten") {
    const TempFolder folder;
    Control world{folder.path(), {1, true, true}};
    const auto sending = world.uploading();
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    auto due = world.relay().due_mails();
    REQUIRE(due.size() == 1);
    REQUIRE(world.relay().revoke(sending.id, sending.manage));
    const auto delivery = world.mails.deliver(due[0].mail);
    CHECK(mail_files(world) == 1);
    world.relay().mail_done(std::move(due[0]), delivery);
    CHECK(mail_files(world) == 0);
    CHECK(world.store().mails_of(sending.id.hex()).empty());
}

TEST_CASE("an administrator can purge everything at once, without mails to the senders") {
    const TempFolder folder;
    Control world{folder.path()};
    static_cast<void>(world.available());
    static_cast<void>(world.uploading());
    world.mails.sent.clear();
    world.relay().purge_now(true);
    world.relay().tick();
    const auto counts = world.store().counts();
    CHECK(counts.available == 0);
    CHECK(counts.uploading == 0);
    CHECK(counts.tombstones == 2);
    CHECK(world.mails.sent.empty());
}

} // namespace plankurier::test::purge_test
