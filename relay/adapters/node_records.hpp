#pragma once
/// The public record of a relay (`node.json`): {"v":1,"id":32 hex,"key":b64url of its Ed25519 key,
/// "url":"https://…" of its piece plane}. A control plane keeps those of its registered relays as
/// FOLDER/ID.json. Stateless functions; any thread.

#include "relay/domain/relays.hpp"

#include <filesystem>
#include <string>

namespace plankurier::relay::adapters {

[[nodiscard]] std::string encode_node(const KnownRelay& relay);
/// Fails with `malformed`, `unsupported` (version), `invalid_argument` (the URL is not https, or
/// has signs that a URL of ours cannot hold).
[[nodiscard]] Result<KnownRelay> parse_node(std::string_view json);

struct Nodes {
    std::vector<KnownRelay> relays; ///< in order of their ids
    std::vector<std::filesystem::path> damaged;
};
/// What lies in the folder; nothing when there is none. Throws std::system_error.
[[nodiscard]] Nodes read_nodes(const std::filesystem::path& folder);

} // namespace plankurier::relay::adapters
