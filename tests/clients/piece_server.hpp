#pragma once
/// Real relays in this process: a piece store in a folder behind the real piece plane on a port of
/// its own. One thread at a time, while the servers run threads of their own.

#include <clients/cli/lanes.hpp>

#include "tests/support/pieces.hpp"

namespace plankurier::test {

/// A certificate for 127.0.0.1 and its key, in a folder. The certificate is its own authority.
struct ServerIdentity {
    std::filesystem::path certificate, key;
};
[[nodiscard]] ServerIdentity make_identity(const std::filesystem::path& folder);

class PieceServer {
public:
    PieceServer(const std::filesystem::path& folder, const ServerIdentity& identity,
                std::size_t number);
    ~PieceServer();
    /// The lines break, the port is closed.
    void stop();
    /// On the same port, with what is durable.
    void restart();
    /// It accepts and keeps lines, but neither reads nor answers, until `stop`.
    void freeze();
    /// Turns one bit of a durable piece on the disk.
    void flip(const TransferId& transfer, std::uint32_t volume, std::uint32_t piece);

    [[nodiscard]] const cli::RelayAddress& address() const noexcept { return address_; }
    [[nodiscard]] PieceStore& store() noexcept { return store_; }
    /// Durable pieces of a volume, and whether it is described.
    [[nodiscard]] std::pair<std::size_t, bool> holds(const TransferId& transfer,
                                                     std::uint32_t volume);

private:
    struct Server;
    std::filesystem::path folder_;
    ServerIdentity identity_;
    PieceStore store_;
    cli::RelayAddress address_;
    std::uint16_t port_{};
    std::unique_ptr<Server> server_;
};

} // namespace plankurier::test
