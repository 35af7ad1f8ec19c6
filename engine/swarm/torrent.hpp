#pragma once
/// A volume as a torrent: private, BitTorrent v2 only, one file, no pad file. Stateless; any
/// thread.

#include <plankurier/swarm.hpp>

#include <libtorrent/add_torrent_params.hpp>

namespace plankurier::swarm {

/// Fails with `invalid_argument` for sizes and counts that no volume has.
[[nodiscard]] Result<void> check_volume(const SwarmVolume& volume);

/// `authority`: the PEM certificate of the CA that peers must show a certificate of; empty for
/// plain TCP. `have`: as of Swarm::add. Paused, and without any peer.
[[nodiscard]] lt::add_torrent_params torrent_of(const SwarmVolume& volume,
                                                const std::string& authority, std::uint64_t have);

} // namespace plankurier::swarm
