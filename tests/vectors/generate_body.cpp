#include "engine/floe.hpp"
#include "vectors/generate.hpp"

namespace plankurier::vectors {

namespace {

void sizes() {
    for (const std::uint64_t length : {0ULL, 1ULL, 9ULL, 1'000ULL, 1'048'577ULL, 1ULL << 40}) {
        add("padme", std::to_string(length), "a length is padded so that only its magnitude shows",
            {{"length", length}});
    }
    for (const std::uint64_t bytes :
         {0ULL, 1ULL, segment_plain_bytes - 0ULL, segment_plain_bytes + 1ULL, 67'108'864ULL,
          1'073'741'824ULL, 4'294'967'296ULL, 1ULL << 42}) {
        add("layout", "content-" + std::to_string(bytes), "how so many bytes of files are cut",
            {{"content_bytes", bytes}});
    }
    add("layout", "too-large", "more than exact numbers in JavaScript",
        {{"content_bytes", body_bytes_max}}, "too_large");
    add("layout", "body-zero", "no body is empty", {{"body_len", 0}}, "malformed");
    add("layout", "body-odd", "no content leads to this length", {{"body_len", 65'536}},
        "malformed");
    add("layout", "body-half-piece", "a body of 1 MiB pieces that is no whole number of them",
        {{"body_len", 300 * segment_plain_bytes + segment_plain_bytes}}, "malformed");
}

/// As the envelope of the transfer would hold it.
FloeHeader header_of(const TransferKey& key, const TransferId& of) {
    std::array<std::byte, 32> body_key{};
    derive(key, of, "body", body_key);
    return Floe{body_key, body_aad(of), bytes_of("floe iv"), {}}.header();
}

Json segment_in(std::uint64_t index, std::uint64_t segments, const char* fill) {
    const std::size_t unit = std::string_view{fill}.size() / 2;
    return {{"key", hex_of("transfer key")},
            {"tid", transfer.hex()},
            {"header", to_hex(header_of(secret_of<TransferKey>("transfer key"), transfer))},
            {"segments", segments},
            {"index", index},
            {"plain", {{"repeat", fill}, {"count", segment_plain_bytes / unit}}}};
}

void segments() {
    add("segment_seal", "first", "the first of three segments", segment_in(0, 3, "00"));
    add("segment_seal", "same-content-elsewhere", "the same bytes at another place look different",
        segment_in(1, 3, "00"));
    add("segment_seal", "last", "the last segment is marked", segment_in(2, 3, "00"));
    add("segment_seal", "next-key", "segment 2^20 uses the next key",
        segment_in(1'048'576, 1'048'580, "0123456789abcdef"));
    const auto open = [](std::uint64_t index, std::uint64_t count, Json more = Json::object()) {
        Json in = segment_in(1, 3, "5a");
        in["open"] = {
            {"key", in["key"]}, {"tid", in["tid"]}, {"segments", count}, {"index", index}};
        in["open"].update(more);
        return in;
    };
    add("segment_open", "good", "a segment opens in its place", open(1, 3));
    add("segment_open", "other-place", "a segment moved to another place", open(0, 3), "tampered");
    add("segment_open", "made-last", "an end cut off: a middle segment taken for the last",
        open(1, 2), "tampered");
    for (const std::size_t at : {0UL, 4UL, 16UL, 1'000UL, 262'143UL}) {
        add("segment_open", "flipped-" + std::to_string(at), "one bit flipped",
            open(1, 3, {{"xor_at", at}}), "tampered");
    }
    add("segment_open", "short", "a byte less", open(1, 3, {{"length", segment_bytes - 1}}),
        "tampered");
    for (const auto& [name, at, expect] :
         {std::tuple{"parameters", 3UL, "malformed"}, std::tuple{"aead", 0UL, "malformed"},
          std::tuple{"iv", 10UL, "tampered"}, std::tuple{"tag", 42UL, "tampered"},
          std::tuple{"tag-end", 73UL, "tampered"}}) {
        add("segment_open", std::string{"header-"} + name + "-flipped",
            "one bit of the FLOE header flipped", open(1, 3, {{"header_xor_at", at}}), expect);
    }
    add("segment_open", "other-key", "another transfer's key",
        open(1, 3, {{"key", hex_of("another key")}}), "tampered");
    add("segment_open", "other-transfer", "another transfer's id",
        open(1, 3, {{"tid", transfer_of("another").hex()}}), "tampered");
}

Json root_list(unsigned count) {
    Json roots = Json::array();
    for (unsigned i = 0; i < count; ++i) roots.push_back(hex_of("piece " + std::to_string(i)));
    return roots;
}

void trees() {
    for (const std::uint64_t blocks : {1UL, 2UL, 16UL, 64UL}) {
        add("piece_root", std::to_string(blocks) + "-blocks", "BEP 52 tree over 16 KiB blocks",
            {{"repeat", "a5"}, {"count", blocks * block_bytes}});
    }
    for (const unsigned pieces : {1U, 2U, 3U, 5U, 64U}) {
        add("volume_root", std::to_string(pieces) + "-pieces", "the tree above the pieces, padded",
            {{"piece_bytes", segment_bytes}, {"piece_roots", root_list(pieces)}});
    }
    const Json base = {{"key", hex_of("transfer key")}, {"tid", transfer.hex()}};
    Json make = base;
    make.update({{"volume", 0}, {"piece_bytes", segment_bytes}, {"piece_roots", root_list(3)}});
    add("descriptor_make", "three-pieces", "a volume of three pieces", make);
    const Bytes good =
        from_hex(run("descriptor_make", make).out.at("bytes").get<std::string>()).value();
    const auto check = [&](const Bytes& bytes, std::uint64_t pieces = 3) {
        Json in = base;
        in.update({{"bytes", to_hex(bytes)}, {"body_len", pieces * segment_plain_bytes}});
        return in;
    };
    add("descriptor_check", "good", "the descriptor of the whole body", check(good));
    add("descriptor_check", "root-flipped", "another volume root", check(flipped(good, 13)),
        "tampered");
    add("descriptor_check", "piece-flipped", "another piece root", check(flipped(good, 50)),
        "tampered");
    add("descriptor_check", "mac-flipped", "another MAC", check(flipped(good, good.size() - 1)),
        "tampered");
    add("descriptor_check", "cut", "a byte less", check(cut(good, 1)), "malformed");
    add("descriptor_check", "empty", "nothing", check({}), "malformed");
    add("descriptor_check", "other-layout", "a body with more pieces", check(good, 4), "tampered");
    Json foreign = check(good);
    foreign["tid"] = transfer_of("another").hex();
    add("descriptor_check", "foreign", "the descriptor of another transfer", foreign, "tampered");
    for (const char* label : {"body", "fetch", "descriptor", "iv", "iv-hash"}) {
        Json in = base;
        in["label"] = label;
        add("derive", label, "a key derived from the transfer key", in);
    }
}

} // namespace

void write_body() {
    sizes();
    segments();
    trees();
}

} // namespace plankurier::vectors
