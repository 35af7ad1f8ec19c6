#pragma once
/// Typing that nobody sees. One object at a time; one thread.

namespace plankurier::cli {

/// The terminal of standard input shows nothing of what is typed while this lives. However the
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
};

} // namespace plankurier::cli
