#include "engine/crypto.hpp"

#include <plankurier/sealing.hpp>

namespace plankurier {

namespace {

Hash256 hash_pair(const Hash256& left, const Hash256& right) {
    std::array<std::byte, 64> both{};
    std::copy(left.begin(), left.end(), both.begin());
    std::copy(right.begin(), right.end(), both.begin() + 32);
    return sha256(both);
}

Writer write_without_mac(const Descriptor& descriptor) {
    Writer out;
    out.u32(descriptor.volume).u64(descriptor.length).bytes(descriptor.root);
    out.u16(static_cast<std::uint16_t>(descriptor.piece_roots.size()));
    for (const Hash256& root : descriptor.piece_roots) out.bytes(root);
    return out;
}

std::array<std::byte, 32> descriptor_mac(const TransferKey& key, const TransferId& transfer,
                                         const Descriptor& descriptor) {
    crypto::Key256 mac_key;
    derive(key, transfer, "descriptor", mac_key.reveal_mutable());
    std::array<std::byte, 32> mac{};
    crypto::hmac_sha384(mac_key.reveal(), {write_without_mac(descriptor).view()}, mac);
    return mac;
}

} // namespace

Hash256 volume_root(std::span<const Hash256> piece_roots, std::uint64_t piece_bytes) {
    expects(!piece_roots.empty() && piece_roots.size() <= volume_pieces_max, "pieces");
    // BEP 52: blocks past the end of the file hash to 32 zero bytes, and the pad of a piece is the
    // tree over such leaves.
    Hash256 pad{};
    for (std::uint64_t bytes = block_bytes; bytes < piece_bytes; bytes *= 2) {
        pad = hash_pair(pad, pad);
    }
    std::vector<Hash256> level{piece_roots.begin(), piece_roots.end()};
    while (level.size() > 1) {
        if (level.size() % 2 != 0) level.push_back(pad);
        for (std::size_t i = 0; i < level.size() / 2; ++i) {
            level[i] = hash_pair(level[2 * i], level[2 * i + 1]);
        }
        level.resize(level.size() / 2);
        pad = hash_pair(pad, pad);
    }
    return level.front();
}

Descriptor make_descriptor(const TransferKey& key, const TransferId& transfer, std::uint32_t volume,
                           std::uint64_t piece_bytes, std::vector<Hash256> piece_roots) {
    Descriptor descriptor;
    descriptor.volume = volume;
    descriptor.length = piece_bytes * piece_roots.size();
    descriptor.root = volume_root(piece_roots, piece_bytes);
    descriptor.piece_roots = std::move(piece_roots);
    descriptor.mac = descriptor_mac(key, transfer, descriptor);
    return descriptor;
}

Bytes encode_descriptor(const Descriptor& descriptor) {
    return write_without_mac(descriptor).bytes(descriptor.mac).take();
}

Result<Descriptor> decode_descriptor(ByteView bytes) {
    Reader in{bytes};
    Descriptor descriptor;
    descriptor.volume = in.u32();
    descriptor.length = in.u64();
    descriptor.root = in.array<32>();
    const std::size_t pieces = in.u16();
    if (!in.ok() || pieces == 0 || pieces > volume_pieces_max || in.left() != pieces * 32 + 32) {
        return fail(Errc::malformed, "descriptor");
    }
    for (std::size_t i = 0; i < pieces; ++i) descriptor.piece_roots.push_back(in.array<32>());
    descriptor.mac = in.array<32>();
    return descriptor;
}

Result<void> check_descriptor(const TransferKey& key, const TransferId& transfer,
                              const BodyLayout& layout, const Descriptor& descriptor) {
    if (!equal_constant_time(descriptor_mac(key, transfer, descriptor), descriptor.mac)) {
        return fail(Errc::tampered, "descriptor MAC");
    }
    if (descriptor.volume >= layout.volumes() ||
        descriptor.piece_roots.size() != layout.pieces_in_volume(descriptor.volume) ||
        descriptor.length != layout.volume_bytes(descriptor.volume) ||
        descriptor.root != volume_root(descriptor.piece_roots, layout.piece_bytes())) {
        return fail(Errc::tampered, "descriptor layout");
    }
    return {};
}

Hash256 content_root(std::span<const Bytes> encoded_descriptors) {
    Writer all;
    for (const Bytes& descriptor : encoded_descriptors) all.bytes(descriptor);
    return sha256(all.view());
}

} // namespace plankurier
