#include <clients/cli/echo_off.hpp>

#include <termios.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

namespace plankurier::cli {

namespace {

constexpr std::array caught = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGTSTP, SIGALRM,
                               SIGUSR1, SIGUSR2, SIGABRT, SIGXCPU, SIGXFSZ};

/// A signal handler can reach nothing but static storage. Written before the handlers are set.
struct Silence {
    termios before, silent;
    std::array<struct sigaction, caught.size()> actions;
    bool is_terminal;
    std::atomic<bool> has_resumed;
};
Silence& silence() noexcept {
    static constinit Silence one{};
    static_assert(std::atomic<bool>::is_always_lock_free);
    return one;
}

/// Not from the background: there the terminal is somebody else's, and asking for it would stop us.
void set_terminal(const termios& wanted) noexcept {
    const pid_t front = ::tcgetpgrp(STDIN_FILENO); // -1: nobody has it as a controlling terminal
    if (front < 0 || front == ::getpgrp()) ::tcsetattr(STDIN_FILENO, TCSANOW, &wanted);
}

void set_handlers(void (*handler)(int)) noexcept {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_NODEFER; // so that `raise` acts at once
    sigemptyset(&action.sa_mask);
    for (std::size_t at = 0; at < caught.size(); ++at) {
        ::sigaction(caught[at], &action, &silence().actions[at]);
    }
}

void restore_handlers() noexcept {
    for (std::size_t at = 0; at < caught.size(); ++at) {
        ::sigaction(caught[at], &silence().actions[at], nullptr);
    }
}

/// Only functions that POSIX calls async-signal-safe.
void on_signal(int number) {
    const int error = errno;
    set_terminal(silence().before);
    restore_handlers();
    ::raise(number); // ends, suspends, or takes note of the wish to stop
    if (number == SIGTSTP) {
        set_handlers(on_signal);
        set_terminal(silence().silent);
        silence().has_resumed = true;
    }
    errno = error;
}

} // namespace

EchoOff::EchoOff() {
    auto& state = silence();
    state.has_resumed = false;
    state.is_terminal = ::tcgetattr(STDIN_FILENO, &state.before) == 0;
    if (!state.is_terminal) return;
    state.silent = state.before;
    state.silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    set_handlers(on_signal);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &state.silent);
}

EchoOff::~EchoOff() {
    if (!silence().is_terminal) return;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silence().before);
    restore_handlers();
}

bool EchoOff::has_resumed() noexcept { return silence().has_resumed.exchange(false); }

} // namespace plankurier::cli
