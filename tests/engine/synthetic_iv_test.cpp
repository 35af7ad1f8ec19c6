#include "engine/synthetic_iv.hpp"

#include <plankurier/layout.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::synthetic_iv_test {

namespace {

/// By the words of docs/protocol.md "Body", with other calls than the engine makes.
std::array<std::byte, 12> as_documented(const TransferKey& key, const TransferId& transfer,
                                        std::uint64_t index, bool last, ByteView plain) {
    crypto::Key256 hash_key, iv_key;
    derive(key, transfer, "iv-hash", hash_key.reveal_mutable());
    derive(key, transfer, "iv", iv_key.reveal_mutable());
    const Bytes nonce = Writer{}.u32(last ? 1 : 0).u64(index).take();
    const Bytes tag = crypto::gcm_seal(hash_key.reveal(), nonce, plain, {});
    std::array<std::byte, 12> iv{};
    crypto::hmac_sha256(iv_key.reveal(), {tag}, iv);
    return iv;
}

} // namespace

TEST_CASE("a segment's IV is the PRF of the GMAC of its plaintext and place") {
    const auto key = TransferKey::random();
    const auto transfer = TransferId::random();
    SyntheticIv ivs{key, transfer};
    Bytes plain(segment_plain_bytes);
    fill_random(plain);
    for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40}) {
        for (const bool last : {false, true}) {
            CHECK(ivs.of(index, last, plain) == as_documented(key, transfer, index, last, plain));
        }
    }
}

TEST_CASE("a segment's IV is the same again, and another for anything else") {
    const auto key = TransferKey::random();
    const auto transfer = TransferId::random();
    SyntheticIv ivs{key, transfer};
    Bytes plain(segment_plain_bytes, std::byte{7});
    const auto iv = ivs.of(5, false, plain);
    CHECK(ivs.of(6, false, plain) != iv);
    CHECK(ivs.of(5, true, plain) != iv);
    CHECK(SyntheticIv(key, TransferId::random()).of(5, false, plain) != iv);
    CHECK(SyntheticIv(TransferKey::random(), transfer).of(5, false, plain) != iv);
    for (const std::size_t at : {std::size_t{0}, plain.size() / 2, plain.size() - 1}) {
        plain[at] ^= std::byte{1};
        CHECK(ivs.of(5, false, plain) != iv);
        plain[at] ^= std::byte{1};
    }
    CHECK(ivs.of(5, false, plain) == iv);
    CHECK(SyntheticIv(key, transfer).of(5, false, plain) == iv);
}

} // namespace plankurier::test::synthetic_iv_test
