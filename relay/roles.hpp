#pragma once
/// The processes of a relay: the supervisor and its roles. Each runs until SIGTERM or SIGINT.

#include "relay/config.hpp"

#include <plankurier/directory.hpp>

#include <iosfwd>
#include <optional>

namespace plankurier::relay {

/// The control plane: API on the Unix socket, ticks every second.
int run_control(const Config& config);
/// A BitTorrent session: open to invited recipients and relays (TLS), or plain TCP for relays in
/// trusted networks only.
int run_swarm_role(const Config& config, bool tls);
/// Starts the roles that the configuration wants as processes of their own and starts one anew when
/// it dies. `without_control`: this machine only stores. Throws std::runtime_error when another one
/// runs with the same data folder.
int run_supervisor(const std::filesystem::path& program, const Config& config,
                   bool without_control);

/// The directory's files in DATA/directory; nothing when none is installed.
struct InstalledDirectory {
    SignedDirectory bundle;
    Directory directory;
};
[[nodiscard]] std::optional<InstalledDirectory> installed_directory(const Config& config);

/// `directory add|list|end|revoke|remove|build|install` with their options already read. Throw
/// std::runtime_error with a sentence that says what to do.
/// The record of a department, a clerk or the escrow key; replaces an older one of that id.
void directory_add(const Config& config, const std::filesystem::path& record);
void directory_list(const Config& config, std::ostream& out);
/// Ends the keys of a record now; what was signed before stays right.
void directory_end(const Config& config, const std::string& id);
/// The keys of a record count for nothing any more, not even for what was signed before.
void directory_revoke(const Config& config, const std::string& id);
void directory_remove(const Config& config, const std::string& id);
void directory_build(const Config& config, std::uint64_t serial, std::int64_t days,
                     const std::filesystem::path& target);
void directory_install(const Config& config, const std::filesystem::path& root,
                       const std::filesystem::path& signer_pub,
                       const std::filesystem::path& signer_minisig,
                       const std::filesystem::path& json, const std::filesystem::path& minisig);

} // namespace plankurier::relay
