// The clock of a relay that stands alone, and the time it deletes by.
#include "relay/pieces/own_time.hpp"
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>

namespace plankurier::test::own_time_test {

namespace {

/// A relay's machine, with the system's clock as the test build lets it be moved.
struct RelayMachine {
    TempFolder folder;
    std::optional<relay::pieces::OwnTime> own;

    RelayMachine() {
        ::setenv("PLANKURIER_CLOCK_OFFSET_FILE", (folder.path() / "offset").c_str(), 1);
        set("0");
        start();
    }
    ~RelayMachine() { ::unsetenv("PLANKURIER_CLOCK_OFFSET_FILE"); }
    RelayMachine(const RelayMachine&) = delete;
    RelayMachine& operator=(const RelayMachine&) = delete;
    void set(const std::string& clocks) const { std::ofstream{folder.path() / "offset"} << clocks; }
    void start(bool is_alone = true) { own.emplace(folder.path(), is_alone); }
    /// Days from now; -1000 when nothing may be deleted.
    std::int64_t delete_days(std::optional<std::int64_t> told) {
        own->look(told);
        const auto time = own->delete_time(told);
        if (!time) return -1000;
        return std::llround(static_cast<double>(*time - std::time(nullptr)) / day_s);
    }
    [[nodiscard]] std::string status() const {
        std::ifstream in{folder.path() / "status.relay"};
        std::string line;
        std::getline(in, line);
        return line;
    }
};

} // namespace

TEST_CASE("a relay that hears nobody deletes by its own clock, while that is trusted") {
    RelayMachine relay;
    CHECK(relay.delete_days({}) == 0);
    relay.set(std::to_string(15 * day_s));
    CHECK(relay.delete_days({}) == 15);
    CHECK(relay.status() == "relay_clock_trusted 1");
    for (const std::int64_t jump : {400 * day_s, -400 * day_s}) {
        relay.set(std::to_string(15 * day_s) + " wall=" + std::to_string(jump));
        CHECK(relay.delete_days({}) == -1000);
        CHECK(relay.status() == "relay_clock_trusted 0");
        CHECK_FALSE(relay.own->for_others());
        relay.start(); // killed, and started anew
        CHECK(relay.delete_days({}) == -1000);
    }
    SECTION("until it is back") {
        relay.set(std::to_string(16 * day_s));
        CHECK(relay.delete_days({}) == 16);
    }
    SECTION("or the administrator says that it is right") {
        relay.set(std::to_string(15 * day_s) + " wall=" + std::to_string(20 * day_s));
        CHECK(relay.delete_days({}) == -1000);
        std::ofstream{relay.folder.path() / "request.clock.relay"};
        CHECK(relay.delete_days({}) == 35);
        CHECK_FALSE(std::filesystem::exists(relay.folder.path() / "request.clock.relay"));
        CHECK(relay.own->for_others());
    }
}

TEST_CASE("a relay beside a control plane that doubts the clock they share deletes nothing") {
    RelayMachine relay;
    for (const bool is_alone : {false, true}) {
        relay.start(is_alone);
        relay.own->look({});
        CHECK(relay.own->delete_time({}, false).has_value());
        CHECK(relay.own->delete_time({}, true).has_value() == is_alone); // of its own machine
    }
}

TEST_CASE("of two trusted times the earlier one deletes") {
    RelayMachine relay;
    const std::int64_t now = std::time(nullptr);
    CHECK(relay.delete_days(now + 400 * day_s) == 0);
    CHECK(relay.delete_days(now - 20 * day_s) == -20);
    relay.set("0 wall=34560000");
    CHECK(relay.delete_days(now) == 0); // its own is not trusted: by the control plane's
}

} // namespace plankurier::test::own_time_test
