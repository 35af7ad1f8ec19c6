#include "relay/roles.hpp"

#include "relay/swarm/process.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace plankurier::relay {

namespace {

struct Child {
    const char* role;
    pid_t pid{-1};
    std::time_t started{};
};

/// People's addresses pass through the control plane, in texts of many libraries. There the C
/// library writes over what is freed; its cache for each thread would keep it as it is. The other
/// roles see sealed bytes only, and need their speed.
void wipe_what_is_freed(std::string_view role) {
    if (role != "control") return;
    ::setenv("GLIBC_TUNABLES", "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0", 1);
}

void start(Child& child, const std::filesystem::path& program, const std::filesystem::path& file) {
    const pid_t supervisor = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM); // no role outlives its supervisor
        if (::getppid() != supervisor) ::_exit(1);
        wipe_what_is_freed(child.role);
        ::execl(program.c_str(), "plankurier-relay", "serve", "--config", file.c_str(), "--role",
                child.role, static_cast<char*>(nullptr));
        ::_exit(127);
    }
    child.pid = pid;
    child.started = std::time(nullptr);
}

std::vector<Child> children_for(const Config& config, bool without_control) {
    std::vector<Child> out;
    if (config.control_url.empty() && !without_control) out.push_back(Child{"control"});
    out.push_back(Child{"pieces"});
    if (!config.swarm_enabled) return out;
    out.push_back(Child{"swarm"});
    // A session of its own, because an address filter holds for a whole session.
    if (!config.trusted_networks.empty()) out.push_back(Child{"swarm-plain"});
    return out;
}

} // namespace

int run_swarm_role(const Config& config, bool tls) {
    swarm::ProcessSettings settings;
    settings.socket = config.data_dir / "swarm.sock";
    settings.swarm.listen_address = config.swarm_listen;
    settings.swarm.port = tls ? config.swarm_port : config.swarm_plain_port;
    settings.swarm.tls = tls;
    if (!tls) settings.swarm.peers_allowed = config.trusted_networks;
    return swarm::run_swarm(settings);
}

int run_supervisor(const std::filesystem::path& program, const Config& config,
                   bool without_control) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int one : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&signals, one);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    std::vector<Child> children = children_for(config, without_control);
    for (Child& child : children) start(child, program, config.file);
    for (;;) {
        const timespec second{1, 0};
        const int signal = sigtimedwait(&signals, nullptr, &second);
        if (signal == SIGTERM || signal == SIGINT) break;
        for (Child& child : children) {
            int status = 0;
            if (child.pid > 0 && ::waitpid(child.pid, &status, WNOHANG) == child.pid) {
                std::fprintf(stderr, "serve: role %s ended, starting it again\n", child.role);
                child.pid = -1;
            }
            // A role that dies at once is started at most once a second.
            if (child.pid < 0 && std::time(nullptr) > child.started) {
                start(child, program, config.file);
            }
        }
    }
    for (const Child& child : children) {
        if (child.pid > 0) ::kill(child.pid, SIGTERM);
    }
    for (const Child& child : children) {
        if (child.pid > 0) ::waitpid(child.pid, nullptr, 0);
    }
    return 0;
}

} // namespace plankurier::relay
