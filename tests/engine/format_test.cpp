#include "engine/floe.hpp"

#include <plankurier/envelope.hpp>
#include <plankurier/sealing.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace plankurier::test::format_test {

namespace {

std::filesystem::path floe_folder() {
    if (const char* given = std::getenv("PLANKURIER_FLOE_VECTORS")) return given;
    return std::filesystem::path{PLANKURIER_SOURCE_DIR} / ".." / "shared" / "vectors" / "floe";
}

Bytes hex_file(const std::filesystem::path& path) {
    std::ifstream in{path};
    std::stringstream text;
    text << in.rdbuf();
    std::string digits = text.str();
    while (!digits.empty() && digits.back() == '\n') digits.pop_back();
    return from_hex(digits).value();
}

Result<Bytes> open_whole(ByteView sealed, Floe::Shape shape) {
    const Bytes key(32);
    FloeHeader header{};
    std::copy_n(sealed.begin(), header.size(), header.begin());
    auto floe = Floe::open(key, as_bytes("This is AAD"), header, shape);
    if (!floe) return tl::unexpected(floe.error());
    Bytes plain;
    std::uint64_t position = 0;
    for (std::size_t at = header.size(); at < sealed.size(); ++position) {
        const std::size_t length =
            std::min<std::size_t>(shape.segment_bytes_full, sealed.size() - at);
        const bool last = at + length == sealed.size();
        Bytes part(length - 32);
        if (auto ok = floe->unseal(position, last, sealed.subspan(at, length), part); !ok) {
            return tl::unexpected(ok.error());
        }
        plain.insert(plain.end(), part.begin(), part.end());
        at += length;
    }
    return plain;
}

Manifest sample_manifest(const TransferId& transfer) {
    Manifest manifest;
    manifest.transfer = transfer;
    manifest.created = 1'700'000'000;
    manifest.expiry_days = 14;
    manifest.from = {"Änne Grün", "+49 9131 1", "a@example.org", "BA-1", "Frau X", "Gemeinde Y"};
    manifest.department = "bauamt";
    manifest.message = "Guten Tag";
    manifest.files = {{"Plan.pdf", 100'000, "application/pdf", 1}};
    return manifest;
}

} // namespace

TEST_CASE("the public FLOE vectors open to their plaintext") {
    const auto folder = floe_folder();
    if (!std::filesystem::exists(folder)) {
        WARN("public FLOE vectors are not beside the project: set PLANKURIER_FLOE_VECTORS");
        return;
    }
    unsigned opened = 0;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with("_ct.txt")) continue;
        Floe::Shape shape{4'096, 20};
        if (name.find("_64_") != std::string::npos) shape.segment_bytes_full = 64;
        if (name.find("rotation") != std::string::npos) shape = {40, 2};
        if (name.find("lastSeg") != std::string::npos) shape.segment_bytes_full = 40;
        INFO(name);
        auto plain_path = entry.path().string();
        plain_path.replace(plain_path.size() - 7, 7, "_pt.txt");
        const auto plain = open_whole(hex_file(entry.path()), shape);
        REQUIRE(plain.has_value());
        CHECK(*plain == hex_file(plain_path));
        ++opened;
    }
    CHECK(opened == 17);
}

TEST_CASE("an envelope opens for its key, its password and nobody else") {
    const auto key = TransferKey::random();
    const auto transfer = TransferId::random();
    const auto layout = BodyLayout::for_content(100'000).value();
    const auto seed = KeySeed::random();
    for (const StanzaType type : {StanzaType::hpke_p256, StanzaType::hpke_x25519}) {
        std::vector<Recipient> recipients;
        recipients.emplace_back(KeyRecipient{recipient_public_key(seed, type).value()});
        recipients.emplace_back(PasswordRecipient{SecretText{"Grüße-42"}, {1, 64}});
        const auto envelope =
            seal_envelope(key, sample_manifest(transfer), layout, recipients).value();
        const auto by_key = open_envelope(envelope, seed, type);
        REQUIRE(by_key.has_value());
        CHECK(by_key->manifest == sample_manifest(transfer));
        CHECK(by_key->key.matches(key.reveal()));
        CHECK(open_envelope(envelope, SecretText{"Gru\u0308\u00DFe-42"}).has_value());
        CHECK(open_envelope(envelope, SecretText{"falsch"}).error().code == Errc::wrong_password);
        CHECK(open_envelope(envelope, KeySeed::random(), type).error().code == Errc::wrong_key);
        CHECK(open_envelope(envelope, key.clone()).has_value());
    }
}

TEST_CASE("no envelope with a flipped bit opens") {
    const auto key = TransferKey::random();
    const auto seed = KeySeed::random();
    std::vector<Recipient> recipients;
    recipients.emplace_back(
        KeyRecipient{recipient_public_key(seed, StanzaType::hpke_p256).value()});
    const auto envelope = seal_envelope(key, sample_manifest(TransferId::random()),
                                        BodyLayout::for_content(1).value(), recipients)
                              .value();
    for (std::size_t at = 0; at < envelope.size(); at += at < 400 ? 1 : 97) {
        Bytes bad = envelope;
        bad[at] ^= std::byte{1};
        INFO("byte " << at);
        CHECK_FALSE(open_envelope(bad, seed, StanzaType::hpke_p256).has_value());
    }
    for (const std::size_t length : {0UL, 3UL, 183UL, 184UL, 300UL, envelope.size() - 1}) {
        CHECK_FALSE(parse_envelope(ByteView{envelope}.first(length)).has_value());
    }
}

TEST_CASE("segments open only at their place, for their transfer, unchanged") {
    const auto key = TransferKey::random();
    const auto transfer = TransferId::random();
    FloeHeader header{};
    fill_random(std::span{header}.subspan(10, 32));
    SegmentSealer sealer{key, transfer, header, 3};
    SegmentOpener opener{key, transfer, header, 3};
    Bytes plain(segment_plain_bytes, std::byte{7});
    Bytes sealed(segment_bytes);
    Bytes out(segment_plain_bytes);
    for (const std::uint64_t index : {2UL, 0UL, 1UL}) {
        sealer.seal(index, plain, sealed);
        REQUIRE(opener.open(index, sealed, out).has_value());
        CHECK(out == plain);
        for (const std::uint64_t other : {0UL, 1UL, 2UL}) {
            if (other != index) CHECK_FALSE(opener.open(other, sealed, out).has_value());
        }
    }
    Bytes again(segment_bytes);
    sealer.seal(1, plain, again);
    CHECK(again == sealed);
    plain[5] ^= std::byte{1};
    sealer.seal(1, plain, again);
    CHECK_FALSE(std::equal(again.begin() + 4, again.begin() + 16, sealed.begin() + 4));
    SegmentOpener foreign{key, TransferId::random(), header, 3};
    CHECK_FALSE(foreign.open(1, sealed, out).has_value());
    SegmentOpener shorter{key, transfer, header, 2};
    CHECK_FALSE(shorter.open(1, sealed, out).has_value());
}

TEST_CASE("descriptors hold only with their MAC, layout and roots") {
    const auto key = TransferKey::random();
    const auto transfer = TransferId::random();
    const auto layout = BodyLayout::for_content(segment_plain_bytes * 3).value();
    std::vector<Hash256> roots(layout.pieces_in_volume(0));
    for (auto& root : roots) fill_random(root);
    const auto descriptor = make_descriptor(key, transfer, 0, layout.piece_bytes(), roots);
    CHECK(check_descriptor(key, transfer, layout, descriptor).has_value());
    const Bytes wire = encode_descriptor(descriptor);
    CHECK(decode_descriptor(wire).value() == descriptor);
    for (std::size_t at = 0; at < wire.size(); ++at) {
        Bytes bad = wire;
        bad[at] ^= std::byte{4};
        const auto decoded = decode_descriptor(bad);
        CHECK_FALSE((decoded && check_descriptor(key, transfer, layout, *decoded)));
    }
    CHECK_FALSE(check_descriptor(key, TransferId::random(), layout, descriptor).has_value());
}

TEST_CASE("a piece root is the merkle root of its blocks") {
    Bytes piece(segment_bytes);
    fill_random(piece);
    PieceHasher hasher;
    hasher.update(piece);
    std::vector<Hash256> level;
    for (std::size_t at = 0; at < piece.size(); at += block_bytes) {
        level.push_back(sha256(ByteView{piece}.subspan(at, block_bytes)));
    }
    CHECK(hasher.finish() == volume_root(level, block_bytes));
}

TEST_CASE("a layout follows from its body length") {
    for (unsigned bit = 0; bit < 50; ++bit) {
        for (const std::int64_t delta : {-1, 0, 1}) {
            const auto content = static_cast<std::uint64_t>((std::int64_t{1} << bit) + delta);
            const auto layout = BodyLayout::for_content(content).value();
            CHECK(layout.body_len() >= content);
            CHECK(layout.sealed_bytes() % layout.piece_bytes() == 0);
            CHECK(BodyLayout::from_body_len(layout.body_len()).value() == layout);
            CHECK_FALSE(BodyLayout::from_body_len(layout.body_len() + 1).has_value());
        }
    }
}

} // namespace plankurier::test::format_test
