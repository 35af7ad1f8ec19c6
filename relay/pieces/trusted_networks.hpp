#pragma once
/// Between which relays plain TCP is good enough.
/// Immutable; any thread.

#include <memory>
#include <string>
#include <vector>

namespace plankurier::relay::pieces {

class TrustedNetworks {
public:
    /// Addresses and networks ("10.1.0.0/16", "fd00::/8", "10.1.2.3").
    /// Throws std::runtime_error for what is neither.
    explicit TrustedNetworks(const std::vector<std::string>& networks);
    ~TrustedNetworks();
    TrustedNetworks(const TrustedNetworks&) = delete;
    TrustedNetworks& operator=(const TrustedNetworks&) = delete;

    [[nodiscard]] bool contain(const std::string& numeric_address) const;
    /// Whether every address of a URL's host, and our own address on the way there, is in a trusted
    /// network. Looks the host up.
    [[nodiscard]] bool contain_way_to(const std::string& url) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace plankurier::relay::pieces
