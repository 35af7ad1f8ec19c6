#pragma once
/// The IV of a segment, made from its plaintext and its place (docs/protocol.md "Body"). Internal
/// to the engine. One object belongs to one thread; no allocation per segment.

#include "engine/crypto.hpp"

#include <plankurier/envelope.hpp>

#include <memory>

namespace plankurier {

/// GMAC goes over the plaintext because it is several times faster than HMAC-SHA-256. HMAC goes
/// over its tag because a GMAC tag must not be seen: with two tags of one nonce the key is found.
class SyntheticIv {
public:
    SyntheticIv(const TransferKey& key, const TransferId& transfer);
    ~SyntheticIv();
    SyntheticIv(SyntheticIv&&) noexcept;
    SyntheticIv& operator=(SyntheticIv&&) noexcept;

    /// The same for the same bytes at the same place, another for any other.
    [[nodiscard]] std::array<std::byte, 12> of(std::uint64_t index, bool last, ByteView plain);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace plankurier
