#include "run.hpp"

#include "server.hpp"

#include <cstring>
#include <fstream>
#include <stdexcept>

namespace plankurier::relay::pieces {
namespace {
std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("a key file cannot be read");
    return {std::istreambuf_iterator<char>(in), {}};
}
} // namespace

int run_pieces(const PiecesConfig& config) {
    const auto id = RelayId::from_hex(read_file(config.relay_id_file).substr(0, 32));
    auto seed = read_file(config.relay_seed_file);
    const auto control = read_file(config.control_public_key_file);
    if (!id || seed.size() != 32 || control.size() != 32)
        throw std::runtime_error("a key file has the wrong length");
    SigningPublicKey control_key{};
    std::memcpy(control_key.data(), control.data(), control_key.size());
    PieceStore store(config.data_dir / "pieces");
    const Service service{store, *id, SigningSeed{as_bytes(seed)}, control_key};
    wipe(std::as_writable_bytes(std::span{seed.data(), seed.size()}));
    serve(config, service);
    return 0;
}

} // namespace plankurier::relay::pieces
