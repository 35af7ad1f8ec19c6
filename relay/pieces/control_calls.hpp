#pragma once
/// Signed calls of a relay to the control plane (docs/protocol.md, section 4).
/// Thread safe: one mutex, one call at a time.

#include "relay/pieces/http_client.hpp"

#include <plankurier/ids.hpp>
#include <plankurier/secret.hpp>

#include <mutex>

namespace plankurier::relay::pieces {

/// Where the control plane answers: a URL, or a Unix socket on the same machine.
struct ControlPlace {
    std::filesystem::path socket;
    std::string url; ///< empty: the socket
    std::filesystem::path ca_file;
};

class ControlCalls {
public:
    ControlCalls(ControlPlace place, RelayId relay, SigningSeed seed);
    /// POSTs `request`, signed over "plankurier/1 " topic 00 request. Gives the answer's body.
    /// Fails with `network`, `tls`, or `unavailable` (the status is in the detail).
    [[nodiscard]] Result<std::string> post(const std::string& path, const std::string& topic,
                                           const std::string& request);

private:
    const ControlPlace place_;
    const RelayId relay_;
    const SigningSeed seed_;
    std::mutex mutex_; ///< guards client_
    HttpClient client_;
};

} // namespace plankurier::relay::pieces
