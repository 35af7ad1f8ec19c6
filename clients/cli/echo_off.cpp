#include <clients/cli/echo_off.hpp>

#include <fcntl.h>
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
    int terminal;
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
    const int terminal = silence().terminal;
    const pid_t front = ::tcgetpgrp(terminal); // -1: nobody has it as a controlling terminal
    if (front < 0 || front == ::getpgrp()) ::tcsetattr(terminal, TCSANOW, &wanted);
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

TypingTerminal::TypingTerminal() noexcept
    : fd_(::isatty(STDIN_FILENO) == 1 ? STDIN_FILENO
                                      : ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}

TypingTerminal::~TypingTerminal() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
}

bool TypingTerminal::can_ask() const noexcept {
    return fd_ == STDIN_FILENO || (fd_ > STDIN_FILENO && ::tcgetpgrp(fd_) == ::getpgrp());
}

EchoOff::EchoOff() {
    auto& state = silence();
    state.has_resumed = false;
    state.terminal = terminal_.get();
    state.is_terminal = ::tcgetattr(state.terminal, &state.before) == 0;
    if (!state.is_terminal) return;
    state.silent = state.before;
    state.silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    set_handlers(on_signal);
    ::tcsetattr(state.terminal, TCSAFLUSH, &state.silent);
}

EchoOff::~EchoOff() {
    if (!silence().is_terminal) return;
    ::tcsetattr(terminal_.get(), TCSAFLUSH, &silence().before);
    restore_handlers();
}

bool EchoOff::has_resumed() noexcept { return silence().has_resumed.exchange(false); }

} // namespace plankurier::cli
