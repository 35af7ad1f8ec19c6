#include "tests/support/child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace plankurier::test {

namespace {

std::vector<std::string> environment_with(const Environment& variables) {
    std::vector<std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text{*entry};
        if (!variables.contains(text.substr(0, text.find('=')))) out.push_back(text);
    }
    for (const auto& [name, value] : variables) out.push_back(name + "=" + value);
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

} // namespace

ChildEnd run_child(const std::string& test_case, const Environment& variables) {
    std::string name;
    for (const char c : test_case) {
        if (c == ',') name += '\\'; // else it would separate two names
        name += c;
    }
    std::vector<std::string> arguments{"/proc/self/exe", name, "--warn", "NoTests"};
    std::vector<std::string> environment = environment_with(variables);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    // The parent's report is the one to read; what goes wrong in a child is said on stderr.
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid{};
    const int failed = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr,
                                     pointers(arguments).data(), pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), "spawn");
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "wait");
    }
    if (WIFSIGNALED(status)) return {WTERMSIG(status), 0};
    return {0, WEXITSTATUS(status)};
}

std::string from_parent(const char* variable) {
    const char* const value = std::getenv(variable);
    if (value == nullptr) throw std::runtime_error("this test runs only as a child of another");
    return value;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::vector<std::string> out;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

} // namespace plankurier::test
