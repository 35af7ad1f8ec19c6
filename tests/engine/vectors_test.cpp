#include "vectors/kinds.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>

namespace plankurier::test::vectors_test {

TEST_CASE("every test vector gives the result and the bytes that it states", "[vectors]") {
    const auto folder = std::filesystem::path{PLANKURIER_SOURCE_DIR} / "tests/vectors/v1";
    unsigned positive = 0, negative = 0;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.path().extension() != ".json") continue;
        INFO(entry.path().filename().string());
        std::ifstream in{entry.path()};
        const auto vector = vectors::Json::parse(in);
        const auto outcome = vectors::run(vector.at("kind"), vector.at("in"));
        CHECK(outcome.result == vector.at("expect").get<std::string>());
        CHECK(outcome.out == vector.at("out"));
        ++(outcome.result == "ok" ? positive : negative);
    }
    CHECK(positive >= 100);
    CHECK(negative >= 150);
}

} // namespace plankurier::test::vectors_test
