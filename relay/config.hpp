#pragma once
/// The relay's configuration file and data folder. Values; any thread.

#include "relay/domain/policy.hpp"
#include "relay/http/request_limits.hpp"
#include "relay/pieces/line_limits.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace plankurier::relay {

/// What relay.toml says; every entry has a default, so an empty file works.
struct Config {
    std::filesystem::path file;
    std::filesystem::path data_dir;
    /// May lie on file systems of their own. As `data_dir`, or folders in it, unless set.
    std::filesystem::path database_dir, vault_dir, mail_dir, pieces_dir;
    std::uint64_t reserve_bytes{std::uint64_t{64} << 20}; ///< of each file system; see Reserves
    std::filesystem::path control_socket;
    Policy policy;
    std::string pieces_listen{"127.0.0.1"};
    std::uint16_t pieces_port{8'443};
    std::string pieces_url;
    std::int64_t scrub_days{30}; ///< so often everything that is stored is read and hashed
    std::int64_t scrub_mb_per_s{50}, heal_mb_per_s{100}; ///< 10^6 bytes a second, at most
    std::filesystem::path certificate, private_key;
    pieces::LineLimits lines;
    http::RequestRates requests;
    std::string control_url;          ///< of a relay without control plane; else empty
    std::filesystem::path control_ca; ///< for TLS to it and to other relays; empty: the system's
    bool swarm_enabled{true};
    std::string swarm_listen; ///< as `pieces_listen` unless set
    std::uint16_t swarm_port{8'445}, swarm_plain_port{8'446};
    /// Address ranges ("10.1.0.0/16", "fd00::/8") where relays talk without TLS among themselves.
    std::vector<std::string> trusted_networks;
    std::string mail_from{"plankurier@localhost"};
    std::string mail_bounce; ///< where mails that cannot be delivered come back to; or empty
    std::string smtp_url, smtp_user, smtp_ca_file;
    std::filesystem::path smtp_password_file;
    bool smtp_require_tls{true};
    std::vector<Hash256> page_hashes; ///< of the page, for the directory that is built

    [[nodiscard]] std::filesystem::path keys() const { return data_dir / "keys"; }
    [[nodiscard]] std::filesystem::path directory() const { return data_dir / "directory"; }
    /// Begun ids of mails that came back, one file each, for the control plane to take.
    [[nodiscard]] std::filesystem::path bounces() const { return data_dir / "bounces"; }
    [[nodiscard]] std::filesystem::path database() const { return database_dir / "control.db"; }
    [[nodiscard]] std::filesystem::path nodes() const { return data_dir / "nodes"; }
};

/// Throws std::runtime_error with file, line and what to do about it.
[[nodiscard]] Config load_config(const std::filesystem::path& file);

/// Makes DIR with keys, the swarm's CA, a commented relay.toml, node.json and, if asked,
/// nginx.conf. Never overwrites. Throws std::runtime_error or std::system_error.
void init_folder(const std::filesystem::path& folder, const std::string& authority,
                 const std::string& host, bool with_nginx);

/// The same for a relay without control plane: it has no control key, pepper or CA, only the public
/// key of the control plane at `control_url` (the 32 bytes of its keys/control.pub).
void init_relay_folder(const std::filesystem::path& folder, const std::string& control_url,
                       const std::filesystem::path& control_key, const std::string& host);

} // namespace plankurier::relay
