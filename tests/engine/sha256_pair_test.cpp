#include "engine/crypto.hpp"
#include "engine/sha256_pair.hpp"

#include <plankurier/layout.hpp>
#include <plankurier/sealing.hpp>

#include <catch2/catch.hpp>

using namespace plankurier;

TEST_CASE("two messages hashed at once have the digests of each alone") {
    if (!sha256_pair_available()) {
        SUCCEED("this processor has no SHA instructions");
        return;
    }
    for (const std::size_t bytes : {64U, 128U, 4'096U, 16'384U}) {
        Bytes first(bytes), second(bytes);
        fill_random(first);
        fill_random(second);
        const HashPair pair = sha256_pair(first, second);
        CHECK(pair.first == sha256(first));
        CHECK(pair.second == sha256(second));
    }
}

TEST_CASE("two MACs made at once are the MACs of each message alone") {
    if (!sha256_pair_available()) {
        SUCCEED("this processor has no SHA instructions");
        return;
    }
    Bytes key(32);
    fill_random(key);
    const HmacPair pair{key};
    // All lengths of the last chunk, so that the padding is seen in one chunk and in two.
    for (std::size_t bytes = 64; bytes < 64 + 130; ++bytes) {
        for (const std::size_t head_bytes : {0U, 9U, 63U}) {
            Bytes heads(2 * head_bytes + 1), texts(2 * bytes);
            fill_random(heads);
            fill_random(texts);
            const ByteView head{heads}, text{texts};
            const HmacPair::Message first{head.first(head_bytes), text.first(bytes)};
            const HmacPair::Message second{head.subspan(head_bytes, head_bytes), text.last(bytes)};
            const HashPair macs = pair.mac(first, second);
            Hash256 expected{};
            crypto::hmac_sha256(key, {first.head, first.text}, expected);
            CHECK(macs.first == expected);
            crypto::hmac_sha256(key, {second.head, second.text}, expected);
            CHECK(macs.second == expected);
        }
    }
}

TEST_CASE("two segments sealed together have the bytes of each sealed alone") {
    const auto key = TransferKey::random();
    const auto transfer = TransferId::random();
    FloeHeader header{};
    fill_random(header);
    SegmentSealer sealer{key, transfer, header, 4};
    Bytes plain(2 * segment_plain_bytes), together(2 * segment_bytes), alone(2 * segment_bytes);
    fill_random(plain);
    const std::span out{alone};
    for (const std::uint64_t index : {0U, 1U, 2U}) { // 2: its second one is the body's last
        sealer.seal_pair(index, plain, together);
        sealer.seal(index, ByteView{plain}.first(segment_plain_bytes), out.first(segment_bytes));
        sealer.seal(index + 1, ByteView{plain}.last(segment_plain_bytes), out.last(segment_bytes));
        CHECK((together == alone));
    }
}

TEST_CASE("a piece root does not depend on how its blocks are handed over") {
    Bytes piece(segment_bytes);
    fill_random(piece);
    PieceHasher whole, single, odd;
    whole.update(piece);
    for (std::size_t at = 0; at < piece.size(); at += block_bytes) {
        single.update(ByteView{piece}.subspan(at, block_bytes));
    }
    odd.update(ByteView{piece}.first(3 * block_bytes));
    odd.update(ByteView{piece}.subspan(3 * block_bytes));
    const Hash256 root = whole.finish();
    CHECK(single.finish() == root);
    CHECK(odd.finish() == root);
}
