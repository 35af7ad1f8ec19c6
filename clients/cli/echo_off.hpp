#pragma once
/// Where a person types, and typing that nobody sees. One thread.

namespace plankurier::cli {

/// Standard input when that is a terminal, else the one that the program was started from: standard
/// input may be a message.
class TypingTerminal {
public:
    TypingTerminal() noexcept;
    ~TypingTerminal();
    TypingTerminal(const TypingTerminal&) = delete;
    TypingTerminal& operator=(const TypingTerminal&) = delete;
    /// -1: there is none.
    [[nodiscard]] int get() const noexcept { return fd_; }
    /// False also in the background of the terminal that would be opened for it: who reads there is
    /// stopped until somebody comes.
    [[nodiscard]] bool can_ask() const noexcept;

private:
    int fd_;
};

/// The terminal shows nothing of what is typed while this lives; one object at a time. However the
/// program ends or is suspended meanwhile (by SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP and their
/// like; nobody can act on SIGKILL and SIGSTOP), the terminal is as before; when it goes on, it
/// is silent again.
class EchoOff {
public:
    EchoOff();
    ~EchoOff();
    EchoOff(const EchoOff&) = delete;
    EchoOff& operator=(const EchoOff&) = delete;
    /// True once after the program went on again: the question has to be shown anew.
    [[nodiscard]] static bool has_resumed() noexcept;

private:
    TypingTerminal terminal_;
};

} // namespace plankurier::cli
