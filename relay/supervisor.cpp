#include "relay/adapters/data_lock.hpp"
#include "relay/config_check.hpp"
#include "relay/roles.hpp"

#include "relay/pieces/server_tls.hpp"
#include "relay/swarm/process.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace plankurier::relay {

namespace {

/// No clock that somebody can set.
std::time_t seconds_now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

struct Child {
    const char* role;
    pid_t pid{-1};
    std::time_t started{};
    std::time_t next{};     ///< not started again before
    unsigned short_lives{}; ///< how many in a row
};

/// Seconds until a role that keeps ending is started again: 1 for the first three, then 2, 4 … 30.
std::time_t rest_after(unsigned short_lives) {
    constexpr unsigned patient = 3, doublings_max = 5;
    constexpr std::time_t rest_max = 30;
    if (short_lives <= patient) return 1;
    return std::min(rest_max, std::time_t{1} << std::min(short_lives - patient, doublings_max));
}

std::string end_text(int status) {
    if (WIFSIGNALED(status)) return "by signal " + std::to_string(WTERMSIG(status));
    return "with exit code " + std::to_string(WEXITSTATUS(status));
}

/// A role has ended: says so, and when it is started again.
void note_end(Child& child, int status) {
    constexpr std::time_t short_life = 3;
    const std::time_t now = seconds_now();
    child.pid = -1;
    child.short_lives = now - child.started < short_life ? child.short_lives + 1 : 0;
    const std::time_t rest = rest_after(child.short_lives);
    child.next = now + rest;
    if (child.short_lives > 1) {
        std::fprintf(stderr,
                     "serve: role %s ended %s, %u times in a row soon after its start (its own "
                     "message is above); starting it again in %ld s\n",
                     child.role, end_text(status).c_str(), child.short_lives,
                     static_cast<long>(rest));
    } else {
        std::fprintf(stderr, "serve: role %s ended %s, starting it again\n", child.role,
                     end_text(status).c_str());
    }
}

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
    child.started = seconds_now();
}

/// What does not keep the relay from running, but somebody from using it.
void warn_of_problems(const Config& config) {
    try {
        for (const std::string& one : config_problems(config)) {
            std::fprintf(stderr, "serve: %s\n", one.c_str());
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "serve: %s\n", error.what());
    }
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
    // Without them the pieces' process could only end again and again.
    static_cast<void>(pieces::server_tls(config.certificate, config.private_key));
    const auto lock = adapters::DataLock::take(config.data_dir);
    if (!lock) {
        throw std::runtime_error("a relay already runs with the data folder " +
                                 config.data_dir.string());
    }
    warn_of_problems(config);
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
                note_end(child, status);
            }
            if (child.pid < 0 && seconds_now() >= child.next) start(child, program, config.file);
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
