// A link instead of a password: the sender passes it on, and it alone opens the transfer.
#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

namespace plankurier::test::by_link_test {

namespace {

void allow(relay::Policy& policy) { policy.link_allowed = true; }

std::vector<std::string> first_contact(const ServiceWorld& world) {
    return with_key(world, {"send", world.path("plan.pdf"), "--as-department", "bauamt",
                            "--to-citizen", citizen, "--message", "Bitte um Unterlagen"});
}
ClientRun to_clerk(ServiceWorld& world, const std::vector<std::string>& more) {
    std::filesystem::remove(world.path(world.receipt)); // no sending replaces another one's
    std::vector<std::string> arguments{"send",
                                       world.path("plan.pdf"),
                                       "--to",
                                       clerk,
                                       "--name",
                                       "Erika Muster",
                                       "--email",
                                       citizen,
                                       "--message",
                                       "Guten Tag",
                                       "--by-link",
                                       "--code-from",
                                       world.path("code"),
                                       "--receipt",
                                       world.path(world.receipt)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world.run(world.citizen_home, arguments);
}
std::string link_of(const ClientRun& sent) {
    const auto links = events(sent, "link");
    REQUIRE(links.size() == 1);
    return links[0].at("link").get<std::string>();
}
std::string secret_of(const std::string& link) { return link.substr(link.rfind('.') + 1); }
mode_t mode_of(const std::string& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777;
}

} // namespace

TEST_CASE("a clerk opens a citizen's transfer by the link that the citizen passes on") {
    ServiceWorld world{allow};
    const auto file = world.path("link");
    const auto sent = to_clerk(world, {"--link-file", file, "--json"});
    INFO(sent.err);
    REQUIRE(sent.exit == 0);
    CHECK(events(sent, "password").empty());
    const auto link = link_of(sent);
    CHECK(content_of(file) == link + "\n");
    CHECK(mode_of(file) == 0600);
    // Not where it might be logged: it has a file, and no terminal is there.
    CHECK(sent.err.find(secret_of(link)) == std::string::npos);
    CHECK(content_of(world.path(world.receipt)).find(secret_of(link)) == std::string::npos);
    CHECK(world.mails_to(clerk).find(secret_of(link)) == std::string::npos);
    CHECK(link.starts_with(world.link_to(clerk) + "."));
    CHECK_FALSE(
        std::filesystem::exists(world.path("citizen/state/plankurier/send/") +
                                events(sent, "available")[0].at("transfer").get<std::string>()));

    const auto fetched =
        world.run(world.staff_home, {"fetch", "--link-file", file, "-o", world.path("in"), "--save",
                                     world.path("saved"), "--json"});
    INFO(fetched.err);
    CHECK(fetched.exit == 0);
    CHECK(content_of(world.path("in/plan.pdf")) == content_of(world.path("plan.pdf")));
    CHECK(events(fetched, "message").at(0).at("verified") == true);
    const auto named = world.run(world.staff_home, {"fetch", link, "-o", world.path("named")});
    CHECK(named.exit == 0);
    const auto status =
        world.run(world.citizen_home, {"status", world.path(world.receipt), "--json"});
    CHECK(events(status, "status").at(0).at("fetched") == true);
    CHECK(world.run(world.citizen_home, {"verify", world.path(world.receipt)}).exit == 0);
    CHECK(world.run(world.staff_home, {"verify", world.path("saved"), "--link-file", file}).exit ==
          0);
}

TEST_CASE("the link of the mail alone opens nothing, and the reader hears what is missing") {
    ServiceWorld world{allow};
    const auto sent = to_clerk(world, {"--json"});
    REQUIRE(sent.exit == 0);
    const auto link = link_of(sent);
    // Without a file it is shown, wherever that goes: else nobody could open the transfer.
    CHECK(sent.err.find(link) != std::string::npos);
    CHECK(sent.err.find("Pass it on yourself") != std::string::npos);
    const auto plain = world.write("plain", world.link_to(clerk));
    const auto fetch = [&](const std::string& file, std::vector<std::string> more) {
        more.insert(more.begin(), {"fetch", "--link-file", file, "-o", world.path("in")});
        return world.run(world.staff_home, more);
    };
    for (const auto& more : {std::vector<std::string>{},
                             with_key(world, {}),
                             {"--password-file", world.write("password", "Moos\n")}}) {
        const auto refused = fetch(plain, more);
        CHECK(refused.exit == 5);
        CHECK(refused.err.find("whole link that the sender gives you") != std::string::npos);
    }
    auto other = link;
    other[other.size() - 5] = other[other.size() - 5] == 'A' ? 'B' : 'A';
    CHECK(fetch(world.write("other", other), {}).exit == 5);
    CHECK(fetch(world.write("cut", link.substr(0, link.size() - 3)), {}).exit == 2);
    CHECK_FALSE(std::filesystem::exists(world.path("in/plan.pdf")));
    // Whoever has it may also refuse it.
    CHECK(world.run(world.staff_home, {"report", link, "--yes"}).exit == 0);
    CHECK(fetch(world.write("link", link), {}).exit == 6);
}

TEST_CASE("a department's first contact by link is signed, and no password is made") {
    ServiceWorld world{allow};
    auto arguments = first_contact(world);
    arguments.insert(arguments.end(), {"--by-link", "--json"});
    const auto sent = world.run(world.staff_home, arguments);
    INFO(sent.err);
    REQUIRE(sent.exit == 0);
    CHECK(events(sent, "password").empty());
    const auto file = world.write("link", link_of(sent) + "\n");
    const auto fetched =
        world.run(world.citizen_home, {"fetch", "--link-file", file, "-o", world.path("in")});
    INFO(fetched.err);
    CHECK(fetched.exit == 0);
    CHECK(fetched.out.find("Signed by: Bauamt") != std::string::npos);
    CHECK(content_of(world.path("in/plan.pdf")) == content_of(world.path("plan.pdf")));
}

TEST_CASE("a link that cannot be written where it should is shown instead") {
    ServiceWorld world{allow};
    const auto sent = to_clerk(world, {"--link-file", world.path("no/such/folder"), "--json"});
    CHECK(sent.exit == 0);
    CHECK(sent.err.find(link_of(sent)) != std::string::npos);
}

TEST_CASE("a link goes to one typed address, and takes the place of a password") {
    ServiceWorld world{allow};
    const auto attempt = [&](std::vector<std::string> more) {
        std::vector<std::string> arguments{
            "send", world.path("plan.pdf"), "--email", citizen, "--message", "x"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return world.run(world.citizen_home, arguments).exit;
    };
    CHECK(attempt({"--to", "bauamt", "--by-link"}) == 2);
    CHECK(attempt({"--to", clerk, "--by-link", "--to", "bauamt"}) == 2);
    CHECK(attempt({"--to", clerk, "--by-link", "--phone", "123", "--share-phone"}) == 2);
    CHECK(attempt({"--to", clerk, "--by-link", "--password-file",
                   world.write("password", "ein Passwort\n")}) == 2);
    CHECK(attempt({"--to", clerk, "--link-file", world.path("link")}) == 2);
    CHECK(world
              .run(world.staff_home,
                   with_key(world, {"reply", "--to-transfer", std::string(32, 'a'), "--by-link"}))
              .exit == 2);
    CHECK(world.mails_to(citizen).empty()); // all of that before a code is asked for
}

TEST_CASE("where the authority allows no links the client says so before anything is sent") {
    ServiceWorld world;
    const auto refused =
        world.run(world.citizen_home, {"send", world.path("plan.pdf"), "--to", clerk, "--email",
                                       citizen, "--message", "x", "--by-link", "--json"});
    CHECK(refused.exit == 9);
    CHECK(events(refused, "error").at(0).at("code") == "link_not_allowed");
    CHECK(refused.err.find("does not allow transfers that a link alone opens") !=
          std::string::npos);
    auto arguments = first_contact(world);
    arguments.emplace_back("--by-link");
    CHECK(world.run(world.staff_home, arguments).exit == 9);
    CHECK(world.mails_to(citizen).empty());
}

} // namespace plankurier::test::by_link_test
