#pragma once
/// The piece plane: the relay's public HTTPS server for sealed pieces (docs/protocol.md 3).

#include <cstdint>
#include <filesystem>
#include <string>

namespace plankurier::relay::pieces {

/// Where the piece plane listens, stores and reports. Key files are raw 32 bytes, the relay id is
/// 32 hexadecimal digits. `control_socket` is used when it is not empty.
struct PiecesConfig {
    std::filesystem::path data_dir;
    std::string listen_address;
    std::uint16_t port{};
    std::filesystem::path tls_certificate, tls_private_key;
    std::filesystem::path control_socket;
    std::string control_host;
    std::uint16_t control_port{};
    std::filesystem::path relay_id_file, relay_seed_file, control_public_key_file;
};

/// Serves until SIGTERM or SIGINT; returns the exit code. Throws std::runtime_error when the
/// environment is broken (certificate, folder, port). Call once, from the main thread.
int run_pieces(const PiecesConfig& config);

} // namespace plankurier::relay::pieces
