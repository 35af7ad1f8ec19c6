#pragma once
/// The piece plane: the relay's public HTTPS server for sealed pieces (docs/protocol.md, section 3)
/// and its talk with the control plane (section 4).

#include <cstdint>
#include <filesystem>
#include <string>

namespace plankurier::relay::pieces {

struct PiecesConfig {
    std::filesystem::path data_dir; ///< pieces lie in its folder `pieces`
    std::string listen_address;     ///< numeric
    std::uint16_t port{};
    std::filesystem::path tls_certificate, tls_private_key;         ///< PEM
    std::filesystem::path control_socket;                           ///< HTTP of the control plane
    std::filesystem::path relay_id_file;                            ///< 32 hexadecimal digits
    std::filesystem::path relay_seed_file, control_public_key_file; ///< 32 bytes each
};

/// Serves until SIGTERM or SIGINT. Throws std::runtime_error for what cannot start.
int run_pieces(const PiecesConfig& config);

} // namespace plankurier::relay::pieces
