#include "engine/sha256_pair.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

// Functions of this file may use the instructions; nothing else is compiled for them.
#define PLANKURIER_SHA_CODE __attribute__((target("sha,sse4.1")))
#define PLANKURIER_SHA_INLINE PLANKURIER_SHA_CODE __attribute__((always_inline)) inline

namespace plankurier {

namespace {

using Words = std::array<std::uint32_t, 8>;
constexpr std::size_t chunk_bytes = 64;

constexpr Words initial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
alignas(16) constexpr std::array<std::uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// One message: its state in the order the instructions want (ABEF, CDGH), and 16 schedule words.
struct Lane {
    __m128i abef, cdgh;
    __m128i words[4];
};

PLANKURIER_SHA_INLINE __m128i load16(const void* at) {
    return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

PLANKURIER_SHA_INLINE void load_chunk(Lane& lane, const std::byte* at) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f'08090a0b, 0x04050607'00010203);
    for (int i = 0; i < 4; ++i) {
        lane.words[i] = _mm_shuffle_epi8(load16(at + 16 * i), big_endian);
    }
}

/// Rounds 4 * G to 4 * G + 3, and the schedule words they prepare.
template <int G>
PLANKURIER_SHA_INLINE void four_rounds(Lane& lane) {
    constexpr int now = G % 4, next = (G + 1) % 4, before = (G + 3) % 4;
    __m128i sum = _mm_add_epi32(lane.words[now], load16(&round_constants[4 * G]));
    lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, sum);
    if constexpr (G >= 3 && G < 15) {
        const __m128i mixed = _mm_alignr_epi8(lane.words[now], lane.words[before], 4);
        lane.words[next] =
            _mm_sha256msg2_epu32(_mm_add_epi32(lane.words[next], mixed), lane.words[now]);
    }
    sum = _mm_shuffle_epi32(sum, 0x0E);
    lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, sum);
    if constexpr (G >= 1 && G < 13) {
        lane.words[before] = _mm_sha256msg1_epu32(lane.words[before], lane.words[now]);
    }
}

template <int... G>
PLANKURIER_SHA_INLINE void all_rounds(Lane& first, Lane& second, std::integer_sequence<int, G...>) {
    ((four_rounds<G>(first), four_rounds<G>(second)), ...);
}

PLANKURIER_SHA_INLINE Lane lane_of(const Words& state) {
    const __m128i cdab = _mm_shuffle_epi32(load16(state.data()), 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(load16(state.data() + 4), 0x1B);
    Lane lane;
    lane.abef = _mm_alignr_epi8(cdab, efgh, 8);
    lane.cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
    return lane;
}

PLANKURIER_SHA_INLINE Words words_of(const Lane& lane) {
    const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xB1);
    Words state;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
    return state;
}

PLANKURIER_SHA_CODE void compress(Words& first, Words& second, const std::byte* first_at,
                                  const std::byte* second_at, std::size_t chunks) {
    Lane one = lane_of(first);
    Lane two = lane_of(second);
    for (; chunks > 0; --chunks, first_at += chunk_bytes, second_at += chunk_bytes) {
        const Lane one_before = one;
        const Lane two_before = two;
        load_chunk(one, first_at);
        load_chunk(two, second_at);
        all_rounds(one, two, std::make_integer_sequence<int, 16>{});
        one.abef = _mm_add_epi32(one.abef, one_before.abef);
        one.cdgh = _mm_add_epi32(one.cdgh, one_before.cdgh);
        two.abef = _mm_add_epi32(two.abef, two_before.abef);
        two.cdgh = _mm_add_epi32(two.cdgh, two_before.cdgh);
    }
    first = words_of(one);
    second = words_of(two);
}

Hash256 digest_of(const Words& state) noexcept {
    Hash256 digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        digest[i] = static_cast<std::byte>(state[i / 4] >> (24 - 8 * (i % 4)) & 0xFFU);
    }
    return digest;
}

/// The last chunk of a message of whole chunks: a 1, zeros, its length in bits.
std::array<std::byte, chunk_bytes> padding_after(std::size_t bytes) noexcept {
    std::array<std::byte, chunk_bytes> padding{std::byte{0x80}};
    const std::uint64_t bits = std::uint64_t{bytes} * 8;
    for (std::size_t i = 0; i < 8; ++i) {
        padding[chunk_bytes - 1 - i] = static_cast<std::byte>(bits >> (8 * i) & 0xFFU);
    }
    return padding;
}

} // namespace

bool sha256_pair_available() noexcept {
    static const bool available = [] {
        constexpr unsigned ssse3 = 1U << 9, sse41 = 1U << 19, sha = 1U << 29;
        unsigned a = 0, b = 0, c = 0, d = 0;
        if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & ssse3) == 0 || (c & sse41) == 0) {
            return false;
        }
        return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & sha) != 0;
    }();
    return available;
}

HashPair sha256_pair(ByteView first, ByteView second) noexcept {
    expects(first.size() == second.size() && first.size() % chunk_bytes == 0, "hash pair");
    Words one = initial;
    Words two = initial;
    const auto padding = padding_after(first.size());
    compress(one, two, first.data(), second.data(), first.size() / chunk_bytes);
    compress(one, two, padding.data(), padding.data(), 1);
    return {digest_of(one), digest_of(two)};
}

} // namespace plankurier

#else

namespace plankurier {

bool sha256_pair_available() noexcept { return false; }
HashPair sha256_pair(ByteView, ByteView) noexcept { return {}; }

} // namespace plankurier

#endif
