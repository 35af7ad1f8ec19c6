#include "engine/sha256_pair.hpp"

#include <plankurier/layout.hpp>
#include <plankurier/sealing.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::sha256_pair_test {

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

} // namespace plankurier::test::sha256_pair_test
