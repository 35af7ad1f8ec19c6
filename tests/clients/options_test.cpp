#include <clients/cli/options.hpp>
#include <clients/cli/texts_help.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace plankurier::test::options_test {

using namespace plankurier::cli;

namespace {
tl::expected<Options, CommandLineError> parsed(const std::vector<std::string>& arguments,
                                               const std::string& server = "",
                                               const std::string& config = "/dev/null") {
    return parse_options(arguments, server, config, {});
}
} // namespace

TEST_CASE("durations are days or weeks") {
    CHECK(parse_days("14d").value() == 14);
    CHECK(parse_days("14").value() == 14);
    CHECK(parse_days("2w").value() == 14);
    for (const auto* wrong : {"", "d", "0d", "-1d", "1h", "14 d", "99999999999d", "1dd", "3651"}) {
        CAPTURE(wrong);
        CHECK(parse_days(wrong).error().code == Errc::invalid_argument);
    }
}

TEST_CASE("a send command is read with its options and files") {
    const auto options = parsed({"send", "a.pdf", "--to", "bauamt", "b.png", "--email", "a@b.de",
                                 "--expires", "2w", "--notify", "none", "--share-phone", "-q"});
    REQUIRE(options);
    CHECK(options->command == Command::send);
    CHECK(options->arguments == std::vector<std::string>{"a.pdf", "b.png"});
    CHECK(options->to == std::vector<std::string>{"bauamt"});
    CHECK(options->expires_days == 14U);
    CHECK(options->notify == "none");
    CHECK(options->share_phone);
    CHECK(options->quiet);
    CHECK_FALSE(options->resume);
}

TEST_CASE("resuming works with and without an id") {
    const auto bare = parsed({"send", "--resume"});
    REQUIRE(bare);
    CHECK(bare->resume);
    const auto named = parsed({"send", "--resume", "0123"});
    REQUIRE(named);
    CHECK(named->resume);
    const bool found =
        named->resume_id == "0123" || named->arguments == std::vector<std::string>{"0123"};
    CHECK(found);
}

TEST_CASE("an option of another command is refused by name") {
    const auto options = parsed({"status", "r.json", "--to", "bauamt"});
    REQUIRE_FALSE(options);
    CHECK(options.error().code == Errc::invalid_argument);
    CHECK(options.error().detail == "--to");
}

TEST_CASE("what cannot be read is refused") {
    const std::vector<std::vector<std::string>> wrong{{},
                                                      {"dance"},
                                                      {"send", "--bogus"},
                                                      {"send", "--expires", "soon"},
                                                      {"send", "--expire", "1d"},
                                                      {"send", "--notify", "always"},
                                                      {"send", "--lanes", "0"},
                                                      {"send", "--lanes", "17"},
                                                      {"version", "--lang", "fr"},
                                                      {"status", "x", "--timeout", "0"},
                                                      {"status", "x", "--retries", "many"},
                                                      {"send", "--to"}};
    for (const auto& arguments : wrong) {
        CAPTURE(arguments);
        const auto options = parsed(arguments);
        REQUIRE_FALSE(options);
        CHECK(options.error().code == Errc::invalid_argument);
    }
}

TEST_CASE("the server comes from the option, then the environment, then the configuration") {
    const auto path = std::filesystem::temp_directory_path() / "plankurier-options-test.conf";
    std::ofstream{path} << "server = \"https://config.example/\"\nretries = 3\n";
    const auto from_config = parsed({"departments"}, "", path);
    REQUIRE(from_config);
    CHECK(from_config->server == "https://config.example");
    CHECK(from_config->retries == 3);
    CHECK(parsed({"departments"}, "https://env.example", path)->server == "https://env.example");
    const auto all =
        parsed({"departments", "--server", "https://option.example/", "--retries", "0"},
               "https://env.example", path);
    CHECK(all->server == "https://option.example");
    CHECK(all->retries == 0);
    std::filesystem::remove(path);
    CHECK(parsed({"departments"}, "", path).error().code == Errc::file_unreadable);
}

TEST_CASE("the way of a fetch is automatic, https or swarm, and sending has none") {
    CHECK(parsed({"fetch", "link"})->via == "auto");
    CHECK(parsed({"fetch", "link", "--via", "https"})->via == "https");
    CHECK(parsed({"fetch", "link", "--via", "swarm"})->via == "swarm");
    CHECK(parsed({"fetch", "link", "--via", "pigeon"}).error().detail == "--via");
    CHECK(parsed({"send", "a.pdf", "--via", "https"}).error().detail == "--via");
    for (const auto* shell : {"bash", "fish"}) {
        CHECK(completion_script(shell)->find("via") != std::string::npos);
    }
}

TEST_CASE("every command is in the help of both languages and in every completion") {
    for (const auto* command : {"trust", "departments", "send", "fetch", "inbox", "reply", "status",
                                "revoke", "expire", "resend", "report", "verify", "keygen",
                                "members", "passphrase", "completion", "version"}) {
        CAPTURE(command);
        CHECK(parsed({command}));
        for (const auto language : {Language::de, Language::en}) {
            const auto line = "\n  " + std::string{command};
            CHECK(help_text(language, Command::help).find(line) != std::string_view::npos);
        }
        for (const auto* shell : {"bash", "zsh", "fish"}) {
            CHECK(completion_script(shell)->find(command) != std::string::npos);
        }
    }
}

TEST_CASE("options of the other direction are taken where they belong, and nowhere else") {
    const std::vector<std::pair<std::string, std::vector<std::string>>> takers{
        {"--return-link-file", {"fetch", "report", "verify"}},
        {"--from-inbox", {"fetch", "report"}},
        {"--transfer", {"fetch"}},
        {"--to-transfer", {"reply"}},
        {"--to-citizen", {"send"}},
        {"--as-department", {"send"}},
        {"--save", {"fetch", "status"}},
        {"--html", {"status"}},
        {"--member", {"members"}},
        {"--wrap", {"send", "fetch", "inbox", "reply", "report", "verify"}},
        {"--epoch", {"keygen"}},
        {"--directory", {"verify", "members"}},
        {"--new-passphrase-file", {"members", "passphrase"}}};
    for (const auto& [option, commands] : takers) {
        for (const auto* command :
             {"trust", "send", "fetch", "inbox", "reply", "status", "revoke", "expire", "resend",
              "report", "verify", "keygen", "members", "passphrase"}) {
            CAPTURE(option, command);
            const bool takes =
                std::find(commands.begin(), commands.end(), command) != commands.end();
            const std::string value = option == "--to-citizen" ? "a@b.example" : "x";
            CHECK(parsed({command, option, value}).has_value() == takes);
        }
        for (const auto* shell : {"bash", "fish"}) {
            CHECK(completion_script(shell)->find(option.substr(2)) != std::string::npos);
        }
    }
    CHECK(parsed({"send", "a.pdf", "--password"})->password);
    CHECK(parsed({"fetch", "l", "--password"}).error().detail == "--password");
    CHECK(parsed({"keygen", "--escrow"})->escrow);
    CHECK(parsed({"members", "new", "--escrow"}).error().detail == "--escrow");
    CHECK(parsed({"keygen", "--clerk", "a@b.example"})->clerk == "a@b.example");
    CHECK(parsed({"expire", "r.json", "--days", "3"})->days == 3U);
    CHECK(parsed({"expire", "r.json", "--days", "0"}).error().detail == "--days");
    const auto send = parsed({"send", "a.pdf", "--notify-unfetched", "--remind-recipient"});
    CHECK(send->notify_unfetched);
    CHECK(send->remind_recipient);
    CHECK_FALSE(send->remember_days);
    CHECK(parsed({"send", "a.pdf", "--remember-days", "0"})->remember_days == 0U);
    CHECK(parsed({"send", "a.pdf", "--remember-days", "x"}).error().code == Errc::invalid_argument);
    CHECK(parsed({"fetch", "l", "--remember-days", "3"}).error().detail == "--remember-days");
}

TEST_CASE("there is a completion script for each shell and for no other") {
    for (const auto* shell : {"bash", "zsh", "fish"}) {
        CHECK(completion_script(shell)->find("plankurier") != std::string::npos);
    }
    CHECK(completion_script("csh").error().code == Errc::invalid_argument);
}

} // namespace plankurier::test::options_test
