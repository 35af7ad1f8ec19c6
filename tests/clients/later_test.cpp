// What sender and recipient can do once a transfer is there, and what the sender hears of it.
#include <clients/cli/receipt.hpp>
#include <clients/cli/session_memory.hpp>

#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

namespace plankurier::test::later_test {

using namespace cli;

namespace {

ClientRun status_of(ServiceWorld& world) {
    return world.run(world.citizen_home, {"status", world.path(world.receipt), "--json"});
}

std::vector<std::filesystem::path> files_below(const std::string& folder) {
    std::vector<std::filesystem::path> found;
    std::error_code none;
    for (const auto& one : std::filesystem::recursive_directory_iterator{folder, none}) {
        if (one.is_regular_file()) found.push_back(one.path());
    }
    return found;
}

/// How many codes were mailed to the citizen.
long codes(ServiceWorld& world) {
    long count = 0;
    const auto mails = world.mails_to(citizen);
    for (auto at = mails.find("/c#v1."); at != std::string::npos;
         at = mails.find("/c#v1.", at + 1)) {
        ++count;
    }
    return count;
}

} // namespace

TEST_CASE("a sender shortens the expiry and asks for another notice") {
    ServiceWorld world;
    world.send({"--expires", "14d"});
    const auto before = world.mails_to(department_mail).size();
    const auto too_soon = world.run(world.citizen_home, {"resend", world.path(world.receipt)});
    CHECK(too_soon.exit == 4);
    world.with_control([](Control& control) { control.clock.pass(601); });
    const auto resent =
        world.run(world.citizen_home, {"resend", world.path(world.receipt), "--json"});
    INFO(resent.err);
    CHECK(resent.exit == 0);
    CHECK(events(resent, "resent").size() == 1);
    CHECK(world.mails_to(department_mail).size() > before);

    const auto expires = [&](const ClientRun& run, const std::string& event) {
        return events(run, event).at(0).at("expires").get<std::int64_t>();
    };
    const auto state = events(status_of(world), "status").at(0);
    CHECK(state.at("notices_left") == 2);
    CHECK(state.at("copies") == 1);
    CHECK(state.at("stored_bytes") == segment_plain_bytes);
    const auto old = expires(
        world.run(world.citizen_home, {"status", world.path(world.receipt), "--json"}), "status");
    const auto changed = world.run(world.citizen_home,
                                   {"expire", world.path(world.receipt), "--days", "3", "--json"});
    INFO(changed.err);
    REQUIRE(changed.exit == 0);
    CHECK(old - expires(changed, "expiry") > 10 * day_s);
    CHECK(expires(world.run(world.citizen_home, {"status", world.path(world.receipt), "--json"}),
                  "status") == expires(changed, "expiry"));
    CHECK(world.run(world.citizen_home, {"expire", world.path(world.receipt)}).exit == 2);
}

TEST_CASE(
    "what staff report is read by nobody any more, and the sender hears that it is withheld") {
    ServiceWorld world;
    world.send();
    const auto link = world.write("link", world.link_to(department_mail));
    const auto fetch = [&] {
        return world.run(world.staff_home,
                         with_key(world, {"fetch", "--link-file", link, "-o", world.path("in")}));
    };
    // Who cannot open it cannot stop it either.
    const auto stranger =
        world.run(world.staff_home, with_key(world, {"report", "--link-file", link}, "umwelt"));
    CHECK(stranger.exit == 5);
    CHECK(events(status_of(world), "status").at(0).at("state") == "available");
    const auto reported =
        world.run(world.staff_home, with_key(world, {"report", "--link-file", link, "--json"}));
    INFO(reported.err);
    REQUIRE(reported.exit == 0);
    CHECK(events(reported, "reported").size() == 1);
    CHECK(fetch().exit == 6);
    const auto status = status_of(world);
    CHECK(events(status, "status").at(0).at("state") == "withheld");
    CHECK(status.err.find("has reported the transfer") != std::string::npos);
}

TEST_CASE("staff report a transfer out of the inbox, when the mail is lost") {
    ServiceWorld world;
    world.send();
    const auto list = world.run(world.staff_home, with_key(world, {"inbox", "--json"}));
    const auto id = events(list, "waiting").at(0).at("transfer").get<std::string>();
    CHECK(world.run(world.staff_home, with_key(world, {"report", "--from-inbox", id})).exit == 0);
    CHECK(events(status_of(world), "status").at(0).at("state") == "withheld");
}

TEST_CASE("a remembered address needs no code until it is forgotten or over") {
    ServiceWorld world{[](relay::Policy& policy) {
        policy.limits.session_valid_s = 1;
        policy.limits.code_mails_per_address_hour = 6;
    }};
    const auto pass = [&] { world.with_control([](Control& control) { control.clock.pass(2); }); };
    const auto sessions = world.path("citizen/state/plankurier/sessions");
    world.send();
    CHECK(files_below(sessions).empty()); // only who asks for it
    pass();
    world.send({"--remember-days", "7"});
    CHECK(codes(world) == 2);
    const auto kept = files_below(sessions);
    REQUIRE(kept.size() == 1);
    struct stat info {};
    REQUIRE(::stat(kept[0].c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK((kept[0].string() + content_of(kept[0])).find(citizen) == std::string::npos);
    pass();
    world.send();
    CHECK(codes(world) == 2);
    // Another address has no part in it.
    const auto other =
        world.run(world.citizen_home, {"send", world.path("plan.pdf"), "--to", "bauamt", "--name",
                                       "Max M", "--email", "max@buerger.example", "--message", "x",
                                       "--code-from", world.write("wrong-code", "AAAA-AAAA\n")});
    CHECK(other.exit == 4);
    // The service does not know it any more: the client begins anew.
    auto json = nlohmann::json::parse(content_of(kept[0]));
    json["session"] = to_base64url(SessionToken::random().reveal());
    std::ofstream{kept[0]} << json.dump();
    world.send({"--remember-days", "7"});
    CHECK(codes(world) == 3);
    world.send({"--remember-days", "0"});
    CHECK(codes(world) == 4);
    CHECK(files_below(sessions).empty());
    const auto too_long =
        world.run(world.citizen_home, {"send", world.path("plan.pdf"), "--to", "bauamt", "--email",
                                       citizen, "--message", "x", "--remember-days", "31"});
    CHECK(too_long.exit == 2);
}

TEST_CASE("a session that is over is not recalled, and its file goes") {
    const TempFolder folder;
    REQUIRE(remember_session(folder.path(), "https://amt.example", citizen, "abc", 1'000));
    CHECK(recall_session(folder.path(), "https://amt.example", citizen, 999) == "abc");
    CHECK_FALSE(recall_session(folder.path(), "https://other.example", citizen, 999));
    CHECK_FALSE(recall_session(folder.path(), "https://amt.example", "x@y.example", 999));
    CHECK_FALSE(recall_session(folder.path(), "https://amt.example", citizen, 1'000));
    CHECK(files_below(folder.path()).empty());
}

TEST_CASE("reminders go to the sender and the recipient when they were asked for") {
    const bool wanted = GENERATE(false, true);
    CAPTURE(wanted);
    ServiceWorld world;
    auto options = std::vector<std::string>{"--expires", "7d"};
    if (wanted) options.insert(options.end(), {"--notify-unfetched", "--remind-recipient"});
    world.send(options);
    const auto department_before = world.mails_to(department_mail).size();
    const auto sender_before = world.mails_to(citizen).size();
    world.with_control([](Control& control) { control.clock.pass(4 * day_s + hour_s); });
    CHECK((world.mails_to(department_mail).size() > department_before) == wanted);
    CHECK(world.mails_to(citizen).size() == sender_before);
    world.with_control([](Control& control) { control.clock.pass(day_s); });
    CHECK((world.mails_to(citizen).size() > sender_before) == wanted);
}

TEST_CASE("a sender is told that the recipient's address takes no mail") {
    ServiceWorld world;
    world.with_control([](Control& control) { control.mails.refused_address = department_mail; });
    const auto sent = world.send({"--json"});
    CHECK(events(sent, "available").size() == 1);
    CHECK(events(sent, "undeliverable").size() == 1);
    CHECK(sent.err.find("could not be delivered") != std::string::npos);
    const auto status = status_of(world);
    CHECK(events(status, "status").at(0).at("recipient_undeliverable") == true);
    CHECK(status.err.find("could not be delivered") != std::string::npos);
}

TEST_CASE("the receipt keeps the last history, so that it outlives the transfer") {
    ServiceWorld world;
    world.send();
    const auto entries = [&] {
        const auto shown =
            world.run(world.citizen_home, {"verify", world.path(world.receipt), "--json"});
        return events(shown, "history").size();
    };
    const auto at_first = entries();
    const auto link = world.write("link", world.link_to(department_mail));
    REQUIRE(world
                .run(world.staff_home,
                     with_key(world, {"fetch", "--link-file", link, "-o", world.path("in")}))
                .exit == 0);
    CHECK(entries() == at_first);
    REQUIRE(status_of(world).exit == 0);
    CHECK(entries() == at_first + 1);
    REQUIRE(world.run(world.citizen_home, {"revoke", world.path(world.receipt)}).exit == 0);
    CHECK(entries() == at_first + 2);
    CHECK(read_receipt(world.path(world.receipt))); // as whole as before
}

TEST_CASE("a department's own limits are checked before anything is uploaded") {
    ServiceWorld world{[](relay::Policy& policy) {
        policy.departments["umwelt"] = relay::DepartmentLimits{{"png"}, 10'000, 1, 2, 3};
    }};
    const auto attempt = [&](const std::string& to) {
        return world
            .run(world.citizen_home,
                 {"send", world.path("plan.pdf"), "--to", to, "--email", citizen, "--message", "x",
                  "--code-from", world.write("wrong-code", "AAAA-AAAA\n")})
            .exit;
    };
    CHECK(attempt("umwelt") == 9);
    CHECK(attempt("bauamt") == 4);
}

} // namespace plankurier::test::later_test
