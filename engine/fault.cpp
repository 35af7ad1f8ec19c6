#include <plankurier/fault.hpp>

#ifdef PLANKURIER_FAULTS

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <system_error>

namespace plankurier {

namespace {

struct Plan {
    std::string name, action;
    unsigned hit{1};
};

Plan plan_from_environment() {
    Plan plan;
    const char* const text = std::getenv("PLANKURIER_FAULT");
    if (text == nullptr) return plan;
    const std::string all{text};
    const std::size_t equals = all.find('=');
    const std::size_t at = all.find('@', equals);
    if (equals == std::string::npos || at == std::string::npos) return plan;
    plan.name = all.substr(0, equals);
    plan.action = all.substr(equals + 1, at - equals - 1);
    plan.hit = static_cast<unsigned>(std::strtoul(all.c_str() + at + 1, nullptr, 10));
    return plan;
}

/// True when the fault may act: always, or only for the one who takes the token away.
bool take_token() {
    const char* const path = std::getenv("PLANKURIER_FAULT_ONCE");
    return path == nullptr || ::unlink(path) == 0;
}

void note(const char* name) {
    const char* const path = std::getenv("PLANKURIER_FAULT_LOG");
    if (path == nullptr) return;
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    const std::string line = std::string{name} + "\n";
    const auto written = ::write(fd, line.data(), line.size()); // one write: whole lines
    static_cast<void>(written);
    ::close(fd);
}

} // namespace

void fault_point(const char* name) {
    static const Plan plan = plan_from_environment();
    static std::mutex mutex; // guards hits
    static std::map<std::string, unsigned> hits;
    unsigned hit = 0;
    {
        const std::scoped_lock lock{mutex};
        hit = ++hits[name];
        if (hit == 1) note(name);
    }
    if (plan.name != name || hit != plan.hit || !take_token()) return;
    if (plan.action == "kill") ::raise(SIGKILL);
    if (plan.action == "enospc") throw std::system_error{ENOSPC, std::generic_category(), name};
    if (plan.action == "eio") throw std::system_error{EIO, std::generic_category(), name};
}

} // namespace plankurier

#endif
