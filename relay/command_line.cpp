#include "relay/command_line.hpp"

#include "relay/letters_apart.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

namespace plankurier::relay {

const char* const usage =
    R"(plankurier-relay: the authority's side of Plankurier

  init DIR [--authority NAME] [--host HOST] [--nginx]   make a relay's folder
  init DIR --control URL --control-key control.pub --host HOST
                                                        a relay for that control plane
  serve --config DIR/relay.toml                         run it (control plane and piece plane)
  node add --config C node.json                         register a further relay
  node list --config C
  node remove --config C ID [--lost]                    for good: others take over its transfers;
                                                        --lost: it never confirms what it deleted
  nginx --config C                                      write nginx's files anew, after relay.toml
                                                        was changed; then reload nginx
  directory add --config C RECORD.json                  take in a public record: of a department,
                                                        a clerk or the escrow key
  directory list --config C
  directory end --config C ID                           its keys end now (somebody has left)
  directory revoke --config C ID                        its keys count for nothing (one was lost)
  directory remove --config C ID
  directory build --config C --serial N [--days 30] [-o directory.json]
  directory install --config C --root F --signer-pub F --signer-minisig F
                    --directory-json F --directory-minisig F
  status --config C                                     counts, nothing personal; exit code 3:
                                                        look at the clock, or at what is lost;
                                                        4: the relay does not run
  bounce --config C [--maildir DIR]                     take in mails that came back (one on
                                                        standard input, or all of a folder)
  never remove --config C                               the address on standard input gets mail again
  purge --config C --now                                delete every transfer at once
  purge --config C --clock-ok                           accept a clock that jumped
  scrub --config C --now                                read and hash everything that is stored
  check-config --config C
  version
  help
)";

namespace {

namespace options = boost::program_options;

/// The verbs of a command, and how many words each has behind it.
struct Verb {
    std::string_view command, name;
    std::size_t words;
};
constexpr std::array verbs{
    Verb{"directory", "add", 1},     Verb{"directory", "list", 0},   Verb{"directory", "end", 1},
    Verb{"directory", "revoke", 1},  Verb{"directory", "remove", 1}, Verb{"directory", "build", 0},
    Verb{"directory", "install", 0}, Verb{"node", "add", 1},         Verb{"node", "list", 0},
    Verb{"node", "remove", 1},       Verb{"never", "remove", 0}};

constexpr std::array<std::string_view, 13> commands{
    "init",  "serve", "node",  "nginx",        "directory", "status", "bounce",
    "never", "purge", "scrub", "check-config", "version",   "help"};

std::string nearest(const std::string& typed) {
    constexpr std::size_t far = 3;
    const auto best = std::ranges::min_element(
        commands, {}, [&](std::string_view one) { return letters_apart(typed, one); });
    return letters_apart(typed, *best) < far ? std::string{*best} : std::string{};
}

/// Commands such as `directory add FILE`.
std::optional<std::string> mistake_of_verb(const CommandLine& line) {
    const std::string command = line.command();
    const std::string typed = line.words.size() > 1 ? line.words[1] : "";
    std::string known;
    for (const Verb& verb : verbs) {
        if (verb.command != command) continue;
        if (verb.name == typed && line.words.size() == verb.words + 2) return std::nullopt;
        if (verb.name == typed) {
            return command + " " + typed +
                   (verb.words == 0 ? " takes nothing else" : " needs one file or ID");
        }
        known += (known.empty() ? "" : ", ") + std::string{verb.name};
    }
    if (known.empty()) return std::nullopt;
    return (typed.empty() ? command + " needs one word more of: "
                          : command + " takes no word " + typed + ", only: ") +
           known;
}

std::optional<std::string> missing(const CommandLine& line, const std::string& command,
                                   std::initializer_list<const char*> needed) {
    for (const char* option : needed) {
        if (line.text(option).empty()) return command + " needs --" + option + " FILE";
    }
    return std::nullopt;
}

} // namespace

std::string CommandLine::text(const char* option) const {
    return options[option].as<std::string>();
}

CommandLine parse_command_line(int argc, char** argv) {
    options::options_description all;
    const auto text = [] { return options::value<std::string>()->default_value(""); };
    all.add_options()("config", text())("authority",
                                        options::value<std::string>()->default_value("Plankurier"))(
        "host", options::value<std::string>()->default_value("localhost"))("nginx", "")(
        "control", text())("control-key", text())("role", text())(
        "serial", options::value<std::uint64_t>()->default_value(0))(
        "days", options::value<std::int64_t>()->default_value(30))(
        "output,o", options::value<std::string>()->default_value("directory.json"))("root", text())(
        "signer-pub", text())("signer-minisig", text())("directory-json", text())(
        "directory-minisig", text())("maildir", text())("now", "")("clock-ok", "")("lost", "")(
        "help,h", "")("version", "")("words", options::value<std::vector<std::string>>());
    options::positional_options_description words;
    words.add("words", -1);
    CommandLine out;
    options::store(options::command_line_parser(argc, argv).options(all).positional(words).run(),
                   out.options);
    options::notify(out.options);
    if (out.has("words")) out.words = out.options["words"].as<std::vector<std::string>>();
    if (out.has("help")) out.words = {"help"};
    if (out.has("version")) out.words = {"version"};
    return out;
}

std::optional<std::string> mistake_of(const CommandLine& line) {
    const std::string command = line.command();
    if (command == "version" || command == "help") return std::nullopt;
    if (std::ranges::find(commands, command) == commands.end()) {
        const std::string near = nearest(command);
        return "there is no command " + command +
               (near.empty() ? "" : ", did you mean " + near + "?");
    }
    if (command == "init") {
        if (line.words.size() == 2) return std::nullopt;
        return "init needs one folder to make: plankurier-relay init DIR";
    }
    if (auto mistake = mistake_of_verb(line)) return mistake;
    if (auto mistake = missing(line, command, {"config"})) return mistake;
    const bool installs = command == "directory" && line.words[1] == "install";
    if (!installs) return std::nullopt;
    return missing(line, "directory install",
                   {"root", "signer-pub", "signer-minisig", "directory-json", "directory-minisig"});
}

} // namespace plankurier::relay
