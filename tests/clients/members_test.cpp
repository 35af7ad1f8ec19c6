// Colleagues share a department's key, and leave it behind at the next epoch.
#include <clients/cli/files.hpp>
#include <clients/cli/member_record.hpp>

#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::members_test {

namespace {

/// A colleague with a key pair of the own, and the files that go to and fro.
struct Colleague {
    explicit Colleague(ServiceWorld& service, const std::string& first_name = "first")
        : world(service), base(first_name) {
        const auto made =
            world.run(world.staff_home, {"members", "new", "-o", key, "--record", record,
                                         "--passphrase-file", own_passphrase, "--json"});
        INFO(made.err);
        REQUIRE(made.exit == 0);
        kid = events(made, "member").at(0).at("kid").get<std::string>();
    }
    int wrap(const std::string& department = "bauamt") {
        return world
            .run(
                world.staff_home,
                with_key(world, {"members", "wrap", "--member", record, "-o", wrapped}, department))
            .exit;
    }
    int unwrap(const std::string& with, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{"members",      "unwrap",
                                           wrapped,        "--key",
                                           with,           "-o",
                                           unwrapped,      "--passphrase-file",
                                           own_passphrase, "--new-passphrase-file",
                                           own_passphrase};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return world.run(world.staff_home, arguments).exit;
    }

    ServiceWorld& world;
    std::string base;
    std::string key{world.path(base + ".key")}, record{world.path(base + ".json")},
        wrapped{world.path(base + ".wrap")}, unwrapped{world.path(base + "-shared.key")},
        own_passphrase{world.write(base + "-passphrase", "ein Satz von " + base + "\n")}, kid;
};

} // namespace

TEST_CASE("a colleague who got the department's key wrapped opens its inbox") {
    ServiceWorld world;
    world.send();
    Colleague colleague{world};
    REQUIRE(colleague.wrap() == 0);
    CHECK(content_of(colleague.wrapped).find(as_text(ServiceWorld::seed_of("bauamt").reveal())) ==
          std::string::npos);
    REQUIRE(colleague.unwrap(colleague.key) == 0);
    const auto list =
        world.run(world.staff_home, {"inbox", "--key", colleague.unwrapped, "--passphrase-file",
                                     colleague.own_passphrase, "--json"});
    INFO(list.err);
    CHECK(list.exit == 0);
    CHECK(events(list, "waiting").size() == 1);
    // What was written once is not replaced.
    CHECK(colleague.unwrap(colleague.key) == 1);
}

TEST_CASE("a member's own key file and a wrap do what the department's key does") {
    ServiceWorld world;
    world.send();
    Colleague colleague{world};
    REQUIRE(colleague.wrap() == 0);
    const auto as_member = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--key", colleague.key, "--wrap", colleague.wrapped,
                                           "--passphrase-file", colleague.own_passphrase});
        auto run = world.run(world.staff_home, arguments);
        UNSCOPED_INFO(run.err);
        return run;
    };
    const auto list = as_member({"inbox", "--json"});
    REQUIRE(list.exit == 0);
    const auto id = events(list, "waiting").at(0).at("transfer").get<std::string>();
    CHECK(as_member({"reply", "--to-transfer", id, "--message", "von Kollegin"}).exit == 0);
    const auto link = world.write("link", world.link_to(department_mail));
    CHECK(as_member({"fetch", "--link-file", link, "-o", world.path("in")}).exit == 0);
    CHECK(content_of(world.path("in/plan.pdf")) == content_of(world.path("plan.pdf")));
    CHECK(as_member({"fetch", "--from-inbox", id, "-o", world.path("again")}).exit == 0);
    // The fetch was signed with the department's key.
    const auto status =
        world.run(world.citizen_home, {"status", world.path(world.receipt), "--json"});
    CHECK(events(status, "status").at(0).at("signed") == true);
    // The member's key alone opens nothing.
    const auto alone = world.run(world.staff_home, {"inbox", "--key", colleague.key,
                                                    "--passphrase-file", colleague.own_passphrase});
    CHECK(alone.exit == 5);
}

TEST_CASE("who has forgotten the passphrase gets the key wrapped anew by any colleague") {
    ServiceWorld world;
    world.send();
    Colleague anna{world}, bela{world, "second"};
    REQUIRE(anna.wrap() == 0);
    // Anna, who was given the key herself, gives it to Bela's new key.
    REQUIRE(anna.unwrap(anna.key) == 0);
    REQUIRE(world
                .run(world.staff_home,
                     {"members", "wrap", "--member", bela.record, "-o", bela.wrapped, "--key",
                      anna.unwrapped, "--passphrase-file", anna.own_passphrase})
                .exit == 0);
    const auto list =
        world.run(world.staff_home, {"inbox", "--key", bela.key, "--wrap", bela.wrapped,
                                     "--passphrase-file", bela.own_passphrase, "--json"});
    INFO(list.err);
    CHECK(events(list, "waiting").size() == 1);

    const auto shared =
        world.run(world.staff_home, {"members", "list", anna.wrapped, bela.wrapped, "--json"});
    INFO(shared.err);
    REQUIRE(shared.exit == 0);
    const auto wraps = events(shared, "member_wrap");
    REQUIRE(wraps.size() == 2);
    CHECK(wraps[0].at("member") == anna.kid);
    CHECK(wraps[1].at("member") == bela.kid);
    CHECK(wraps[1].at("department") == "bauamt");
    // After the next epoch the old key stands for no department.
    auto directory = world.directory();
    directory.departments.front().keys.clear();
    ++directory.serial;
    world.publish(directory);
    REQUIRE(world.run(world.staff_home, {"departments"}).exit == 0);
    const auto later = world.run(world.staff_home, {"members", "list", anna.wrapped, "--json"});
    CHECK(events(later, "member_wrap").at(0).at("department") == "");
    CHECK(world.run(world.staff_home, {"members", "list", anna.key}).exit == 8);
}

TEST_CASE("a wrap opens for its member alone, and only for a department of the directory") {
    ServiceWorld world;
    Colleague colleague{world};
    REQUIRE(colleague.wrap() == 0);
    CHECK(world
              .run(world.staff_home, with_key(world, {"members", "unwrap", colleague.wrapped, "-o",
                                                      colleague.unwrapped, "--new-passphrase-file",
                                                      colleague.own_passphrase}))
              .exit == 5);
    CHECK(colleague.unwrap(colleague.key, {"--department", "umwelt"}) == 5);
    CHECK_FALSE(std::filesystem::exists(colleague.unwrapped));
    // A seed that somebody made up is no department's.
    auto directory = world.directory();
    for (auto& department : directory.departments) department.keys.clear();
    ++directory.serial;
    world.publish(directory);
    CHECK(colleague.unwrap(colleague.key) == 5);
    CHECK_FALSE(std::filesystem::exists(colleague.unwrapped));
}

TEST_CASE("a key file's passphrase is changed, and the old one opens it no more") {
    ServiceWorld world;
    const auto next = world.write("next", "noch ein anderer Satz\n");
    const auto old_file = content_of(world.key_of("bauamt"));
    const auto change = [&](const std::string& now) {
        return world
            .run(world.staff_home, {"passphrase", world.key_of("bauamt"), "--passphrase-file", now,
                                    "--new-passphrase-file", next})
            .exit;
    };
    CHECK(change(next) == 5);
    CHECK(content_of(world.key_of("bauamt")) == old_file);
    CHECK(change(world.path(world.passphrase_file)) == 0);
    const auto file = content_of(world.key_of("bauamt"));
    const auto opened = open_key_file(as_bytes(file), SecretText{"noch ein anderer Satz"});
    REQUIRE(opened);
    CHECK(opened->seed.matches(ServiceWorld::seed_of("bauamt").reveal()));
    CHECK(change(world.path(world.passphrase_file)) == 5);
    const auto empty = world.write("empty", "\n");
    CHECK(world
              .run(world.staff_home, {"passphrase", world.key_of("bauamt"), "--passphrase-file",
                                      next, "--new-passphrase-file", empty})
              .exit == 2);
}

TEST_CASE("a new epoch keeps the keys of the old one and is the one to seal to") {
    ServiceWorld world;
    const auto keygen = [&](const std::string& name, const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"keygen",
                                           "--department",
                                           "hochbau",
                                           "-o",
                                           world.path(name + ".key"),
                                           "--record",
                                           world.path(name + ".json"),
                                           "--passphrase-file",
                                           world.path(world.passphrase_file)};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return world.run(world.staff_home, arguments).exit;
    };
    REQUIRE(keygen("one", {"--name", "Hochbauamt"}) == 0);
    auto first = parse_department(content_of(world.path("one.json"))).value();
    // It began a day ago, and another one has ended.
    first.keys.front().from -= day_s;
    const auto older =
        recipient_public_key(ServiceWorld::seed_of("older"), StanzaType::hpke_p256).value();
    first.keys.push_back({key_id(older), older, 0, 1'000});
    const auto old_record = world.write("old.json", encode_department(first));
    REQUIRE(keygen("two", {"--epoch", old_record}) == 0);
    const auto second = parse_department(content_of(world.path("two.json"))).value();
    CHECK(second.name == "Hochbauamt");
    REQUIRE(second.keys.size() == 2);
    CHECK(second.keys.back().kid == first.keys.front().kid);
    CHECK(second.signing_keys.size() == 2);
    const auto now = second.keys.front().from + 600;
    CHECK(usable_key(Directory{}, second, now)->kid == second.keys.front().kid);
    CHECK(keygen("three", {"--epoch", world.path("plan.pdf")}) == 8);
    CHECK_FALSE(std::filesystem::exists(world.path("three.key")));
}

TEST_CASE("a member's record comes back as it was, and nothing else passes for one") {
    for (const auto type : {StanzaType::hpke_p256, StanzaType::hpke_x25519}) {
        const auto key = recipient_public_key(KeySeed::random(), type).value();
        CHECK(cli::decode_member(cli::encode_member(key)).value() == key);
        CHECK(cli::spoken_id(key_id(key)).size() == 19);
    }
    for (const auto* wrong : {"", "{}", R"({"format":"plankurier-member-1","type":5,"pk":"AAAA"})",
                              R"({"format":"other","type":5,"pk":"AAAA"})"}) {
        CAPTURE(wrong);
        CHECK(cli::decode_member(wrong).error().code == Errc::malformed);
    }
    CHECK(cli::decode_member(R"({"format":"plankurier-member-1","type":2,"pk":"AAAA"})")
              .error()
              .code == Errc::unsupported);
}

} // namespace plankurier::test::members_test
