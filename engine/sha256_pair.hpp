#pragma once
/// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104) of two messages at once. The rounds of one
/// message wait for each other, so a single message leaves half of the processor's SHA unit idle:
/// two take hardly longer than one. The instructions take the same time whatever they are fed.
/// `HmacPair` belongs to one thread at a time; all else any thread.

#include <plankurier/ids.hpp>

namespace plankurier {

/// Whether this processor has what everything here needs.
[[nodiscard]] bool sha256_pair_available() noexcept;

struct HashPair {
    Hash256 first{}, second{};
};
/// The digests of two messages of the same length, a multiple of 64 bytes. Only where available.
[[nodiscard]] HashPair sha256_pair(ByteView first, ByteView second) noexcept;

/// The MACs of two messages of the same length under one key. Only where available.
class HmacPair {
public:
    explicit HmacPair(ByteView key) noexcept;
    ~HmacPair();
    HmacPair(const HmacPair&) = delete;
    HmacPair& operator=(const HmacPair&) = delete;

    /// A message is `head` (shorter than 64 bytes) followed by `text`.
    struct Message {
        ByteView head, text;
    };
    [[nodiscard]] HashPair mac(const Message& first, const Message& second) const noexcept;

private:
    /// What is left of the key: the states after its inner and its outer block.
    std::array<std::uint32_t, 8> inner_{}, outer_{};
};

} // namespace plankurier
