#pragma once
/// libtorrent's settings and filters, in one place. Stateless; any thread.

#include <plankurier/swarm.hpp>

#include <libtorrent/ip_filter.hpp>
#include <libtorrent/settings_pack.hpp>

namespace plankurier::swarm {

[[nodiscard]] lt::settings_pack session_settings(const SwarmSettings& settings);
/// Blocks all but `allowed` (numeric addresses, or networks as "10.1.0.0/16"). Throws
/// std::runtime_error for what is neither.
[[nodiscard]] lt::ip_filter filter_for(const std::vector<std::string>& allowed);
/// Puts every address into libtorrent's one limited class: its own filter exempts loopback and
/// private networks, that is every authority's own network, from the rate limit.
[[nodiscard]] lt::ip_filter everybody_limited();

} // namespace plankurier::swarm
