#pragma once
/// The relays of a control plane: its own, and those that `node add` took in. Any thread.

#include "relay/config.hpp"
#include "relay/domain/relays.hpp"

#include <iosfwd>

namespace plankurier::relay {

struct RegisteredRelays {
    std::vector<KnownRelay> relays; ///< the own one first
    std::size_t damaged{};          ///< records that cannot be read, and are left out
};
/// Throws std::runtime_error when the own relay has no identity.
[[nodiscard]] RegisteredRelays registered_relays(const Config& config);

/// `node add`: checks the record, keeps it in DATA/nodes and tells the running control plane.
/// Adding a relay again changes its URL. Throws std::runtime_error with a sentence that says what
/// to do.
void node_add(const Config& config, const std::filesystem::path& record);
/// `node list`: a line with id and URL for each.
void node_list(const Config& config, std::ostream& out);
/// `node remove`: forgets the relay with this id. Throws as `node_add`.
/// `is_lost`: it never comes back; the audit says how many purges it has not confirmed. Without
/// that a relay that has not confirmed all is not removed.
void node_remove(const Config& config, const std::string& id, bool is_lost);

} // namespace plankurier::relay
