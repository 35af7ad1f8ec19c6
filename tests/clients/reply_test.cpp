// The other direction: a department answers a citizen, or writes first.
#include <clients/cli/receipt.hpp>

#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <plankurier/links.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::reply_test {

namespace {

/// The id of the one transfer that waits for the department.
std::string waiting_for(ServiceWorld& world, const std::string& department = "bauamt") {
    const auto list = world.run(world.staff_home, with_key(world, {"inbox", "--json"}, department));
    const auto waiting = events(list, "waiting");
    REQUIRE(waiting.size() == 1);
    return waiting[0].at("transfer").get<std::string>();
}

ClientRun answer(ServiceWorld& world, const std::string& id, const std::string& message,
                 const std::string& department = "bauamt") {
    world.write("bescheid.pdf", "%PDF-1.7\n" + message);
    return world.run(world.staff_home, with_key(world,
                                                {"reply", world.path("bescheid.pdf"),
                                                 "--to-transfer", id, "--message", message},
                                                department));
}

ClientRun fetch_answers(ServiceWorld& world, const std::string& folder,
                        std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"fetch", "--return-link-file", world.path(world.receipt),
                                       "-o", world.path(folder)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world.run(world.citizen_home, arguments);
}

/// What a member of staff without the department's key could send: no piece of it is anywhere.
void store_unsigned(Control& control, const RecipientPublicKey& return_key) {
    const Sending sending;
    auto request = sending.request();
    request.department.clear();
    request.citizen = citizen;
    request.inbox = inbox_id(return_key);
    Manifest manifest;
    manifest.transfer = sending.id;
    manifest.message = "von irgendwem";
    const Recipient recipient{KeyRecipient{return_key, false}};
    const auto envelope = seal_envelope(sending.key, manifest, sending.layout, {&recipient, 1},
                                        SealOptions{nullptr, true});
    REQUIRE(envelope);
    REQUIRE(control.relay().create_transfer(control.verified_session(clerk), request));
    REQUIRE(control.relay().put_envelope(sending.id, sending.manage, *envelope));
    REQUIRE(control.relay().finish(sending.id, sending.manage, {sending.signed_receipt()},
                                   sending.content()));
}

} // namespace

TEST_CASE("a department's answer reaches the citizen by the receipt, signed") {
    ServiceWorld world;
    world.send();
    const auto nothing = fetch_answers(world, "none");
    CHECK(nothing.exit == 0);
    CHECK(nothing.err.find("Nothing waits") != std::string::npos);

    const auto sent = answer(world, waiting_for(world), "Die Genehmigung ist erteilt.");
    INFO(sent.err);
    REQUIRE(sent.exit == 0);
    CHECK(world.mails_to(citizen).find("An answer is ready") == std::string::npos); // a subject
    CHECK(world.mails_to(citizen).find("/t#v1.") != std::string::npos);

    const auto fetched = fetch_answers(world, "answers");
    INFO(fetched.err);
    CHECK(fetched.exit == 0);
    CHECK(fetched.out.find("Signed by: Bauamt") != std::string::npos);
    CHECK(fetched.out.find("Die Genehmigung ist erteilt.") != std::string::npos);
    CHECK(fetched.err.find("WARNING") == std::string::npos);
    CHECK(content_of(world.path("answers/bescheid.pdf")) == content_of(world.path("bescheid.pdf")));

    // It is told as fetched, and fetched again only when asked for.
    const auto again = fetch_answers(world, "again");
    CHECK(again.exit == 0);
    CHECK_FALSE(std::filesystem::exists(world.path("again/bescheid.pdf")));
    const auto id = again.out.substr(0, 32);
    CHECK(fetch_answers(world, "again", {"--transfer", id}).exit == 0);
    CHECK(std::filesystem::exists(world.path("again/bescheid.pdf")));
    CHECK(fetch_answers(world, "again", {"--transfer", std::string(32, 'a')}).exit == 6);
}

TEST_CASE("several answers are filed side by side") {
    ServiceWorld world;
    world.send();
    const auto id = waiting_for(world);
    REQUIRE(answer(world, id, "eins").exit == 0);
    world.with_control([](Control& control) { control.clock.pass(1); });
    REQUIRE(answer(world, id, "zwei").exit == 0);
    REQUIRE(fetch_answers(world, "answers").exit == 0);
    CHECK(content_of(world.path("answers/bescheid.pdf")) == "%PDF-1.7\neins");
    CHECK(content_of(world.path("answers/bescheid (2).pdf")) == "%PDF-1.7\nzwei");
}

TEST_CASE("an answer opens by the link of its mail and the return link, and by nothing else") {
    ServiceWorld world;
    world.send();
    REQUIRE(answer(world, waiting_for(world), "Antwort").exit == 0);
    const auto file = world.write("link", world.link_to(citizen));
    const auto stranger = world.run(
        world.staff_home,
        with_key(world, {"fetch", "--link-file", file, "-o", world.path("stranger")}, "umwelt"));
    CHECK(stranger.exit == 5);
    const auto mine =
        world.run(world.citizen_home, {"fetch", "--link-file", file, "--return-link-file",
                                       world.path(world.receipt), "-o", world.path("mine")});
    INFO(mine.err);
    CHECK(mine.exit == 0);
    CHECK(mine.out.find("Signed by: Bauamt") != std::string::npos);
}

TEST_CASE("an unsigned answer is fetched with a loud warning, one of a stranger's key not at all") {
    ServiceWorld world;
    world.send();
    const auto id = waiting_for(world);
    REQUIRE(answer(world, id, "unterschrieben").exit == 0);
    // The department's signing key is gone from the directory: nobody there has signed.
    auto directory = world.directory();
    for (auto& department : directory.departments) department.signing_keys.clear();
    ++directory.serial;
    world.publish(directory);
    const auto refused = fetch_answers(world, "refused");
    CHECK(refused.exit == 8);
    CHECK(refused.out.find("unterschrieben") == std::string::npos);
    CHECK_FALSE(std::filesystem::exists(world.path("refused/bescheid.pdf")));

    // Somebody of the authority seals to the return key without a signature.
    const auto receipt = cli::read_receipt(world.path(world.receipt));
    REQUIRE(receipt);
    const auto link = parse_return_link(receipt->return_link);
    REQUIRE(link);
    const auto key = recipient_public_key(link->seed, link->type).value();
    world.with_control([&](Control& control) { store_unsigned(control, key); });
    const auto warned = fetch_answers(world, "warned");
    CHECK(warned.err.find("WARNING: no department has signed") != std::string::npos);
}

TEST_CASE("a first contact opens with the password that is shown once") {
    ServiceWorld world;
    world.write("anfrage.pdf", "%PDF-1.7\nanfrage");
    const auto sent = world.run(
        world.staff_home,
        with_key(world, {"send", world.path("anfrage.pdf"), "--as-department", "bauamt",
                         "--to-citizen", citizen, "--message", "Bitte um Unterlagen", "--json"}));
    INFO(sent.err);
    REQUIRE(sent.exit == 0);
    const auto passwords = events(sent, "password");
    REQUIRE(passwords.size() == 1);
    const auto password = passwords[0].at("password").get<std::string>();
    CHECK(world.mails_to(citizen).find(password) == std::string::npos);
    const auto file = world.write("link", world.link_to(citizen));
    const auto fetched =
        world.run(world.citizen_home, {"fetch", "--link-file", file, "--password-file",
                                       world.write("password", password), "-o", world.path("in")});
    INFO(fetched.err);
    CHECK(fetched.exit == 0);
    CHECK(fetched.out.find("Signed by: Bauamt") != std::string::npos);
    CHECK(content_of(world.path("in/anfrage.pdf")) == content_of(world.path("anfrage.pdf")));
}

TEST_CASE("only a department with its own key writes to citizens, and not to the authority") {
    ServiceWorld world;
    const auto attempt = [&](const std::string& department, const std::string& key,
                             const std::string& to) {
        return world
            .run(world.staff_home, with_key(world,
                                            {"send", world.path("plan.pdf"), "--as-department",
                                             department, "--to-citizen", to, "--message", "x"},
                                            key))
            .exit;
    };
    CHECK(attempt("bauamt", "umwelt", citizen) == 5);
    CHECK(attempt("nirgends", "bauamt", citizen) == 9);
    CHECK(attempt("bauamt", "bauamt", clerk) == 9);
    CHECK(world
              .run(world.citizen_home,
                   {"send", world.path("plan.pdf"), "--to-citizen", citizen, "--message", "x"})
              .exit == 2);
    CHECK(world.run(world.staff_home, with_key(world, {"reply", "--message", "x"})).exit == 2);
}

} // namespace plankurier::test::reply_test
