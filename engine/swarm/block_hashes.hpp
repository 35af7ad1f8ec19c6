#pragma once
/// The SHA-256 trees of BEP 52 over whole segments: 16 KiB blocks are the leaves. Stateless; any
/// thread.

#include <plankurier/layout.hpp>
#include <plankurier/sealing.hpp>

namespace plankurier::swarm {

inline constexpr std::size_t segment_blocks = segment_bytes / block_bytes;

/// Writes the hashes of the 16 blocks of one segment to `leaves`; returns the root over them.
[[nodiscard]] Hash256 hash_segment(ByteView segment, std::span<Hash256, segment_blocks> leaves);

/// The root over a power of two of nodes. `nodes` is used as scratch space.
[[nodiscard]] Hash256 merkle_root(std::span<Hash256> nodes);

} // namespace plankurier::swarm
