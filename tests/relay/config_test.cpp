// relay.toml as administrators write it, and what they are told.
#include "relay/config_check.hpp"

#include "tests/support/swarm_relay.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>
#include <fstream>

namespace plankurier::test::config_test {

namespace {

namespace fs = std::filesystem;

/// What is said about a file with this text, without its folder.
std::string complaint(const std::string& text) {
    const TempFolder folder;
    const auto file = folder.path() / "relay.toml";
    std::ofstream{file} << text;
    try {
        static_cast<void>(relay::load_config(file));
        return "good";
    } catch (const std::exception& error) {
        std::string out = error.what();
        const std::string there = folder.path().string() + "/";
        for (auto at = out.find(there); at != out.npos; at = out.find(there)) {
            out.erase(at, there.size());
        }
        return out;
    }
}
bool says(const std::string& text, const std::string& part) {
    const std::string said = complaint(text);
    INFO(said);
    CHECK(said.find(part) != said.npos);
    return said.find(part) != said.npos;
}
const std::string at_2_8 = "relay.toml, line 2, column 8: ";

} // namespace

TEST_CASE("a setting that there is not is refused with the nearest one that there is") {
    CHECK(complaint("[limits]\ntransfer_gb_max = 5\n") ==
          "relay.toml, line 2, column 19: there is no setting limits.transfer_gb_max, did you mean "
          "limits.transfer_gib_max?");
    // At the top, where it belongs to no table.
    CHECK(says("transfer_gb_max = 5\n", "did you mean limits.transfer_gib_max?"));
    CHECK(says("transfer_gib_max = 5\n[departments.bauamt]\nmail = \"a@b.example\"\n",
               "did you mean limits.transfer_gib_max?"));
    CHECK(says("[[rules]]\nform = \"*\"\nto = \"bauamt\"\n", "did you mean rules[0].from?"));
    CHECK(says("[mail]\nsmtp = \"smtp://mail.example.org\"\n", "there is no setting mail.smtp"));
    CHECK(says("[swarm]\nlink_base = \"https://a.example\"\n", "did you mean link_base?"));
    CHECK(says("[limit]\ntransfer_gib_max = 5\n", "there is no table limit"));
    CHECK(says("[piece]\nport = 1\n", "there is no table piece"));
    CHECK(says("[departments.bauamt]\nmail = \"a@b.example\"\ndays = 3\n",
               "line 3, column 8: there is no setting departments.bauamt.days"));
    CHECK(says("[departments.bauamt]\nmail = \"a@b.example\"\ntransfer_gb_max = 3\n",
               "did you mean departments.bauamt.transfer_gib_max?"));
    CHECK(says("[department.bauamt]\nmail = \"a@b.example\"\n", "did you mean departments?"));
    CHECK(says("[[rules]]\nfrom = \"*\"\nto = \"bauamt\"\nform = \"*\"\n",
               "did you mean rules[0].from?"));
    CHECK(says("[[rule]]\nfrom = \"*\"\n", "did you mean rules?"));
    CHECK(complaint("zzz = 1\n[yyy]\n") ==
          "relay.toml, line 2, column 1: there is no table yyy\n"
          "relay.toml, line 1, column 7: there is no setting zzz"); // all of them
}

TEST_CASE(
    "a value of another type or out of its range is said with its place and what it must be") {
    CHECK(complaint("[swarm]\nport = 0\n") ==
          at_2_8 + "swarm.port is 0, it must be a whole number from 1 to 65535");
    CHECK(complaint("[swarm]\nport = \"x\"\n") ==
          at_2_8 + "swarm.port must be a whole number from 1 to 65535, not a text");
    CHECK(says("[swarm]\nplain_port = 70000\n", "plain_port is 70000, it must be"));
    CHECK(says("copies_max = 1\n", "copies_max is 1, it must be a whole number from 2 to 1000"));
    CHECK(complaint("copies_max = 2\n") == "good");
    CHECK(says("[limits]\ntransfer_gib_max = 1.5\n",
               "must be a whole number from 1 to 4194304, not a number with a point"));
    CHECK(says("[limits]\ncode_mails_hour = -1\n", "is -1, it must be a whole number from 0 to"));
    CHECK(says("[limits]\nfree_percent_min = 101\n", "from 0 to 100"));
    CHECK(says("[swarm]\nenabled = \"yes\"\n", "must be true or false, not a text"));
    CHECK(says("authority = 1\n", "must be a text in quotes, not a whole number"));
    CHECK(says("authority = \"a\\nb\"\n", "authority must be a name in one line"));
    CHECK(says("limits = 3\n", "limits must be a table, not a whole number"));
    CHECK(
        says("staff_patterns = \"@amt.example\"\n", "must be a list of texts in [ ], not a text"));
    CHECK(says("staff_patterns = [1]\n", "one of it is a whole number"));
    CHECK(says("[expiry]\ndays_min = 20\n", "line 2, column 12: expiry.days_min does not fit"));
    CHECK(says("[expiry]\ndays_max = 0\n", "from 1 to 3650"));
    CHECK(says("[departments.bauamt]\nmail = \"a@b.example\"\ndays_max = 3\n",
               "departments.bauamt.days_max does not fit"));
    CHECK(says("[departments.bauamt]\ndays_max = 30\n", "departments.bauamt needs mail"));
    CHECK(says("a = [\n", "relay.toml, line "));
    CHECK(says("authority = \"B\xFC"
               "rgeramt\"\n",
               "save the file as UTF-8"));
}

TEST_CASE("addresses in the configuration are what programs can use") {
    CHECK(complaint("[mail]\nsmtp_url = \"smtp://mail.example.org:587\"\n") == "good");
    CHECK(complaint("[mail]\nsmtp_url = \"smtps://mail.example.org\"\n") == "good");
    CHECK(complaint("[mail]\nsmtp_url = \"\"\n") == "good");
    for (const char* bad : {"mail.example.org", "http://mail.example.org", "smtp://", "smtp:mail",
                            "smtp://a b", "mail.example.org:587"}) {
        INFO(bad);
        CHECK(says("[mail]\nsmtp_url = \"" + std::string{bad} + "\"\n",
                   "mail.smtp_url must begin with smtp:// or smtps://"));
    }
    CHECK(complaint("link_base = \"https://senden.amt.example\"\n") == "good");
    for (const char* bad : {"senden.amt.example", "http://senden.amt.example", "https://", ""}) {
        INFO(bad);
        CHECK(says("link_base = \"" + std::string{bad} + "\"\n", "link_base must be an address"));
    }
    for (const char* good : {":587", ":465/", "/", ""}) {
        INFO(good);
        CHECK(complaint("[mail]\nsmtp_url = \"smtp://mail.amt.example" + std::string{good} +
                        "\"\n") == "good");
    }
    for (const char* bad : {"mail:abc", "mail:", "mail:0", "mail:65536", "anna:secret@mail",
                            "mail.amt.example/x", "mail:99999999999"}) {
        INFO(bad);
        CHECK(says("[mail]\nsmtp_url = \"smtp://" + std::string{bad} + "\"\n",
                   "mail.smtp_url must name a host and at most a port"));
        CHECK(says("link_base = \"https://" + std::string{bad} + "\"\n",
                   "link_base must name a host and at most a port"));
    }
    CHECK(complaint("link_base = \"https://[2001:db8::1]:8443\"\n") == "good");
    CHECK(complaint("link_base = \"https://[2001:db8::1]\"\n") == "good");
    for (const char* good : {"@amt.example", "anna@amt.example"}) {
        CHECK(complaint("staff_patterns = [\"" + std::string{good} + "\"]\n") == "good");
    }
    for (const char* bad : {"amt.example", "", "@", "a b@amt.example", "*@amt.example, b"}) {
        INFO(bad);
        CHECK(says("staff_patterns = [\"@a.example\", \"" + std::string{bad} + "\"]\n",
                   "staff_patterns must list whole addresses"));
    }
    CHECK(says("[[rules]]\nfrom = \"amt.example\"\nto = \"bauamt\"\n", "rules[0].from must be"));
    CHECK(says("[[rules]]\nfrom = \"*\"\n", "rules[0] needs from and to"));
    CHECK(says("[mail]\nfrom = \"plankurier\"\n", "mail.from must be a plain e-mail address"));
    CHECK(says("[pieces]\nurl = \"http://a.example\"\n", "pieces.url must be an address"));
    CHECK(says("[pieces]\nlisten = \"localhost\"\n", "pieces.listen must be a numeric address"));
    CHECK(complaint("[control]\nurl = \"https://a.example\"\nca_file = \"ca.pem\"\n") == "good");
    CHECK(says("[control]\nurl = \"http://a.example\"\n", "control.url must be an address"));
    CHECK(complaint("[control]\nca_file = \"ca.pem\"\n") == "good"); // for TLS to other relays
}

TEST_CASE("the end of a link base is no slash") {
    const TempFolder folder;
    std::ofstream{folder.path() / "relay.toml"} << "link_base = \"https://a.example/\"\n";
    CHECK(relay::load_config(folder.path() / "relay.toml").policy.link_base == "https://a.example");
}

TEST_CASE("the configuration says what is wrong with the swarm") {
    CHECK(complaint("") == "good");
    const std::string differ =
        "must be another port: pieces.port, swarm.port and swarm.plain_port differ";
    CHECK(says("[swarm]\nport = 8443\n", "swarm.port " + differ));
    CHECK(says("[pieces]\nport = 8445\n", "pieces.port " + differ));
    CHECK(complaint("[swarm]\nport = 8446\n") == "good"); // no network is trusted
    CHECK(says("[swarm]\nport = 8446\ntrusted_networks = [\"10.0.0.0/8\"]\n", differ));
    CHECK(complaint("[swarm]\nenabled = false\nport = 8443\n") == "good");
    for (const char* good : {"10.1.0.0/16", "0.0.0.0/0", "fd00::/8", "::1/128", "192.0.2.1/32"}) {
        INFO(good);
        CHECK(complaint("[swarm]\ntrusted_networks = [\"" + std::string{good} + "\"]\n") == "good");
    }
    for (const char* bad : {"", "10.1.0.0", "10.1.0.0/33", "10.1/16", "fd00::/129", "a/8",
                            "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/ 8", "/8", "10.0.0.0/1000"}) {
        INFO(bad);
        CHECK(says("[swarm]\ntrusted_networks = [\"" + std::string{bad} + "\"]\n",
                   "trusted_networks must be a list of address ranges"));
    }
    CHECK(says("[swarm]\ntrusted_networks = \"10.0.0.0/8\"\n", "must be a list of texts"));
    CHECK(says("[swarm]\ntrusted_networks = [8]\n", "must be a list of texts"));
}

TEST_CASE("a fresh relay.toml of init is good, and so is each line that it shows in a comment") {
    const TempFolder folder;
    relay::init_folder(folder.path() / "one", "Landratsamt Muster", "senden.amt.example", false);
    const auto file = folder.path() / "one" / "relay.toml";
    CHECK(relay::load_config(file).pieces_url == "https://senden.amt.example:8443");
    std::ifstream in{file};
    std::string all;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("# plankurier-relay")) continue;
        all += (line.starts_with("# ") ? line.substr(2) : line) + "\n";
    }
    INFO(all);
    CHECK(complaint(all) == "good");
}

TEST_CASE("check-config looks at the certificate, at files that are named, and at departments") {
    const TempFolder folder;
    relay::init_folder(folder.path() / "one", "Landratsamt Muster", "senden.amt.example", false);
    auto config = relay::load_config(folder.path() / "one" / "relay.toml");
    config.policy.link_base = config.pieces_url = "https://localhost:8443";
    const auto only = [&] {
        const auto problems = relay::config_problems(config);
        REQUIRE(problems.size() == 1);
        return problems[0];
    };
    CHECK(only().find("there is no TLS certificate") == 0);
    CHECK(only().find("pieces.certificate and pieces.private_key") != std::string::npos);
    const TlsFiles tls{folder.path()};
    config.certificate = tls.certificate;
    CHECK(only().find("there is no TLS key") == 0);
    config.private_key = tls.private_key;
    CHECK(relay::config_problems(config).empty());
    config.smtp_password_file = folder.path() / "none";
    CHECK(only().find("mail.password_file names ") == 0);
    config.smtp_password_file.clear();
    config.smtp_user = "plankurier";
    CHECK(only().find("mail.user needs mail.password_file") == 0);
    config.smtp_user.clear();
    config.control_socket = "/" + std::string(107, 'x');
    CHECK(only().find("the path of control.socket is 108 bytes long") == 0);
    config.control_socket = "/" + std::string(106, 'x');
    CHECK(relay::config_problems(config).empty());
    const fs::path data = config.data_dir;
    config.data_dir = tls.certificate; // a file
    CHECK(only().find("data_dir is ") == 0);
    config.data_dir = folder.path();
    CHECK(only().find("finds no keys") != std::string::npos);
    config.data_dir = data;
    config.policy.link_base = config.pieces_url = "https://senden.amt.example";
    CHECK(only().find("is not for the host of pieces.url, senden.amt.example") !=
          std::string::npos);
    config.policy.link_base = config.pieces_url = "https://127.0.0.1:8443";
    std::ofstream{folder.path() / "empty.pem"};
    config.certificate = folder.path() / "empty.pem";
    CHECK(only().find("is no certificate in PEM") != std::string::npos);
}

TEST_CASE("a piece plane that clients would look for on their own computer is a problem") {
    const TempFolder folder;
    const TlsFiles tls{folder.path()};
    relay::Config config;
    config.certificate = tls.certificate;
    config.private_key = tls.private_key;
    config.data_dir = folder.path();
    fs::create_directories(config.keys());
    std::ofstream{config.keys() / "relay.seed"} << "seed";
    config.policy.link_base = "https://amt.example";
    for (const char* url :
         {"https://localhost:8443", "https://127.0.0.1:8443", "https://[::1]:8443"}) {
        config.pieces_url = url;
        const auto problems = relay::config_problems(config);
        REQUIRE(problems.size() == 1);
        CHECK(problems[0].find("pieces.url is " + std::string{url}) == 0);
    }
    config.pieces_url = "https://[2001:db8::1]:8443"; // which the certificate is not for
    CHECK(relay::config_problems(config).size() == 1);
    CHECK(relay::config_problems(config)[0].find("not for the host of pieces.url, 2001:db8::1") !=
          std::string::npos);
    config.pieces_url = "https://localhost:8443";
    config.policy.link_base = "https://localhost:8444"; // a trial
    CHECK(relay::config_problems(config).empty());
    config.control_url = "https://senden.amt.example";
    CHECK(relay::config_problems(config).size() == 1);
}

TEST_CASE("root is told whose data folder it is, and nobody else is") {
    const TempFolder folder;
    relay::Config config;
    config.data_dir = folder.path();
    CHECK_FALSE(relay::other_owner(config, 1'000));
    if (::geteuid() == 0) {
        CHECK_FALSE(relay::other_owner(config, 0));
        REQUIRE(::chown(folder.path().c_str(), 54'321, 0) == 0);
        CHECK(relay::other_owner(config, 0) == "54321");
        REQUIRE(::chown(folder.path().c_str(), 1, 0) == 0);
    }
    CHECK(relay::other_owner(config, 0).value_or("").size() > 2);
    config.data_dir = folder.path() / "none";
    CHECK_FALSE(relay::other_owner(config, 0));
}

} // namespace plankurier::test::config_test
