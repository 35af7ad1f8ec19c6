#include <plankurier/files.hpp>

#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fstream>
#include <thread>

namespace plankurier::test::files_test {

namespace {

std::string content_of(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
std::size_t entries_of(const std::filesystem::path& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{folder}) ++count;
    return count;
}

} // namespace

TEST_CASE("many writers of one file leave one of the contents, whole, and nothing else") {
    const TempFolder folder;
    const auto path = folder.path() / "state.json";
    constexpr int writers = 4, rounds = 40;
    const auto content = [](int writer, int round) {
        return std::string(20'000, static_cast<char>('a' + writer)) + std::to_string(round);
    };
    std::vector<pid_t> children;
    for (int writer = 0; writer < writers; ++writer) {
        const auto child = ::fork();
        if (child == 0) {
            bool good = true;
            for (int round = 0; round < rounds; ++round) {
                good = good && !replace_file(path, as_bytes(content(writer, round)));
                const auto seen = content_of(path);
                good =
                    good && seen.size() >= 20'001 && seen.find_first_not_of(seen.front()) == 20'000;
            }
            ::_exit(good ? 0 : 1);
        }
        children.push_back(child);
    }
    for (const auto child : children) {
        int status = -1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    CHECK(entries_of(folder.path()) == 1);
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("of many that create one file exactly one succeeds") {
    const TempFolder folder;
    const auto path = folder.path() / "key";
    std::atomic<int> made{0}, refused{0};
    {
        std::vector<std::jthread> threads;
        for (int number = 0; number < 8; ++number) {
            threads.emplace_back([&, number] {
                const auto failed = create_file(path, as_bytes(std::to_string(number)));
                if (!failed) ++made;
                if (failed == std::errc::file_exists) ++refused;
            });
        }
    }
    CHECK(made == 1);
    CHECK(refused == 7);
    CHECK(entries_of(folder.path()) == 1);
}

TEST_CASE("what a crash left is removed, what a living process writes is not") {
    const TempFolder folder;
    const auto left = folder.path() / ".plankurier-00112233445566aa.new";
    const auto busy = folder.path() / ".plankurier-00112233445566bb.new";
    const auto foreign = folder.path() / "plan.new";
    for (const auto& path : {left, busy, foreign}) std::ofstream{path} << "secret";
    const int lock = ::open(busy.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(lock >= 0);
    REQUIRE(::flock(lock, LOCK_EX) == 0);
    REQUIRE_FALSE(replace_file(folder.path() / "state.json", as_bytes("new")));
    CHECK_FALSE(std::filesystem::exists(left));
    CHECK(std::filesystem::exists(busy));
    CHECK(content_of(foreign) == "secret");
    ::close(lock);
}

TEST_CASE("a folder that cannot be written says why, and keeps the old content") {
    CHECK(file_error(ENOSPC).code == Errc::no_space);
    CHECK(file_error(EEXIST).code == Errc::exists);
    CHECK(file_error(EROFS).detail == file_reason::read_only);
    CHECK(file_error(EMFILE).detail == file_reason::open_files);
    const TempFolder folder;
    CHECK(replace_file(folder.path() / "none" / "file", as_bytes("x")) ==
          std::errc::no_such_file_or_directory);
    std::filesystem::create_directory(folder.path() / "taken");
    CHECK(replace_file(folder.path() / "taken", as_bytes("x")));
    CHECK(entries_of(folder.path()) == 1);
}

} // namespace plankurier::test::files_test
