// One relay for each data folder.
#include "relay/adapters/data_lock.hpp"

#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <optional>
#include <system_error>

namespace plankurier::test::data_lock_test {

using relay::adapters::DataLock;

TEST_CASE("a data folder has one relay, and is free again when that one has ended") {
    const TempFolder folder;
    CHECK_FALSE(DataLock::is_held(folder.path()));
    {
        const auto lock = DataLock::take(folder.path());
        REQUIRE(lock);
        CHECK(DataLock::is_held(folder.path()));
        CHECK_FALSE(DataLock::take(folder.path()));
    }
    CHECK_FALSE(DataLock::is_held(folder.path()));
    CHECK(DataLock::take(folder.path()));
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a program that the holder started does not keep the lock") {
    const TempFolder folder;
    std::optional<DataLock> lock{DataLock::take(folder.path())};
    REQUIRE(lock);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::execl("/bin/sleep", "sleep", "60", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    lock.reset();
    CHECK(DataLock::take(folder.path()));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

TEST_CASE("a folder that is not there has no lock") {
    const TempFolder folder;
    CHECK_THROWS_AS(DataLock::take(folder.path() / "none"), std::system_error);
    CHECK_THROWS_AS(DataLock::is_held(folder.path() / "none"), std::system_error);
}

} // namespace plankurier::test::data_lock_test
