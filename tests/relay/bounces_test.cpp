// A notice that does not arrive is told to the sender, once, however it is learnt.
#include "relay/adapters/bounce_message.hpp"
#include "relay/adapters/files.hpp"
#include "relay/mail_commands.hpp"

#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>
#include <fstream>
#include <sstream>

namespace plankurier::test::bounces_test {

namespace {

constexpr const char* bounce_address = "bounce@amt.example";
constexpr const char* mail_start = "0123456789abcdef";

/// As exim 4 writes it (the parts that matter).
std::string report(const std::string& action, const std::string& status,
                   const std::string& to = std::string{"bounce+"} + mail_start + "@amt.example") {
    return "Return-path: <>\r\nReceived: by mx.amt.example\r\n\tfor <x@y.example>\r\n"
           "Auto-Submitted: auto-replied\r\nFrom: Mail Delivery System <mailer@amt.example>\r\n"
           "To: " +
           to +
           "\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n"
           " boundary=1692-eximdsn\r\nMIME-Version: 1.0\r\nSubject: Mail delivery failed\r\n\r\n"
           "--1692-eximdsn\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
           "This message was created automatically.\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n"
           "--1692-eximdsn\r\nContent-type: message/delivery-status\r\n\r\n"
           "Reporting-MTA: dns; mx.amt.example\r\n\r\nAction: " +
           action + "\r\nFinal-Recipient: rfc822;weg@buerger.example\r\nStatus: " + status +
           "\r\nRemote-MTA: dns; mx.buerger.example\r\n\r\n"
           "--1692-eximdsn\r\nContent-type: message/rfc822\r\n\r\nSubject: x\r\n\r\n"
           "--1692-eximdsn--\r\n";
}

std::size_t told(const Control& world, std::string_view sender = citizen) {
    const auto mails = world.mails.sent_to(sender);
    return static_cast<std::size_t>(std::ranges::count_if(mails, [](const relay::Mail& mail) {
        return mail.subject == "Ihre Nachricht ist nicht zustellbar";
    }));
}

} // namespace

TEST_CASE("a mail that came back for good is recognised, and nothing else") {
    const auto read = [](const std::string& message) {
        return relay::adapters::failed_mail(message, bounce_address).value_or("");
    };
    CHECK(read(report("failed", "5.1.1")) == mail_start);
    CHECK(read(report("failed", "5.0.0")) == mail_start);
    CHECK(read(report("Failed", "5.1.1 (no such user)")) == mail_start);
    std::string unix_lines = report("failed", "5.1.1");
    std::erase(unix_lines, '\r');
    CHECK(read(unix_lines) == mail_start);
    CHECK(read(report("failed", "5.1.1", "<BOUNCE+0123456789ABCDEF@AMT.example>")) == mail_start);
    CHECK(read("Delivered-To: bounce+0123456789abcdef@amt.example\n" +
               report("failed", "5.1.1", "bounce@amt.example")) == mail_start);

    CHECK(read(report("delayed", "4.4.1")).empty());
    CHECK(read(report("failed", "4.4.1")).empty());
    CHECK(read(report("relayed", "5.0.0")).empty());
    for (const char* to :
         {"bounce@amt.example", "bounce+0123456789abcde@amt.example",
          "bounce+0123456789abcdef0@amt.example", "bounce+0123456789abcdeg@amt.example",
          "bounce+0123456789abcdef@boese.example", "other+0123456789abcdef@amt.example", ""}) {
        INFO(to);
        CHECK(read(report("failed", "5.1.1", to)).empty());
    }
    // An automatic reply goes to the same address.
    CHECK(read("To: bounce+0123456789abcdef@amt.example\nContent-Type: text/plain\n\nAction: "
               "failed\nStatus: 5.0.0\n")
              .empty());
    CHECK(read("").empty());
    CHECK(read("\r\n").empty());
    const std::string whole = report("failed", "5.1.1");
    for (std::size_t bytes = 0; bytes < whole.size(); bytes += 7) {
        static_cast<void>(read(whole.substr(0, bytes))); // cut anywhere: no crash
    }
}

TEST_CASE("mails go out under an address that tells them apart when they come back") {
    using relay::adapters::envelope_sender;
    const std::string id = std::string{mail_start} + "fedcba9876543210";
    CHECK(envelope_sender(bounce_address, "p@amt.example", id) ==
          "bounce+0123456789abcdef@amt.example");
    CHECK(envelope_sender("", "p@amt.example", id) == "p@amt.example");
}

TEST_CASE("a notice that came back is told to the sender once, and stands in the status") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const auto notices = world.mails.sent_to(department_mail);
    REQUIRE(notices.size() == 1);
    CHECK_FALSE(world.relay().status(sending.id, sending.manage)->undeliverable);
    for (const std::string& other :
         {std::string{mail_start}, notices[0].id, std::string{}, notices[0].id.substr(0, 15),
          std::string{"../control.db-wal"}}) {
        world.relay().bounced(other);
    }
    world.relay().tick();
    CHECK(told(world) == 0);
    for (int i = 0; i < 3; ++i) world.relay().bounced(notices[0].id.substr(0, 16));
    world.relay().tick();
    CHECK(told(world) == 1);
    CHECK(world.relay().status(sending.id, sending.manage)->undeliverable);
    // The mail that says so may come back, too: nobody is told, and nothing goes in circles.
    world.relay().bounced(world.mails.sent_to(citizen).back().id.substr(0, 16));
    world.relay().tick();
    CHECK(told(world) == 1);
    world.clock.pass(14 * day_s);
    world.relay().tick();
    world.relay().bounced(notices[0].id.substr(0, 16));
    world.relay().tick();
    CHECK(told(world) == 1);
}

TEST_CASE("a notice that the mail server refuses is told to the sender, a code is not") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    world.mails.answer = relay::Delivery::refused;
    auto due = world.relay().due_mails();
    REQUIRE(due.size() == 1);
    world.relay().mail_done(std::move(due[0]), relay::Delivery::refused);
    world.mails.answer = relay::Delivery::done;
    for (int i = 0; i < 3; ++i) world.relay().tick();
    CHECK(told(world) == 1);
    CHECK(world.relay().status(sending.id, sending.manage)->undeliverable);

    REQUIRE(world.relay().begin_verification("weg@buerger.example", "de"));
    auto codes = world.relay().due_mails();
    REQUIRE(codes.size() == 1);
    world.relay().mail_done(std::move(codes[0]), relay::Delivery::refused);
    world.relay().tick();
    CHECK(world.mails.sent_to("weg@buerger.example").empty());
}

TEST_CASE("a notice that is tried for a week in vain is told to the sender") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.uploading();
    REQUIRE(world.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                 sending.content()));
    for (int i = 0; i < 40; ++i) {
        CHECK(told(world) == 0);
        for (auto& due : world.relay().due_mails()) {
            world.relay().mail_done(std::move(due), relay::Delivery::later);
        }
        world.clock.pass(4 * hour_s);
    }
    world.relay().tick();
    CHECK(told(world) == 1);
}

namespace {

/// What stands in the files of a folder; no name says it.
std::set<std::string> left_in(const std::filesystem::path& folder) {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        out.insert(std::string{as_text(relay::adapters::read_file(entry.path()).value())});
        CHECK(out.count(entry.path().filename().string()) == 0);
    }
    return out;
}

} // namespace

TEST_CASE(
    "the bounce command leaves what came back for the relay, and removes it from the folder") {
    const TempFolder folder;
    relay::Config config;
    config.data_dir = config.database_dir = folder.path() / "data";
    std::filesystem::create_directories(config.data_dir);
    std::ofstream{config.data_dir / "control.db"};
    std::istringstream message{report("failed", "5.1.1")}, late{report("delayed", "4.4.1")};
    CHECK_THROWS_AS(relay::take_bounce(config, message), std::runtime_error);
    config.mail_bounce = bounce_address;
    CHECK_FALSE(relay::take_bounce(config, late));
    CHECK_FALSE(std::filesystem::exists(config.bounces()));
    std::istringstream again{report("failed", "5.1.1")};
    CHECK(relay::take_bounce(config, again));
    CHECK(left_in(config.bounces()) == std::set<std::string>{mail_start});
    std::filesystem::remove_all(config.bounces());

    const auto maildir = folder.path() / "Maildir";
    for (const char* part : {"new", "cur", "tmp"}) {
        std::filesystem::create_directories(maildir / part);
    }
    std::ofstream{maildir / "new" / "1"} << report("failed", "5.1.1");
    std::ofstream{maildir / "cur" / "2:2,S"}
        << report("failed", "5.1.1", "bounce+00000000000000ff@amt.example");
    std::ofstream{maildir / "new" / "3"} << "To: bounce@amt.example\n\nHallo\n";
    CHECK(relay::take_bounces(config, maildir) == 2);
    CHECK(relay::take_bounces(config, maildir) == 0);
    CHECK(left_in(config.bounces()) == std::set<std::string>{mail_start, "00000000000000ff"});
    CHECK_FALSE(std::filesystem::exists(maildir / "new" / "1"));
    CHECK_FALSE(std::filesystem::exists(maildir / "cur" / "2:2,S"));
    CHECK(std::filesystem::exists(maildir / "new" / "3"));
}

TEST_CASE("the bounce command writes nothing where no relay would look") {
    const TempFolder folder;
    relay::Config config;
    config.data_dir = config.database_dir = folder.path() / "data";
    config.mail_bounce = bounce_address;
    const auto refuses = [&] {
        std::istringstream message{report("failed", "5.1.1")};
        CHECK_THROWS_AS(relay::take_bounce(config, message), std::runtime_error);
        CHECK_FALSE(std::filesystem::exists(config.bounces()));
    };
    refuses();
    std::filesystem::create_directories(config.data_dir);
    refuses(); // a mount point without its disk
    const auto database = config.data_dir / "control.db";
    std::ofstream{database};
    if (::chown(database.c_str(), ::geteuid() + 1, static_cast<gid_t>(-1)) == 0) {
        refuses(); // another user's, as root can make it
        REQUIRE(::chown(database.c_str(), ::geteuid(), static_cast<gid_t>(-1)) == 0);
    }
    std::istringstream message{report("failed", "5.1.1")};
    CHECK(relay::take_bounce(config, message));
}

} // namespace plankurier::test::bounces_test
