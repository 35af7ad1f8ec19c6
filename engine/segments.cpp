#include "engine/floe.hpp"
#include "engine/sha256_pair.hpp"

#include <plankurier/sealing.hpp>

#include <openssl/core_names.h>
#include <openssl/evp.h>

namespace plankurier {

namespace {

unsigned char* raw(std::byte* at) noexcept { return reinterpret_cast<unsigned char*>(at); }
const unsigned char* raw(const std::byte* at) noexcept {
    return reinterpret_cast<const unsigned char*>(at);
}

Bytes body_aad(const TransferId& transfer) {
    return Writer{}.text("plankurier/1 body").u8(0).bytes(transfer.bytes).take();
}

/// The body's FLOE state; the header was authenticated by whoever hands it in, or is our own.
Floe body_floe(const TransferKey& key, const TransferId& transfer, const FloeHeader& header) {
    crypto::Key256 body_key;
    derive(key, transfer, "body", body_key.reveal_mutable());
    return Floe{body_key.reveal(), body_aad(transfer), ByteView{header}.subspan<10, 32>(), {}};
}

struct FreeMac {
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

} // namespace

struct SegmentSealer::State {
    Floe floe;
    std::uint64_t segments;
    /// Keyed once; EVP_MAC_init without a key starts the next message with the same key.
    std::unique_ptr<EVP_MAC_CTX, FreeMac> mac;
    std::unique_ptr<HmacPair> pair; ///< empty where the processor lacks it

    State(Floe body, std::uint64_t count, ByteView iv_key)
        : floe(std::move(body)), segments(count) {
        EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
        mac.reset(EVP_MAC_CTX_new(algorithm));
        EVP_MAC_free(algorithm);
        char digest[] = "SHA256";
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_end()};
        expects(EVP_MAC_init(mac.get(), raw(iv_key.data()), iv_key.size(), parameters) == 1,
                "HMAC key");
        if (sha256_pair_available()) pair = std::make_unique<HmacPair>(iv_key);
    }
};

namespace {

/// What the synthetic IV binds besides the plaintext: u64 index || last.
std::array<std::byte, 9> place_of(std::uint64_t index, bool last) noexcept {
    std::array<std::byte, 9> place{};
    for (std::size_t i = 0; i < 8; ++i) {
        place[i] = static_cast<std::byte>(index >> (56 - 8 * i) & 0xFFU);
    }
    place[8] = last ? std::byte{1} : std::byte{0};
    return place;
}

} // namespace

SegmentSealer::SegmentSealer(const TransferKey& key, const TransferId& transfer,
                             const FloeHeader& header, std::uint64_t segments) {
    crypto::Key256 iv_key;
    derive(key, transfer, "iv", iv_key.reveal_mutable());
    state_ = std::make_unique<State>(body_floe(key, transfer, header), segments, iv_key.reveal());
}
SegmentSealer::~SegmentSealer() = default;
SegmentSealer::SegmentSealer(SegmentSealer&&) noexcept = default;
SegmentSealer& SegmentSealer::operator=(SegmentSealer&&) noexcept = default;

void SegmentSealer::seal(std::uint64_t index, ByteView plain, std::span<std::byte> out) {
    expects(index < state_->segments && plain.size() == segment_plain_bytes &&
                out.size() == segment_bytes,
            "segment");
    const bool last = index + 1 == state_->segments;
    const auto place = place_of(index, last);
    std::array<std::byte, 32> full{};
    std::size_t length = 0;
    EVP_MAC_CTX* const mac = state_->mac.get();
    expects(EVP_MAC_init(mac, nullptr, 0, nullptr) == 1 &&
                EVP_MAC_update(mac, raw(place.data()), place.size()) == 1 &&
                EVP_MAC_update(mac, raw(plain.data()), plain.size()) == 1 &&
                EVP_MAC_final(mac, raw(full.data()), &length, full.size()) == 1,
            "synthetic IV");
    state_->floe.seal(index, last, std::span{std::as_const(full)}.first<12>(), plain, out);
}

void SegmentSealer::seal_pair(std::uint64_t index, ByteView plain, std::span<std::byte> out) {
    expects(index + 1 < state_->segments && plain.size() == 2 * segment_plain_bytes &&
                out.size() == 2 * segment_bytes,
            "two segments");
    const std::array parts = {plain.first(segment_plain_bytes), plain.last(segment_plain_bytes)};
    const std::array outs = {out.first(segment_bytes), out.last(segment_bytes)};
    if (!state_->pair) {
        seal(index, parts[0], outs[0]);
        seal(index + 1, parts[1], outs[1]);
        return;
    }
    const bool last = index + 2 == state_->segments;
    const std::array places = {place_of(index, false), place_of(index + 1, last)};
    const HashPair ivs = state_->pair->mac({places[0], parts[0]}, {places[1], parts[1]});
    state_->floe.seal(index, false, std::span{ivs.first}.first<12>(), parts[0], outs[0]);
    state_->floe.seal(index + 1, last, std::span{ivs.second}.first<12>(), parts[1], outs[1]);
}

struct SegmentOpener::State {
    Floe floe;
    std::uint64_t segments;
};

SegmentOpener::SegmentOpener(const TransferKey& key, const TransferId& transfer,
                             const FloeHeader& header, std::uint64_t segments)
    : state_(std::make_unique<State>(State{body_floe(key, transfer, header), segments})) {}
SegmentOpener::~SegmentOpener() = default;
SegmentOpener::SegmentOpener(SegmentOpener&&) noexcept = default;
SegmentOpener& SegmentOpener::operator=(SegmentOpener&&) noexcept = default;

Result<void> SegmentOpener::open(std::uint64_t index, ByteView sealed, std::span<std::byte> out) {
    expects(index < state_->segments && out.size() == segment_plain_bytes, "segment");
    if (sealed.size() != segment_bytes) return fail(Errc::tampered, "segment length");
    return state_->floe.unseal(index, index + 1 == state_->segments, sealed, out);
}

struct PieceHasher::State {
    std::unique_ptr<EVP_MD_CTX, FreeDigest> context{EVP_MD_CTX_new()};
    EVP_MD* sha256{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    /// One pending subtree root per level (a binary counter): 16 MiB pieces have 1024 leaves.
    std::array<Hash256, 32> pending{};
    std::uint64_t leaves{};

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_free(sha256); }

    Hash256 digest(ByteView first, ByteView second = {}) {
        Hash256 out{};
        unsigned length = 0;
        expects(EVP_DigestInit_ex(context.get(), sha256, nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), raw(out.data()), &length) == 1,
                "SHA-256");
        return out;
    }

    void add_leaf(Hash256 node) {
        std::size_t level = 0;
        for (std::uint64_t full = leaves; (full & 1U) != 0; full >>= 1U, ++level) {
            node = digest(pending[level], node);
        }
        pending[level] = node;
        ++leaves;
    }
};

PieceHasher::PieceHasher() : state_(std::make_unique<State>()) {}
PieceHasher::~PieceHasher() = default;
PieceHasher::PieceHasher(PieceHasher&&) noexcept = default;
PieceHasher& PieceHasher::operator=(PieceHasher&&) noexcept = default;

void PieceHasher::update(ByteView bytes) {
    expects(bytes.size() % block_bytes == 0, "whole blocks");
    if (sha256_pair_available()) {
        for (; bytes.size() >= 2 * block_bytes; bytes = bytes.subspan(2 * block_bytes)) {
            const HashPair leaves =
                sha256_pair(bytes.first(block_bytes), bytes.subspan(block_bytes, block_bytes));
            state_->add_leaf(leaves.first);
            state_->add_leaf(leaves.second);
        }
    }
    for (; !bytes.empty(); bytes = bytes.subspan(block_bytes)) {
        state_->add_leaf(state_->digest(bytes.first(block_bytes)));
    }
}

Hash256 PieceHasher::finish() {
    const std::uint64_t leaves = std::exchange(state_->leaves, 0);
    expects(leaves != 0 && (leaves & (leaves - 1)) == 0, "a power of two of blocks");
    std::size_t level = 0;
    while (leaves >> level != 1) ++level;
    return state_->pending[level];
}

} // namespace plankurier
