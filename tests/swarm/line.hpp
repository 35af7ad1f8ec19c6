#pragma once
/// A peer that speaks BitTorrent by hand, over TCP or TLS, as a stranger would. One thread at a
/// time.

#include "tests/support/swarm_certificates.hpp"

#include <memory>

namespace plankurier::test {

class Line {
public:
    struct How {
        std::uint16_t port{};
        std::string from{"127.0.0.1"}; ///< our own address
        bool tls{};
        std::string server_name{};             ///< SNI
        const SwarmCertificate* certificate{}; ///< shown to the other side
    };
    /// Connects to 127.0.0.1. A TLS handshake that fails makes a line on which nothing comes.
    explicit Line(const How& how);
    ~Line();
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    void send(std::string_view bytes);
    /// What arrives until `count` bytes are there, the other side closes, or 10 s are over.
    [[nodiscard]] std::string receive(std::size_t count);
    /// Everything until the other side closes, at most 10 s.
    [[nodiscard]] std::string receive_all() { return receive(~std::size_t{0}); }

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The truncated info-hash of a volume's torrent: what both sides name it by.
[[nodiscard]] std::string info_hash(const SwarmVolume& volume, const std::string& authority);
/// The first message of BitTorrent, for a v2 torrent (BEP 3, 10, 52).
[[nodiscard]] std::string greeting(const std::string& hash);
/// A message with its length and number before it.
[[nodiscard]] std::string message(char number, const std::string& body);
/// The unasked-for `hashes` (BEP 52, message 22) for a file with an all-zero root: pad files have
/// that in libtorrent 2.0.8, and no hash tree.
[[nodiscard]] std::string deadly_message();

} // namespace plankurier::test
