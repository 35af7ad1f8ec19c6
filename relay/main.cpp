#include "relay/adapters/files.hpp"
#include "relay/command_line.hpp"
#include "relay/config_check.hpp"
#include "relay/mail_commands.hpp"
#include "relay/nginx_files.hpp"
#include "relay/node_commands.hpp"
#include "relay/pieces/run.hpp"
#include "relay/requests.hpp"
#include "relay/roles.hpp"
#include "relay/space_watch.hpp"
#include "relay/status_command.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>
#include <fstream>
#include <iostream>

namespace {

using namespace plankurier::relay;

/// Nothing of this process may end in a core file or another user's hands.
void harden() {
    ::prctl(PR_SET_DUMPABLE, 0);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::umask(0077);
    std::signal(SIGPIPE, SIG_IGN);
}

int serve(const boost::program_options::variables_map& map, const Config& config) {
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

int directory(const boost::program_options::variables_map& map, const Config& config,
              const std::vector<std::string>& words) {
    const std::string& verb = words[1];
    const auto file = [&](const char* option) { return map[option].as<std::string>(); };
    if (verb == "add") {
        directory_add(config, words[2]);
    } else if (verb == "list") {
        directory_list(config, std::cout);
    } else if (verb == "end") {
        directory_end(config, words[2]);
    } else if (verb == "revoke") {
        directory_revoke(config, words[2]);
    } else if (verb == "remove") {
        directory_remove(config, words[2]);
    } else if (verb == "build") {
        directory_build(config, map["serial"].as<std::uint64_t>(), map["days"].as<std::int64_t>(),
                        file("output"));
    } else {
        directory_install(config, file("root"), file("signer-pub"), file("signer-minisig"),
                          file("directory-json"), file("directory-minisig"));
        leave_request(config, "reload");
    }
    return 0;
}

int node(const boost::program_options::variables_map& map, const Config& config,
         const std::vector<std::string>& words) {
    const std::string& verb = words[1];
    if (verb == "add") {
        node_add(config, words[2]);
    } else if (verb == "list") {
        node_list(config, std::cout);
    } else {
        node_remove(config, words[2], map.count("lost") != 0);
    }
    return 0;
}

int init(const boost::program_options::variables_map& map, const std::string& folder) {
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

int scrub(const boost::program_options::variables_map& map, const Config& config) {
    if (map.count("now") == 0) {
        std::cerr << "scrub: say --now; without it everything is read within pieces.scrub_days\n";
        return 2;
    }
    ask_running_relay(config, "scrub");
    std::cout << "the running relay reads everything, at most " << config.scrub_mb_per_s
              << " MB a second; damage is copied again and counted in `status`\n";
    return 0;
}

int purge(const boost::program_options::variables_map& map, const Config& config) {
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
int bounce(const boost::program_options::variables_map& map) {
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

int never(const Config& config) {
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

int refuse_line(const std::string& why) {
    std::cerr << "plankurier-relay: " << why << "\nAll commands: plankurier-relay help\n";
    return 2;
}

int run(int argc, char** argv) {
    const CommandLine line = parse_command_line(argc, argv);
    const auto& map = line.options;
    const auto& words = line.words;
    const std::string command = line.command();
    if (command.empty()) {
        std::cerr << usage;
        return 2;
    }
    if (const auto mistake = mistake_of(line)) return refuse_line(*mistake);
    if (command == "help") {
        std::cout << usage;
        return 0;
    }
    if (command == "version") {
        std::cout << "plankurier-relay 0.1.0\n";
        return 0;
    }
    if (command == "init") return init(map, words[1]);
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
    if (command == "never") return never(config);
    if (command == "check-config") return check_config(config);
    return show_status(config, std::cout, std::cerr);
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
    } catch (const boost::program_options::error& error) {
        return refuse_line(error.what());
    } catch (const std::exception& error) {
        std::cerr << "plankurier-relay: " << error.what() << "\n";
        return 1;
    }
}
