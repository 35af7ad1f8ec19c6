#pragma once
/// Short words for tests in which staff use the client.

#include "tests/clients/service_world.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>

namespace plankurier::test {

/// The JSON lines of an event.
inline std::vector<nlohmann::json> events(const ClientRun& run, const std::string& event) {
    std::vector<nlohmann::json> found;
    std::istringstream lines{run.out};
    for (std::string line; std::getline(lines, line);) {
        auto json = nlohmann::json::parse(line);
        if (json.at("event") == event) found.push_back(std::move(json));
    }
    return found;
}

/// The arguments, and the key of a department.
inline std::vector<std::string> with_key(const ServiceWorld& world,
                                         std::vector<std::string> arguments,
                                         const std::string& department = "bauamt") {
    arguments.insert(arguments.end(), {"--key", world.key_of(department), "--passphrase-file",
                                       world.path(world.passphrase_file)});
    return arguments;
}

inline std::string content_of(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace plankurier::test
