#pragma once
/// Calls of a relay at another relay's piece plane (docs/protocol.md, section 3).
/// One thread at a time.

#include "relay/pieces/http_client.hpp"
#include "relay/pieces/relays.hpp"

#include <plankurier/swarm.hpp>

namespace plankurier::relay::pieces {

class RelayCalls {
public:
    explicit RelayCalls(std::filesystem::path ca_file) : client_(std::move(ca_file)) {}

    // All fail with `network` or `tls` when nobody answers, else with the other relay's code.
    // `ticket`: base64url, as it stands in the header.

    /// Where the other relay has the volume ready.
    struct Place {
        std::string address; ///< numeric: where it has just answered
        std::uint16_t port{};
    };
    [[nodiscard]] Result<Place> swarm(const OtherRelay& relay, const std::string& ticket,
                                      const VolumeName& volume, bool plain);
    [[nodiscard]] Result<Bytes> descriptor(const OtherRelay& relay, const std::string& ticket,
                                           const VolumeName& volume);
    /// A volume whose descriptor is durable there.
    struct Described {
        std::uint32_t volume{};
        bool is_whole{}; ///< else pieces were lost
    };
    [[nodiscard]] Result<std::vector<Described>>
    described(const OtherRelay& relay, const std::string& ticket, const TransferId& transfer);
    /// It gave us wrong bytes of the volume: it is to look at it.
    [[nodiscard]] Result<void> check(const OtherRelay& relay, const std::string& ticket,
                                     const VolumeName& volume);
    /// Tells that `from` has the volume, with its descriptor.
    [[nodiscard]] Result<void> copy(const OtherRelay& relay, const std::string& ticket,
                                    const VolumeName& volume, const RelayId& from,
                                    ByteView descriptor);

private:
    [[nodiscard]] Result<HttpAnswer> call(const OtherRelay& relay, const std::string& ticket,
                                          const std::string& method, const std::string& path,
                                          std::string body, int seconds_max = call_seconds);
    /// A relay that is stuck must not hold a copy for long: others have the volume, too.
    static constexpr int call_seconds = 3;
    HttpClient client_;
};

} // namespace plankurier::relay::pieces
