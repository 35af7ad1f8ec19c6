#include <utility> // Boost 1.74 uses std::exchange without it

#include "relay/pieces/trusted_networks.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/asio/ip/udp.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

/// "https://host:port/…" and "https://[v6]:port/…".
std::optional<std::string> host_of(std::string_view url) {
    constexpr std::string_view scheme = "https://";
    if (!url.starts_with(scheme)) return std::nullopt;
    url.remove_prefix(scheme.size());
    const bool v6 = url.starts_with('[');
    if (v6) url.remove_prefix(1);
    const std::string host{url.substr(0, url.find_first_of(v6 ? "]" : ":/"))};
    if (host.empty()) return std::nullopt;
    return host;
}

} // namespace

struct TrustedNetworks::State {
    std::vector<ip::network_v4> v4;
    std::vector<ip::network_v6> v6;
};

TrustedNetworks::TrustedNetworks(const std::vector<std::string>& networks)
    : state_(std::make_unique<State>()) {
    for (const std::string& text : networks) {
        error_code error;
        const bool whole = text.find('/') != text.npos;
        const bool is_v6 = text.find(':') != text.npos;
        if (is_v6) {
            state_->v6.push_back(ip::make_network_v6(whole ? text : text + "/128", error));
        } else {
            state_->v4.push_back(ip::make_network_v4(whole ? text : text + "/32", error));
        }
        if (error) throw std::runtime_error("swarm.trusted_networks: \"" + text + "\" is none");
    }
}

TrustedNetworks::~TrustedNetworks() = default;

bool TrustedNetworks::contain(const std::string& numeric_address) const {
    error_code error;
    const ip::address address = ip::make_address(numeric_address, error);
    if (error) return false;
    const auto within = [](const auto& one) {
        return [one](const auto& network) {
            return network.canonical().network() ==
                   std::decay_t<decltype(network)>{one, network.prefix_length()}
                       .canonical()
                       .network();
        };
    };
    return address.is_v4() ? std::ranges::any_of(state_->v4, within(address.to_v4()))
                           : std::ranges::any_of(state_->v6, within(address.to_v6()));
}

bool TrustedNetworks::contain_way_to(const std::string& url) const {
    const auto host = host_of(url);
    if (!host || (state_->v4.empty() && state_->v6.empty())) return false;
    boost::asio::io_context io;
    error_code error;
    const auto found = ip::udp::resolver{io}.resolve(*host, "9", error);
    if (error || found.empty()) return false;
    return std::ranges::all_of(found, [&](const auto& entry) {
        // Nothing is sent: the kernel only says from which address it would go there.
        const ip::udp::endpoint end = entry.endpoint();
        ip::udp::socket socket{io};
        error_code failed;
        socket.open(end.protocol(), failed);
        if (!failed) socket.connect(end, failed);
        const auto own = failed ? ip::udp::endpoint{} : socket.local_endpoint(failed);
        return !failed && contain(end.address().to_string()) && contain(own.address().to_string());
    });
}

} // namespace plankurier::relay::pieces
