#pragma once
/// The kinds of test vectors: how each one's `in` becomes a result and an `out`. Used by the test
/// that runs the files and by the program that writes them. See tests/vectors/v1/README.md.

#include <nlohmann/json.hpp>

#include <string>

namespace plankurier::vectors {

using Json = nlohmann::ordered_json;

struct Outcome {
    std::string result; ///< "ok" or the wire name of an Errc
    Json out = Json::object();
};

/// Runs one vector. Throws std::runtime_error for a kind that it does not know.
[[nodiscard]] Outcome run(const std::string& kind, const Json& in);

} // namespace plankurier::vectors
