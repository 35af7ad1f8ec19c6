#include "relay/roles.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>
#include <system_error>

namespace plankurier::relay {

namespace {

struct Child {
    const char* role;
    pid_t pid{-1};
    std::time_t started{};
};

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
        ::execl(program.c_str(), "plankurier-relay", "serve", "--config", file.c_str(), "--role",
                child.role, static_cast<char*>(nullptr));
        ::_exit(127);
    }
    child.pid = pid;
    child.started = std::time(nullptr);
}

} // namespace

int run_supervisor(const std::filesystem::path& program, const Config& config) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int one : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&signals, one);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    std::array children{Child{"control"}, Child{"pieces"}};
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
