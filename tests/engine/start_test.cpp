// Before `main`: each test is a process of its own.
#include <catch2/catch.hpp>
#include <sodium.h>

namespace plankurier::test::start_test {

TEST_CASE("libsodium has been started before anything uses it, so that it takes its fast code") {
    const int already_started = 1;
    CHECK(sodium_init() == already_started);
}

} // namespace plankurier::test::start_test
