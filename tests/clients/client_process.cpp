#include "tests/clients/client_process.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fstream>
#include <iterator>

namespace plankurier::test {

namespace {

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// The near end of a pseudo-terminal. Its far end is opened by the child.
class Terminal {
public:
    Terminal() : fd_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        REQUIRE(fd_ >= 0);
        REQUIRE(::grantpt(fd_) == 0);
        REQUIRE(::unlockpt(fd_) == 0);
        name_ = ::ptsname(fd_);
        // As long as one far end is open, reading ends with the child and not before it begins.
        far_ = ::open(name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        REQUIRE(far_ >= 0);
    }
    ~Terminal() {
        ::close(far_);
        ::close(fd_);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    [[nodiscard]] const std::string& name() const { return name_; }

    /// What is shown until the child has ended.
    std::string read_until_end(pid_t child, int& status) {
        std::string shown;
        for (bool ended = false;;) {
            pollfd waiting{fd_, POLLIN, 0};
            if (::poll(&waiting, 1, ended ? 0 : 50) > 0) {
                std::array<char, 4'096> buffer{};
                const auto got = ::read(fd_, buffer.data(), buffer.size());
                if (got > 0) shown.append(buffer.data(), static_cast<std::size_t>(got));
            } else if (ended) {
                return shown;
            }
            ended = ended || ::waitpid(child, &status, WNOHANG) == child;
        }
    }

private:
    int fd_, far_{-1};
    std::string name_;
};

} // namespace

ClientRun run_client(const std::vector<std::string>& arguments, const Environment& variables,
                     const std::filesystem::path& folder, bool terminal) {
    const std::string program = PLANKURIER_BINARY_DIR "/clients/cli/plankurier";
    std::vector<std::string> words{program}, settings;
    words.insert(words.end(), arguments.begin(), arguments.end());
    for (const auto& [key, value] : variables) settings.push_back(key + "=" + value);
    auto argv = pointers(words);
    auto envp = pointers(settings);
    const auto out = folder / "stdout", err = folder / "stderr";
    std::optional<Terminal> shown;
    if (terminal) shown.emplace();
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    constexpr int writing = O_WRONLY | O_CREAT | O_TRUNC;
    const std::string in_path = shown ? shown->name() : "/dev/null";
    const std::string err_path = shown ? shown->name() : err.string();
    posix_spawn_file_actions_addopen(&actions, 0, in_path.c_str(), O_RDWR, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), writing, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err_path.c_str(), shown ? O_RDWR : writing, 0600);
    pid_t child = 0;
    const int failed =
        ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    REQUIRE(failed == 0);
    ClientRun run;
    int status = 0;
    if (shown) {
        run.err = shown->read_until_end(child, status);
    } else {
        REQUIRE(::waitpid(child, &status, 0) == child);
        run.err = content_of(err);
    }
    run.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    run.out = content_of(out);
    return run;
}

} // namespace plankurier::test
