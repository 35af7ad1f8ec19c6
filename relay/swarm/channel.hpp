#pragma once
/// The Unix socket between the pieces process and the swarm processes. Descriptors are non-blocking
/// and close on exec; the caller closes them. Any thread, one at a time for each direction.

#include <plankurier/error.hpp>

#include <sys/types.h>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace plankurier::relay::swarm {

/// Listens at a path with mode 0600, replacing what a dead process left. Throws std::system_error.
[[nodiscard]] int listen_at(const std::filesystem::path& path);
/// -1 when nobody listens. Throws std::system_error when there is no socket to be had.
[[nodiscard]] int connect_to(const std::filesystem::path& path);
/// The process at the other end when it belongs to our own user, else -1.
[[nodiscard]] pid_t peer_of(int socket);

enum class Sent { done, full, broken };
/// `file` goes along unless it is -1; it stays open here.
[[nodiscard]] Sent send_message(int socket, std::string_view text, int file = -1);

struct Message {
    std::string text; ///< empty: the other side has ended, or sent what is no message
    int file{-1};     ///< to be closed by whoever takes the message
};
/// Nothing when none waits.
[[nodiscard]] std::optional<Message> receive_message(int socket);

} // namespace plankurier::relay::swarm
