#include "engine/swarm/block_hashes.hpp"

#include "engine/sha256_pair.hpp"

#include <bit>

namespace plankurier::swarm {

namespace {

/// The parents of four nodes.
void hash_pairs(std::span<const Hash256, 4> nodes, Hash256& first, Hash256& second) {
    const ByteView bytes = std::as_bytes(nodes);
    if (sha256_pair_available()) {
        const HashPair both = sha256_pair(bytes.first(64), bytes.last(64));
        first = both.first;
        second = both.second;
    } else {
        first = sha256(bytes.first(64));
        second = sha256(bytes.last(64));
    }
}

} // namespace

Hash256 merkle_root(std::span<Hash256> nodes) {
    expects(std::has_single_bit(nodes.size()), "a power of two of nodes");
    for (; nodes.size() > 2; nodes = nodes.first(nodes.size() / 2)) {
        for (std::size_t i = 0; i < nodes.size() / 4; ++i) {
            hash_pairs(nodes.subspan(4 * i).first<4>(), nodes[2 * i], nodes[2 * i + 1]);
        }
    }
    return nodes.size() == 1 ? nodes.front() : sha256(std::as_bytes(nodes));
}

Hash256 hash_segment(ByteView segment, std::span<Hash256, segment_blocks> leaves) {
    expects(segment.size() == segment_bytes, "a whole segment");
    for (std::size_t i = 0; i < segment_blocks; i += 2) {
        const ByteView first = segment.subspan(i * block_bytes, block_bytes);
        const ByteView second = segment.subspan((i + 1) * block_bytes, block_bytes);
        if (sha256_pair_available()) {
            const HashPair both = sha256_pair(first, second);
            leaves[i] = both.first;
            leaves[i + 1] = both.second;
        } else {
            leaves[i] = sha256(first);
            leaves[i + 1] = sha256(second);
        }
    }
    std::array<Hash256, segment_blocks> nodes{};
    std::copy(leaves.begin(), leaves.end(), nodes.begin());
    return merkle_root(nodes);
}

} // namespace plankurier::swarm
