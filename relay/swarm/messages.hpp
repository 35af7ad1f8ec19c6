#pragma once
/// What the pieces process and a swarm process tell each other: one JSON text a message on a Unix
/// SOCK_SEQPACKET socket, at most 64 KiB, the volume's file as a descriptor beside it.
/// Stateless functions; any thread.

#include <plankurier/swarm.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace plankurier::relay::swarm {

inline constexpr std::size_t message_bytes_max = 65'536;

/// From the pieces process.
struct Command {
    enum class Kind {
        add,     ///< load a volume; its file comes with the message
        connect, ///< to a peer that has the volume ready
        remove   ///< answered by `removed`, also for an unknown volume
    };
    Kind kind{};
    SwarmVolume volume;                          ///< only `add` fills more than the name
    std::uint64_t have{};                        ///< add: bit i: piece i is there
    std::optional<SwarmCertificate> certificate; ///< add, with TLS
    std::string address;                         ///< connect: numeric
    std::uint16_t port{};
};

/// From a swarm process.
struct Report {
    enum class Kind { hello, ready, piece, complete, quiet, bad_peer, failed, removed };
    Kind kind{};
    VolumeName volume;     ///< of all but `hello`
    std::uint32_t piece{}; ///< piece
    Errc error{};          ///< failed
    bool tls{};            ///< hello: which of the two swarm processes it is
    std::uint16_t port{};  ///< hello: where peers connect to
};

/// The text of a command holds a private key: the caller wipes it after sending.
[[nodiscard]] std::string encode(const Command& command);
[[nodiscard]] std::string encode(const Report& report);
/// Fail with `malformed`.
[[nodiscard]] Result<Command> decode_command(std::string_view text);
[[nodiscard]] Result<Report> decode_report(std::string_view text);

} // namespace plankurier::relay::swarm
