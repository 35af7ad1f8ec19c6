#pragma once
/// The piece plane: the relay's public HTTPS server for sealed pieces (docs/protocol.md, section 3)
/// and its talk with the control plane (section 4).

#include "relay/pieces/line_limits.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace plankurier::relay::pieces {

struct PiecesConfig {
    std::filesystem::path data_dir; ///< pieces lie in its folder `pieces`
    std::string listen_address;     ///< numeric
    std::uint16_t port{};
    std::filesystem::path tls_certificate, tls_private_key; ///< PEM
    std::filesystem::path control_socket;                   ///< HTTP of the control plane
    std::string control_url;          ///< instead of the socket, when it runs elsewhere
    std::filesystem::path control_ca; ///< PEM to trust for it and for other relays, or empty
    bool swarm_enabled{true};
    std::vector<std::string> trusted_networks;
    std::filesystem::path relay_id_file;                            ///< 32 hexadecimal digits
    std::filesystem::path relay_seed_file, control_public_key_file; ///< 32 bytes each
    std::chrono::milliseconds disk_rest{2'000}; ///< before a copy that the disk ended goes on
    LineLimits lines{};
    std::filesystem::path pieces_dir{}; ///< instead of DATA/pieces
    std::uint64_t reserve_bytes{};      ///< kept free for deleting; see Reserves
    std::int64_t scrub_days{30};        ///< so often everything is read and hashed
    std::uint64_t scrub_bytes_per_s{50'000'000}, heal_bytes_per_s{100'000'000};
};

/// The whole data process, for one thread: `run` serves until `stop`.
class PiecesProcess {
public:
    /// Throws std::runtime_error for what cannot start.
    explicit PiecesProcess(const PiecesConfig& config);
    ~PiecesProcess();
    PiecesProcess(const PiecesProcess&) = delete;
    PiecesProcess& operator=(const PiecesProcess&) = delete;
    void run();
    /// Where it listens, also when the configuration left the port to the system.
    [[nodiscard]] std::uint16_t port() const;
    /// From any thread.
    void stop();
    /// Stops at SIGTERM and SIGINT, too.
    void stop_at_signals();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Serves until SIGTERM or SIGINT. Throws std::runtime_error for what cannot start.
int run_pieces(const PiecesConfig& config);

} // namespace plankurier::relay::pieces
