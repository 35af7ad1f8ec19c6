#include "relay/adapters/files.hpp"
#include "relay/config_check.hpp"
#include "relay/mail_commands.hpp"
#include "relay/nginx_files.hpp"
#include "relay/node_commands.hpp"
#include "relay/pieces/run.hpp"
#include "relay/requests.hpp"
#include "relay/roles.hpp"
#include "relay/space_watch.hpp"
#include "relay/status_command.hpp"

#include <boost/program_options.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>
#include <fstream>
#include <iostream>

namespace {

namespace options = boost::program_options;
using namespace plankurier::relay;

constexpr const char* usage =
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
)";

/// Nothing of this process may end in a core file or another user's hands.
void harden() {
    ::prctl(PR_SET_DUMPABLE, 0);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::umask(0077);
    std::signal(SIGPIPE, SIG_IGN);
}

options::variables_map parse(int argc, char** argv) {
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
        "help,h", "")("words", options::value<std::vector<std::string>>());
    options::positional_options_description words;
    words.add("words", -1);
    options::variables_map map;
    options::store(options::command_line_parser(argc, argv).options(all).positional(words).run(),
                   map);
    options::notify(map);
    return map;
}

int serve(const options::variables_map& map, const Config& config) {
    const std::string role = map["role"].as<std::string>();
    // What administrators see in top: "relay control" and "relay pieces".
    if (!role.empty()) ::prctl(PR_SET_NAME, ("relay " + role).c_str());
    if (role == "control") return run_control(config);
    if (role == "pieces") {
        const auto keys = config.keys();
        constexpr std::uint64_t mb = 1'000'000;
        pieces::PiecesConfig wanted{
            config.data_dir,      config.pieces_listen,    config.pieces_port, config.certificate,
            config.private_key,   config.control_socket,   config.control_url, config.control_ca,
            config.swarm_enabled, config.trusted_networks, keys / "relay.id",  keys / "relay.seed",
            keys / "control.pub"};
        wanted.lines = config.lines;
        wanted.pieces_dir = config.pieces_dir;
        wanted.reserve_bytes = config.reserve_bytes;
        wanted.scrub_days = config.scrub_days;
        wanted.scrub_bytes_per_s = static_cast<std::uint64_t>(config.scrub_mb_per_s) * mb;
        wanted.heal_bytes_per_s = static_cast<std::uint64_t>(config.heal_mb_per_s) * mb;
        return pieces::run_pieces(wanted);
    }
    if (role == "swarm" || role == "swarm-plain") return run_swarm_role(config, role == "swarm");
    if (!role.empty() && role != "relay") {
        throw std::runtime_error("--role is control, pieces, swarm, swarm-plain or relay");
    }
    return run_supervisor("/proc/self/exe", config, role == "relay");
}

int directory(const options::variables_map& map, const Config& config,
              const std::vector<std::string>& words) {
    const std::string verb = words.size() > 1 ? words[1] : "";
    const auto file = [&](const char* option) { return map[option].as<std::string>(); };
    if (verb == "add" && words.size() == 3) {
        directory_add(config, words[2]);
    } else if (verb == "list") {
        directory_list(config, std::cout);
    } else if (verb == "end" && words.size() == 3) {
        directory_end(config, words[2]);
    } else if (verb == "revoke" && words.size() == 3) {
        directory_revoke(config, words[2]);
    } else if (verb == "remove" && words.size() == 3) {
        directory_remove(config, words[2]);
    } else if (verb == "build") {
        directory_build(config, map["serial"].as<std::uint64_t>(), map["days"].as<std::int64_t>(),
                        file("output"));
    } else if (verb == "install") {
        directory_install(config, file("root"), file("signer-pub"), file("signer-minisig"),
                          file("directory-json"), file("directory-minisig"));
        leave_request(config, "reload");
    } else {
        std::cerr << usage;
        return 2;
    }
    return 0;
}

int node(const options::variables_map& map, const Config& config,
         const std::vector<std::string>& words) {
    const std::string verb = words.size() > 1 ? words[1] : "";
    if (verb == "add" && words.size() == 3) {
        node_add(config, words[2]);
    } else if (verb == "list" && words.size() == 2) {
        node_list(config, std::cout);
    } else if (verb == "remove" && words.size() == 3) {
        node_remove(config, words[2], map.count("lost") != 0);
    } else {
        std::cerr << usage;
        return 2;
    }
    return 0;
}

int init(const options::variables_map& map, const std::string& folder) {
    const std::string host = map["host"].as<std::string>();
    const std::string control = map["control"].as<std::string>();
    if (control.empty()) {
        init_folder(folder, map["authority"].as<std::string>(), host, map.count("nginx") != 0);
    } else {
        init_relay_folder(folder, control, map["control-key"].as<std::string>(), host);
        std::cout << "on the control plane: plankurier-relay node add --config C node.json\n";
    }
    std::cout << "made " << folder << "; next: put a TLS certificate into tls/, then\n"
              << "  plankurier-relay serve --config " << folder << "/relay.toml\n";
    return 0;
}

int scrub(const options::variables_map& map, const Config& config) {
    if (map.count("now") == 0) {
        std::cerr << "scrub: say --now; without it everything is read within pieces.scrub_days\n";
        return 2;
    }
    ask_running_relay(config, "scrub");
    std::cout << "the running relay reads everything, at most " << config.scrub_mb_per_s
              << " MB a second; damage is copied again and counted in `status`\n";
    return 0;
}

int purge(const options::variables_map& map, const Config& config) {
    if (map.count("now") != 0) ask_running_relay(config, "purge");
    if (map.count("clock-ok") != 0) {
        if (config.control_url.empty()) ask_running_relay(config, "clock");
        ask_running_relay(config, "clock.relay");
    }
    if (map.count("now") + map.count("clock-ok") == 0) {
        std::cerr << "purge: say --now (delete every transfer) or --clock-ok\n";
        return 2;
    }
    std::cout << "the running relay does it within a second; see `status`\n";
    return 0;
}

/// What root writes into another user's data folder the relay could not read.
void refuse_root(const Config& config, const std::vector<std::string>& words) {
    const auto owner = other_owner(config, ::geteuid());
    if (!owner) return;
    std::string command;
    for (const std::string& word : words) command += " " + word;
    throw std::runtime_error("the data folder belongs to " + *owner +
                             ", who could not read what root writes there: run it as runuser -u " +
                             *owner + " -- plankurier-relay" + command + " …");
}

/// Behind a mail server's pipe, where whatever cannot be done now has to be tried again: any other
/// exit code would lose the mail, since nobody gets a bounce of a bounce.
int bounce(const options::variables_map& map) {
    constexpr int try_again = 75; // EX_TEMPFAIL of sysexits.h
    try {
        const Config config = load_config(map["config"].as<std::string>());
        refuse_root(config, {"bounce"});
        const std::string maildir = map["maildir"].as<std::string>();
        if (maildir.empty()) {
            // Not ours, or no failure: nothing to do, and nothing to send back to a mail server.
            static_cast<void>(take_bounce(config, std::cin));
        } else {
            std::cout << take_bounces(config, maildir) << " mails came back for good\n";
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "plankurier-relay: " << error.what() << "\n";
        return try_again;
    }
}

int never(const Config& config, const std::vector<std::string>& words) {
    if (words.size() != 2 || words[1] != "remove") {
        std::cerr << usage;
        return 2;
    }
    std::cout << (remove_never(config, std::cin) ? "gets mail again\n" : "was not on the list\n");
    return 0;
}

int check_config(const Config& config) {
    const auto problems = config_problems(config);
    for (const std::string& one : problems) std::cerr << "plankurier-relay: " << one << "\n";
    if (!problems.empty()) return 1;
    std::cout << "the configuration is good\n";
    if (const auto warning = space_warning(config)) std::cout << "but " << *warning << "\n";
    return 0;
}

int run(int argc, char** argv) {
    const options::variables_map map = parse(argc, argv);
    const auto words = map.count("words") != 0 ? map["words"].as<std::vector<std::string>>()
                                               : std::vector<std::string>{};
    const std::string command = words.empty() ? "" : words[0];
    if (command == "version") {
        std::cout << "plankurier-relay 0.1.0\n";
        return 0;
    }
    if (command == "init" && words.size() == 2) return init(map, words[1]);
    if (map.count("help") != 0 || map["config"].as<std::string>().empty()) {
        std::cerr << usage;
        return map.count("help") != 0 ? 0 : 2;
    }
    if (command == "bounce") return bounce(map);
    const Config config = load_config(map["config"].as<std::string>());
    const bool reads_only = command == "status" || command == "check-config" ||
                            (words.size() > 1 && words[1] == "list");
    if (!reads_only) refuse_root(config, words);
    if (command == "serve") return serve(map, config);
    if (command == "directory") return directory(map, config, words);
    if (command == "node") return node(map, config, words);
    if (command == "nginx") {
        write_nginx_files(config);
        std::cout << "written; now reload nginx\n";
        return 0;
    }
    if (command == "purge") return purge(map, config);
    if (command == "scrub") return scrub(map, config);
    if (command == "never") return never(config, words);
    if (command == "check-config") return check_config(config);
    if (command == "status") {
        return show_status(config, std::cout, std::cerr);
    }
    std::cerr << usage;
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    harden();
    try {
        const int exit = run(argc, argv);
        // What was printed must have arrived: an empty status file is worse than an error.
        if (std::cout.flush()) return exit;
        std::cerr << "plankurier-relay: the output could not be written\n";
        return exit != 0 ? exit : 1;
    } catch (const std::exception& error) {
        std::cerr << "plankurier-relay: " << error.what() << "\n";
        return 1;
    }
}
