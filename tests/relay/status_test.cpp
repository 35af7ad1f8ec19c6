// What `status` tells an administrator and a monitoring program.
#include "relay/status_command.hpp"

#include "relay/adapters/data_lock.hpp"
#include "relay/requests.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <optional>
#include <sstream>

namespace plankurier::test::status_test {

namespace {

struct Status {
    TempFolder folder;
    relay::Config config;
    std::ostringstream out, trouble;

    std::optional<relay::adapters::DataLock> running;

    Status() {
        config.data_dir = folder.path();
        running.emplace(*relay::adapters::DataLock::take(folder.path()));
    }
    void write(const char* file, const std::string& text) const {
        std::ofstream{folder.path() / file} << text;
    }
    int show() { return relay::show_status(config, out, trouble); }
};

} // namespace

TEST_CASE("status prints what both processes wrote, and is calm when all is well") {
    Status status;
    CHECK_THROWS(status.show());
    status.write("status", "available 3\nclock_trusted 1\nclock_ahead_s 2\n");
    status.write("status.relay", "relay_clock_trusted 1\nrelay_clock_ahead_s 2\n");
    CHECK(status.show() == 0);
    CHECK(status.out.str() == "available 3\nclock_trusted 1\nclock_ahead_s 2\n"
                              "relay_clock_trusted 1\nrelay_clock_ahead_s 2\n"
                              "piece_index_unreadable 0\n");
    CHECK(status.trouble.str().empty());
}

TEST_CASE("a clock that is not trusted has an exit code of its own, and a way out") {
    Status status;
    const std::string ahead_s = GENERATE("34560003", "-34559998");
    SECTION("of the control plane") {
        status.write("status", "clock_trusted 0\nclock_ahead_s " + ahead_s + "\n");
    }
    SECTION("of a relay alone") {
        status.config.control_url = "https://amt.example";
        status.write("status.relay",
                     "relay_clock_trusted 0\nrelay_clock_ahead_s " + ahead_s + "\n");
    }
    CHECK(status.show() == relay::status_exit_clock);
    CHECK(status.trouble.str().find("400 days") != std::string::npos);
    CHECK(status.trouble.str().find("--clock-ok") != std::string::npos);
}

TEST_CASE("an index that was begun anew is told until the old one is taken away") {
    Status status;
    status.config.pieces_dir = status.folder.path() / "pieces";
    std::filesystem::create_directory(status.config.pieces_dir);
    status.write("status", "available 3\nclock_trusted 1\n");
    CHECK(status.show() == 0);
    status.write("pieces/index.db.unreadable.2", "");
    CHECK(status.show() == relay::status_exit_clock);
    CHECK(status.out.str().find("piece_index_unreadable 1\n") != std::string::npos);
    CHECK(status.trouble.str().find("index.db.unreadable.2") != std::string::npos);
    CHECK(status.trouble.str().find("take its rows over") != std::string::npos);
}

TEST_CASE("the figures of a relay that has ended say so, and nothing is asked of it") {
    Status status;
    status.write("status", "available 3\nclock_trusted 1\n");
    const auto request = status.folder.path() / "request.purge";
    CHECK(status.show() == 0);
    relay::ask_running_relay(status.config, "purge");
    CHECK(std::filesystem::remove(request));
    status.running.reset();
    CHECK(status.show() == relay::status_exit_stopped);
    CHECK(status.trouble.str().find("the relay does not run: these figures are from 20") !=
          std::string::npos);
    CHECK_THROWS(relay::ask_running_relay(status.config, "purge"));
    CHECK_FALSE(std::filesystem::exists(request));
    relay::leave_request(status.config, "reload"); // right at its start, too
    CHECK(std::filesystem::exists(status.folder.path() / "request.reload"));
}

} // namespace plankurier::test::status_test
