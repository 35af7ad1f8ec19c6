#pragma once
/// SHA-256 (FIPS 180-4) of two messages at once. The rounds of one
/// message wait for each other, so a single message leaves half of the processor's SHA unit idle:
/// two take hardly longer than one. The instructions take the same time whatever they are fed.
/// Stateless; any thread.

#include <plankurier/ids.hpp>

namespace plankurier {

/// Whether this processor has what everything here needs.
[[nodiscard]] bool sha256_pair_available() noexcept;

struct HashPair {
    Hash256 first{}, second{};
};
/// The digests of two messages of the same length, a multiple of 64 bytes. Only where available.
[[nodiscard]] HashPair sha256_pair(ByteView first, ByteView second) noexcept;

} // namespace plankurier
