#include "engine/floe.hpp"
#include "engine/sha256_pair.hpp"
#include "engine/synthetic_iv.hpp"

#include <plankurier/sealing.hpp>

#include <openssl/evp.h>

namespace plankurier {

namespace {

/// The body's FLOE state; the header was authenticated by whoever hands it in, or is our own.
Floe body_floe(const TransferKey& key, const TransferId& transfer, const FloeHeader& header) {
    crypto::Key256 body_key;
    derive(key, transfer, "body", body_key.reveal_mutable());
    return Floe{body_key.reveal(), body_aad(transfer), ByteView{header}.subspan<10, 32>(), {}};
}

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

} // namespace

struct SegmentSealer::State {
    Floe floe;
    SyntheticIv ivs;
    std::uint64_t segments;
};

SegmentSealer::SegmentSealer(const TransferKey& key, const TransferId& transfer,
                             const FloeHeader& header, std::uint64_t segments)
    : state_(std::make_unique<State>(
          State{body_floe(key, transfer, header), SyntheticIv{key, transfer}, segments})) {}
SegmentSealer::~SegmentSealer() = default;
SegmentSealer::SegmentSealer(SegmentSealer&&) noexcept = default;
SegmentSealer& SegmentSealer::operator=(SegmentSealer&&) noexcept = default;

void SegmentSealer::seal(std::uint64_t index, ByteView plain, std::span<std::byte> out) {
    expects(index < state_->segments && plain.size() == segment_plain_bytes &&
                out.size() == segment_bytes,
            "segment");
    const bool last = index + 1 == state_->segments;
    state_->floe.seal(index, last, state_->ivs.of(index, last, plain), plain, out);
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
