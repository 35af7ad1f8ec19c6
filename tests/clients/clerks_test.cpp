// Clerks with a key of their own, alone and beside departments, and the escrow key.
#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <clients/cli/receipt.hpp>
#include <clients/cli/upload_state.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::clerks_test {

namespace {

constexpr const char* anna_id = "clerk-00112233445566aa";
constexpr const char* shown_anna = "Anna Grün <anna.gruen@amt.example>";
constexpr const char* escrow_name = "Hinterlegung 2027";

/// The usual service, and Anna Grün, who is registered with the address `clerk`.
struct Office : ServiceWorld {
    Office() {
        auto with_anna = directory();
        with_anna.clerks.push_back(with_anna.departments.front());
        Department& anna = with_anna.clerks.front();
        anna.id = anna_id;
        anna.name = "Anna Grün";
        anna.address = clerk;
        anna.keys.front() = key_for("anna");
        anna.signing_keys.front().key = signing_public_key(signing_seed(seed_of("anna")));
        anna.signing_keys.front().kid = {std::byte{9}};
        show(std::move(with_anna));
    }
    /// The key of a name, as departments have theirs; its file is `key_of`.
    DepartmentKey key_for(const std::string& name) {
        const auto seed = seed_of(name);
        const auto key = recipient_public_key(seed, StanzaType::hpke_p256).value();
        const auto passphrase = SecretText{content_of(path(passphrase_file))};
        const auto file = seal_key_file(seed, StanzaType::hpke_p256, passphrase, {1, 8'192});
        write(name + ".key", as_text(file.value()));
        const auto& other = directory().departments.front().keys.front();
        return {key_id(key), key, other.from, other.until};
    }
    /// From now on.
    void show(Directory changed) {
        ++changed.serial;
        publish(std::move(changed));
    }
    void add_escrow() {
        auto changed = directory();
        changed.escrow = Escrow{escrow_name, "im Tresor", {key_for("escrow")}};
        show(std::move(changed));
    }
    ClientRun send_to(const std::vector<std::string>& recipients,
                      const std::vector<std::string>& more = {}) {
        std::filesystem::remove(path(receipt)); // no sending replaces another one's
        std::vector<std::string> arguments{
            "send",      path("plan.pdf"), "--name",      "Erika",      "--email",   citizen,
            "--message", "Guten Tag",      "--code-from", path("code"), "--receipt", path(receipt)};
        for (const auto& to : recipients) arguments.insert(arguments.end(), {"--to", to});
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(citizen_home, std::move(arguments));
    }
    ClientRun as_staff(std::vector<std::string> arguments, const std::string& who) {
        return run(staff_home, with_key(*this, std::move(arguments), who));
    }
    ClientRun fetch(const std::string& address, const std::string& who) {
        const auto link = write("link", link_to(address));
        return as_staff({"fetch", "--link-file", link, "-o", path("in-" + who)}, who);
    }
    bool has_plan(const std::string& who) {
        return content_of(path("in-" + who + "/plan.pdf")) == content_of(path("plan.pdf"));
    }
    nlohmann::json status() {
        return events(run(citizen_home, {"status", path(receipt), "--json"}), "status").at(0);
    }
    cli::Receipt read_receipt() { return cli::read_receipt(path(receipt)).value(); }
};

} // namespace

TEST_CASE("an address elsewhere is refused before a code or a password is made") {
    Office office;
    const auto done = office.send_to({"max@anderswo.example"});
    CHECK(done.exit == 9);
    CHECK(done.err.find("--to max@anderswo.example") != std::string::npos);
    CHECK(done.err.find("@amt.example, @andere.example") != std::string::npos);
    CHECK(done.err.find("Password") == std::string::npos);
    CHECK(office.mails_to(citizen).empty());
    // In any case, and by a single address that the rules name.
    CHECK(office.send_to({"Otto@AMT.example"}).exit == 0);
    CHECK(office.send_to({"berta@andere.example"}).exit == 0);
}

TEST_CASE("a registered clerk is written to by address, without a password, and answers") {
    Office office;
    const auto sent = office.send_to({"Anna.Gruen@AMT.example"}, {"--json"});
    INFO(sent.err);
    REQUIRE(sent.exit == 0);
    CHECK(sent.err.find("Password") == std::string::npos);
    CHECK(events(sent, "password").empty());
    CHECK(office.read_receipt().recipient == shown_anna);
    CHECK((sent.out + content_of(office.path(office.receipt))).find("clerk-") == std::string::npos);
    const auto list = office.as_staff({"inbox", "--department", clerk, "--json"}, "anna");
    REQUIRE(events(list, "waiting").size() == 1);
    const auto id = events(list, "waiting")[0].at("transfer").get<std::string>();
    const auto fetched = office.as_staff(
        {"fetch", "--from-inbox", id, "--department", clerk, "-o", office.path("in-anna")}, "anna");
    INFO(fetched.err);
    CHECK(fetched.exit == 0);
    CHECK(office.has_plan("anna"));
    CHECK(office.status().at("signed") == true);
    const auto answer = office.as_staff(
        {"reply", "--to-transfer", id, "--department", clerk, "--message", "Danke"}, "anna");
    INFO(answer.err);
    CHECK(answer.exit == 0);
    const auto read =
        office.run(office.citizen_home, {"fetch", "--return-link-file", office.path(office.receipt),
                                         "-o", office.path("back")});
    CHECK(read.out.find(std::string{"Signed by: "} + shown_anna) != std::string::npos);
    CHECK(read.err.find("WARNING") == std::string::npos);
}

TEST_CASE("departments and clerks get one transfer, and each opens it alone") {
    Office office;
    const auto sent = office.send_to({"bauamt", "umwelt", clerk});
    INFO(sent.err);
    REQUIRE(sent.exit == 0);
    const auto all = std::string{"bauamt, umwelt, "} + shown_anna;
    CHECK(office.read_receipt().recipient == all);
    CHECK(sent.out.find(all) != std::string::npos);
    const auto page = office.path("page.html");
    CHECK(office.run(office.citizen_home, {"status", office.path(office.receipt), "--html", page})
              .exit == 0);
    CHECK(content_of(page).find("Anna Grün &lt;anna.gruen@amt.example&gt;") != std::string::npos);
    for (const auto& [who, address] :
         {std::pair{"bauamt", department_mail}, std::pair{"umwelt", "umwelt@amt.example"},
          std::pair{"anna", clerk}}) {
        CAPTURE(who);
        CHECK(events(office.as_staff({"inbox", "--json"}, who), "waiting").size() == 1);
        CHECK(office.fetch(address, who).exit == 0);
        CHECK(office.has_plan(who));
    }
}

TEST_CASE("a password goes to an address that has a key where the sender wants that, and alone") {
    Office office;
    const auto sent = office.send_to({clerk}, {"--password", "--json"});
    INFO(sent.err);
    REQUIRE(sent.exit == 0);
    const auto words = events(sent, "password").at(0).at("password").get<std::string>();
    CHECK(office.mails_to(clerk).find("password") == std::string::npos);
    CHECK(office.read_receipt().recipient == clerk);
    CHECK(office.fetch(clerk, "anna").exit == 5);
    CHECK(events(office.as_staff({"inbox", "--json"}, "anna"), "waiting").empty());
    const auto link = office.write("link", office.link_to(clerk));
    CHECK(office
              .run(office.staff_home, {"fetch", "--link-file", link, "-o", office.path("in-anna"),
                                       "--password-file", office.write("words", words + "\n")})
              .exit == 0);
    const auto own = office.write("own", "ein eigenes Passwort fuer den Test\n");
    CHECK(office.send_to({clerk}, {"--password-file", own}).exit == 0);
    for (const std::vector<std::string>& to :
         {std::vector<std::string>{"bauamt"}, {clerk, "bauamt"}, {clerk, clerk}}) {
        const auto refused = office.send_to(to, {"--password"});
        CHECK(refused.exit == 2);
        CHECK(refused.err.find("one e-mail address only") != std::string::npos);
        CHECK(office.send_to(to, {"--password-file", own}).exit == 2);
    }
}

TEST_CASE("an address without a key is written to alone, with a password as ever") {
    Office office;
    const auto refused = office.send_to({clerk, "otto@amt.example"});
    CHECK(refused.exit == 2);
    CHECK(refused.err.find("otto@amt.example has no key in the directory") != std::string::npos);
    CHECK(office.mails_to(citizen).empty()); // nothing was begun
    CHECK(office.send_to({clerk, "ANNA.gruen@amt.example"}).exit == 2);
    const auto sent = office.send_to({"otto@amt.example"}, {"--json"});
    CHECK(sent.exit == 0);
    CHECK(events(sent, "password").size() == 1);
}

TEST_CASE("nothing goes to a clerk who has left") {
    Office office;
    const auto listed = office.directory();
    const auto left = [&] {
        const auto refused = office.send_to({"bauamt", clerk});
        CHECK(refused.exit == 6);
        CHECK(refused.err.find(std::string{shown_anna} + " has no key that can be used any more") !=
              std::string::npos);
        CHECK(office.mails_to(citizen).empty());
    };
    auto revoked = listed;
    revoked.revoked.push_back(revoked.clerks.front().keys.front().kid);
    office.show(revoked);
    left();
    auto over = listed;
    over.serial = office.directory().serial;
    over.clerks.front().keys.front().until = over.issued;
    office.show(over);
    left();
    CHECK(office.send_to({clerk}, {"--password"}).exit == 0);
}

TEST_CASE("the escrow key opens what goes to departments and clerks, and the sender is told") {
    Office office;
    office.add_escrow();
    const auto told = office.send_to({"umwelt", clerk}, {"--json"});
    INFO(told.err);
    REQUIRE(told.exit == 0);
    CHECK(told.err.find("with its escrow key \"Hinterlegung 2027\"") != std::string::npos);
    CHECK(told.err.find("escrow key") < told.err.find("A code is on its way"));
    CHECK(events(told, "escrow").at(0).at("name") == escrow_name);
    CHECK(office.read_receipt().escrow == escrow_name);
    CHECK(office.read_receipt().recipient == std::string{"umwelt, "} + shown_anna);
    const auto page = office.path("page.html");
    office.run(office.citizen_home, {"status", office.path(office.receipt), "--html", page});
    CHECK(content_of(page).find(escrow_name) != std::string::npos);

    CHECK(office.as_staff({"inbox"}, "escrow").exit == 5); // it is nobody's inbox
    const auto opened = office.fetch(clerk, "escrow");
    INFO(opened.err);
    CHECK(opened.exit == 0);
    CHECK(office.has_plan("escrow"));
    CHECK(opened.err.find("Opened with the authority's escrow key") != std::string::npos);
    CHECK(office.status().at("fetched") == true);
    CHECK(office.status().at("signed") == false);
    CHECK(office.fetch(clerk, "anna").exit == 0);
    CHECK(office.status().at("signed") == true);
}

TEST_CASE("what was sealed to an escrow key still opens with it when it is listed no more") {
    Office office;
    office.add_escrow();
    REQUIRE(office.send_to({"bauamt"}).exit == 0);
    auto without = office.directory();
    without.escrow.reset();
    office.show(without);
    const auto opened = office.fetch(department_mail, "escrow");
    INFO(opened.err);
    CHECK(opened.exit == 0);
    CHECK(office.has_plan("escrow"));
    CHECK(office.status().at("fetched") == true);
    CHECK(office.status().at("signed") == false);
}

TEST_CASE("the escrow key opens no password transfer and no answer, and nothing once it ended") {
    Office office;
    office.add_escrow();
    const auto by_password = office.send_to({"otto@amt.example"}, {"--json"});
    REQUIRE(by_password.exit == 0);
    CHECK(events(by_password, "escrow").empty());
    CHECK(office.read_receipt().escrow.empty());
    CHECK(office.fetch("otto@amt.example", "escrow").exit == 5);

    REQUIRE(office.send_to({"bauamt"}).exit == 0);
    const auto list = office.as_staff({"inbox", "--json"}, "bauamt");
    const auto id = events(list, "waiting").at(0).at("transfer").get<std::string>();
    const auto reply =
        office.as_staff({"reply", "--to-transfer", id, "--message", "Danke", "--json"}, "bauamt");
    REQUIRE(reply.exit == 0);
    CHECK(events(reply, "escrow").empty());
    CHECK(office.fetch(citizen, "escrow").exit == 5);

    auto ended = office.directory();
    ended.revoked.push_back(ended.escrow->keys.front().kid);
    office.show(ended);
    const auto after = office.send_to({"bauamt"}, {"--json"});
    REQUIRE(after.exit == 0);
    CHECK(events(after, "escrow").empty());
    CHECK(after.err.find("escrow") == std::string::npos);
    CHECK(office.fetch(department_mail, "escrow").exit == 5);
}

TEST_CASE("clerks and the escrow key are listed openly beside the departments") {
    Office office;
    const auto list = [&] { return office.run(office.citizen_home, {"departments"}); };
    CHECK(list().out.find("anna.gruen@amt.example\tAnna Grün") != std::string::npos);
    CHECK(list().out.find("escrow") == std::string::npos);
    office.add_escrow();
    CHECK(list().out.find(escrow_name) != std::string::npos);
    const auto told = office.run(office.citizen_home, {"departments", "--json"});
    CHECK(events(told, "clerk").at(0).at("address") == clerk);
    CHECK(events(told, "escrow").at(0).at("hint") == "im Tresor");
}

TEST_CASE("keygen makes the keys of clerks and of the escrow, and keeps a clerk's id") {
    Office office;
    unsigned made = 0;
    const auto keygen = [&](std::vector<std::string> more) {
        const auto name = std::to_string(++made);
        std::vector<std::string> arguments{"keygen",
                                           "-o",
                                           office.path(name + ".key"),
                                           "--record",
                                           office.path(name + ".json"),
                                           "--passphrase-file",
                                           office.path(office.passphrase_file)};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return office.run(office.staff_home, arguments).exit;
    };
    const auto record = [&](const std::string& name) {
        return parse_department(content_of(office.path(name + ".json"))).value();
    };
    REQUIRE(keygen({"--clerk", "otto@amt.example", "--name", "Otto Blau"}) == 0);
    const auto otto = record("1");
    CHECK(is_clerk_id(otto.id));
    CHECK(otto.address == "otto@amt.example");
    CHECK(otto.name == "Otto Blau");
    REQUIRE(keygen({"--clerk", "otto@amt.example", "--epoch", office.path("1.json")}) == 0);
    const auto next = record("2");
    CHECK(next.id == otto.id);
    CHECK(next.name == otto.name);
    CHECK(next.keys.size() == 2);
    REQUIRE(keygen({"--escrow", "--name", escrow_name}) == 0);
    const auto escrow = parse_escrow(content_of(office.path("3.json"))).value();
    CHECK(escrow.name == escrow_name);
    CHECK(escrow.keys.size() == 1);
    CHECK(keygen({"--clerk", "kein Platz@amt.example", "--name", "x"}) == 2);
    CHECK(keygen({"--clerk", "otto@amt.example"}) == 2); // citizens see the name
    CHECK(keygen({"--clerk", "anders@amt.example", "--epoch", office.path("1.json")}) == 2);
    CHECK(keygen({"--escrow"}) == 2);
    CHECK(keygen({"--escrow", "--name", "x", "--department", "bauamt"}) == 2);
    CHECK(keygen({"--department", "bauamt", "--clerk", "otto@amt.example"}) == 2);
    CHECK_FALSE(std::filesystem::exists(office.path("4.key")));
}

TEST_CASE("recipients and escrow key stand in the state of a transfer and in the receipt") {
    cli::UploadState state;
    state.recipient = shown_anna;
    state.escrow = escrow_name;
    const auto again = cli::decode_upload_state(cli::encode_upload_state(state)).value();
    CHECK(again.recipient == shown_anna);
    CHECK(again.escrow == escrow_name);
    cli::Receipt receipt;
    CHECK(cli::encode_receipt(receipt).find("escrow") == std::string::npos);
    receipt.escrow = escrow_name;
    CHECK(cli::decode_receipt(cli::encode_receipt(receipt))->escrow == escrow_name);
}

} // namespace plankurier::test::clerks_test
