#pragma once
/// The listening side: TLS, limits and the calls of docs/protocol.md section 3.

#include "piece_store.hpp"
#include "run.hpp"

namespace plankurier::relay::pieces {

/// What every request needs. Lives longer than the server.
struct Service {
    PieceStore& store;
    RelayId relay;
    SigningSeed seed;
    SigningPublicKey control_key;
};

/// Serves until SIGTERM or SIGINT. Throws std::runtime_error when it cannot start.
void serve(const PiecesConfig& config, const Service& service);

} // namespace plankurier::relay::pieces
