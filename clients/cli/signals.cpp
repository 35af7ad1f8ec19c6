#include <clients/cli/signals.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

namespace plankurier::cli {

namespace {
// A signal handler can reach nothing but static storage.
std::atomic<int>& stop_flag() noexcept {
    static constinit std::atomic<int> flag{0};
    static_assert(std::atomic<int>::is_always_lock_free);
    return flag;
}

void on_signal(int number) {
    stop_flag().store(1);
    if (number == SIGINT) std::signal(SIGINT, SIG_DFL);
}
} // namespace

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a file that grows too large is an error of that write
}

bool interrupted() noexcept { return stop_flag().load() != 0; }

bool pause_for(std::chrono::milliseconds duration) {
    using namespace std::chrono;
    const auto end = steady_clock::now() + duration;
    while (!interrupted()) {
        const auto left = duration_cast<milliseconds>(end - steady_clock::now());
        if (left <= 0ms) return true;
        std::this_thread::sleep_for(std::min(left, milliseconds{50}));
    }
    return false;
}

void forbid_dumps() noexcept {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
}

} // namespace plankurier::cli
