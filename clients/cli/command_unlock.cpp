// A passphrase once a day: the key stays unlocked in an agent (key_agent.hpp).
#include <clients/cli/commands.hpp>

#include <clients/cli/inbox.hpp>
#include <clients/cli/key_agent.hpp>
#include <clients/cli/outputs.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <cstdlib>

namespace plankurier::cli {

namespace {

/// A process of its own that outlives this one, with no terminal and no folder of anybody's.
void leave_terminal() {
    ::setsid();
    const FileHandle nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::dup2(nothing.get(), stream);
    }
    static_cast<void>(!::chdir("/"));
}

/// In the child, for as long as the key is unlocked; never returns.
[[noreturn]] void be_agent(KeyAgent& agent, OpenedKeyFile key, std::chrono::seconds life,
                           int ready) {
    auto seed = LockedSeed::hold(key.seed);
    const auto type = key.type;
    { const auto wiped = std::move(key); }
    const char told = seed ? 'y' : 'n';
    static_cast<void>(!::write(ready, &told, 1));
    ::close(ready);
    if (seed) {
        leave_terminal();
        agent.serve(std::move(*seed), type, life, {});
    }
    { const auto gone = std::move(agent); }
    ::_exit(0);
}

Result<void> unlock(const Options& options, Console& console) {
    const auto asked = need(options, console, "--key", options.key).and_then([&] {
        return no_argument(options, console);
    });
    if (!asked) return asked;
    const auto file =
        naming(console, {"--key", options.key}, read_small_file(options.key, "key file"));
    if (!file) return tl::unexpected(file.error());
    const auto socket = agent_socket(as_bytes(*file));
    // Asks for the passphrase, also when it is unlocked already: from now on the time counts anew.
    auto key = read_key_file({"--key", options.key}, options, console);
    if (!key) return tl::unexpected(key.error());
    lock_key(as_bytes(*file));
    auto agent = KeyAgent::listen(socket);
    if (!agent) return tl::unexpected(agent.error());
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) return fail(Errc::unsupported, "pipe");
    const auto child = ::fork();
    if (child < 0) return fail(Errc::unsupported, "fork");
    if (child == 0) be_agent(*agent, std::move(*key), options.unlock_time, ready[1]);
    agent->leave_to_child();
    ::close(ready[1]);
    char told = 0;
    const bool locked_in = ::read(ready[0], &told, 1) == 1 && told == 'y';
    ::close(ready[0]);
    if (!locked_in) {
        console.warn(Text::memory_not_locked);
        return fail(Errc::unsupported, "mlock");
    }
    const auto until = unix_now() + options.unlock_time.count();
    console.say(Text::key_unlocked, {time_text(console.language(), until)});
    console.event("unlocked", {{"until", until}});
    return {};
}

Result<void> lock(const Options& options, Console& console) {
    if (auto none = no_argument(options, console); !none) return none;
    const auto count = lock_keys();
    console.say(count == 0 ? Text::nothing_unlocked : Text::keys_locked);
    console.event("locked", {{"keys", static_cast<std::int64_t>(count)}});
    return {};
}

} // namespace

Exit run_unlock(const Options& options, Console& console) {
    return conclude(console, unlock(options, console));
}

Exit run_lock(const Options& options, Console& console) {
    return conclude(console, lock(options, console));
}

} // namespace plankurier::cli
