#include "vectors/kinds_read.hpp"

#include "engine/floe.hpp"
#include "engine/hpke.hpp"

#include <plankurier/directory.hpp>
#include <plankurier/receiving.hpp>
#include <plankurier/records.hpp>
#include <plankurier/sealing.hpp>

namespace plankurier::vectors {

namespace {

TransferId tid(const Json& in) { return TransferId{fixed<16>(in, "tid")}; }
/// {"repeat": hex, "count": N}: bytes too long to write down.
Bytes repeated(const Json& in) {
    const Bytes unit = hex(in, "repeat");
    Bytes out;
    for (std::uint64_t i = 0; i < in.at("count").get<std::uint64_t>(); ++i) {
        out.insert(out.end(), unit.begin(), unit.end());
    }
    return out;
}
std::vector<Hash256> roots(const Json& in) {
    std::vector<Hash256> out;
    for (const Json& one : in.at("piece_roots")) {
        const Bytes raw = from_hex(one.get<std::string>()).value();
        std::copy(raw.begin(), raw.end(), out.emplace_back().begin());
    }
    return out;
}
Outcome run_padme(const Json& in) {
    return ok({{"padded", padme(in.at("length").get<std::uint64_t>())}});
}

Outcome run_layout(const Json& in) {
    const auto layout = in.contains("body_len")
                            ? BodyLayout::from_body_len(in.at("body_len").get<std::uint64_t>())
                            : BodyLayout::for_content(in.at("content_bytes").get<std::uint64_t>());
    if (!layout) return failed(layout);
    return ok({{"body_len", layout->body_len()},
               {"sealed_bytes", layout->sealed_bytes()},
               {"piece_bytes", layout->piece_bytes()},
               {"pieces", layout->pieces()},
               {"volumes", layout->volumes()},
               {"pieces_in_last_volume", layout->pieces_in_volume(layout->volumes() - 1)}});
}

Outcome run_derive(const Json& in) {
    std::array<std::byte, 32> out{};
    derive(secret<TransferKey>(in, "key"), tid(in), in.at("label").get<std::string>(), out);
    return ok({{"derived", to_hex(out)}});
}

/// A header that is not that of this key and transfer is refused before any segment.
Result<void> check_header(const TransferKey& key, const TransferId& transfer,
                          const FloeHeader& header) {
    std::array<std::byte, 32> body_key{};
    derive(key, transfer, "body", body_key);
    const auto floe = Floe::open(body_key, body_aad(transfer), header, {});
    if (!floe) return tl::unexpected(floe.error());
    return {};
}

Bytes sealed_segment(const Json& in) {
    SegmentSealer sealer{secret<TransferKey>(in, "key"), tid(in), fixed<74>(in, "header"),
                         in.at("segments").get<std::uint64_t>()};
    Bytes out(segment_bytes);
    sealer.seal(in.at("index").get<std::uint64_t>(), repeated(in.at("plain")), out);
    return out;
}
Outcome run_segment_seal(const Json& in) {
    const auto header =
        check_header(secret<TransferKey>(in, "key"), tid(in), fixed<74>(in, "header"));
    if (!header) return failed(header);
    const Bytes sealed = sealed_segment(in);
    return ok({{"head", to_hex(ByteView{sealed}.first(48))},
               {"tail", to_hex(ByteView{sealed}.last(32))},
               {"sha256", to_hex(sha256(sealed))}});
}
/// Seals as `in` says, changes a byte of segment or header, opens as `open` says.
Outcome run_segment_open(const Json& in) {
    Bytes sealed = sealed_segment(in);
    const Json& open = in.at("open");
    if (open.contains("xor_at")) sealed[open.at("xor_at").get<std::size_t>()] ^= std::byte{1};
    if (open.contains("length")) sealed.resize(open.at("length").get<std::size_t>());
    auto header = fixed<74>(in, "header");
    if (open.contains("header_xor_at")) {
        header.at(open.at("header_xor_at").get<std::size_t>()) ^= std::byte{1};
    }
    const auto good = check_header(secret<TransferKey>(open, "key"), tid(open), header);
    if (!good) return failed(good);
    SegmentOpener opener{secret<TransferKey>(open, "key"), tid(open), header,
                         open.at("segments").get<std::uint64_t>()};
    Bytes plain(segment_plain_bytes);
    const auto done = opener.open(open.at("index").get<std::uint64_t>(), sealed, plain);
    if (!done) return failed(done);
    return ok({{"plain_sha256", to_hex(sha256(plain))}});
}

Outcome run_piece_root(const Json& in) {
    PieceHasher hasher;
    hasher.update(repeated(in));
    return ok({{"root", to_hex(hasher.finish())}});
}
Outcome run_volume_root(const Json& in) {
    return ok(
        {{"root", to_hex(volume_root(roots(in), in.at("piece_bytes").get<std::uint64_t>()))}});
}
Outcome run_descriptor_make(const Json& in) {
    const Descriptor made = make_descriptor(secret<TransferKey>(in, "key"), tid(in),
                                            in.at("volume").get<std::uint32_t>(),
                                            in.at("piece_bytes").get<std::uint64_t>(), roots(in));
    return ok({{"bytes", to_hex(encode_descriptor(made))}});
}
Outcome run_descriptor_check(const Json& in) {
    const auto descriptor = decode_descriptor(hex(in, "bytes"));
    if (!descriptor) return failed(descriptor);
    const auto layout = BodyLayout::from_body_len(in.at("body_len").get<std::uint64_t>());
    if (!layout) return failed(layout);
    const auto checked =
        check_descriptor(secret<TransferKey>(in, "key"), tid(in), *layout, *descriptor);
    if (!checked) return failed(checked);
    return ok({{"volume", descriptor->volume}, {"root", to_hex(descriptor->root)}});
}

Outcome run_ticket(const Json& in) {
    const auto ticket = check_ticket(hex(in, "bytes"), fixed<32>(in, "public_key"),
                                     in.at("now").get<std::int64_t>());
    if (!ticket) return failed(ticket);
    return ok({{"tid", ticket->transfer.hex()},
               {"role", static_cast<int>(ticket->role)},
               {"body_len", ticket->body_len},
               {"not_before", ticket->not_before},
               {"expires", ticket->expires},
               {"delete_at", ticket->delete_at}});
}
Outcome run_stored(const Json& in) {
    const auto one = check_stored(hex(in, "bytes"), fixed<32>(in, "public_key"));
    if (!one) return failed(one);
    return ok({{"relay", one->relay.hex()},
               {"tid", one->transfer.hex()},
               {"content_root", to_hex(one->content_root)},
               {"body_len", one->body_len},
               {"time", one->time}});
}
Outcome run_verified(const Json& in) {
    const auto one = check_verified(hex(in, "bytes"), fixed<32>(in, "public_key"));
    if (!one) return failed(one);
    return ok({{"tid", one->transfer.hex()},
               {"envelope_sha256", to_hex(one->envelope_sha256)},
               {"email", one->email},
               {"time", one->time}});
}
Outcome run_fetched(const Json& in) {
    const auto one = check_fetched(hex(in, "bytes"), fixed<32>(in, "public_key"));
    if (!one) return failed(one);
    return ok({{"tid", one->transfer.hex()},
               {"envelope_sha256", to_hex(one->envelope_sha256)},
               {"content_root", to_hex(one->content_root)},
               {"time", one->time}});
}
Outcome run_gone(const Json& in) {
    const auto one = check_gone(hex(in, "bytes"), fixed<32>(in, "public_key"));
    if (!one) return failed(one);
    return ok({{"relay", one->relay.hex()}, {"tid", one->transfer.hex()}, {"time", one->time}});
}

} // namespace

Json shown(const Manifest& manifest) {
    Json files = Json::array();
    for (const ManifestFile& file : manifest.files) {
        files.push_back({{"name", file.name}, {"size", file.size_bytes}, {"type", file.type}});
    }
    Json out = {{"tid", manifest.transfer.hex()},
                {"created", manifest.created},
                {"expiry_days", manifest.expiry_days},
                {"email", manifest.from.email},
                {"department", manifest.department},
                {"subject", manifest.subject},
                {"message", manifest.message},
                {"notify_fetch", manifest.notify_fetch},
                {"files", files}};
    if (const auto& reply = manifest.reply_key) {
        out["reply"] = {{"type", type_name(reply->type)},
                        {"public_key", to_hex(reply->bytes)},
                        {"inbox", inbox_id(*reply).hex()}};
    }
    return out;
}

namespace {

Outcome run_manifest(const Json& in) {
    const auto manifest = decode_manifest(hex(in, "plain"));
    return manifest ? ok(shown(*manifest)) : failed(manifest);
}
} // namespace

Result<OpenedEnvelope> open_as_told(const Json& in) {
    const Bytes bytes = hex(in, "bytes");
    if (in.contains("seed")) {
        return open_envelope(bytes, secret<KeySeed>(in, "seed"), key_type(in));
    }
    if (in.contains("password")) {
        return open_envelope(bytes, SecretText{in.at("password").get<std::string>()});
    }
    if (in.contains("link")) return open_envelope(bytes, secret<LinkSecret>(in, "link"));
    return open_envelope(bytes, secret<TransferKey>(in, "key"));
}

namespace {

Outcome run_envelope(const Json& in) {
    const auto opened = open_as_told(in);
    if (!opened) return failed(opened);
    return ok({{"key", to_hex(opened->key.reveal())},
               {"body_len", opened->layout.body_len()},
               {"body_header", to_hex(opened->body_header)},
               {"manifest", shown(opened->manifest)}});
}

Outcome run_recipient_key(const Json& in) {
    const auto seed = secret<KeySeed>(in, "seed");
    const auto key = recipient_public_key(seed, key_type(in));
    if (!key) return failed(key);
    return ok({{"public_key", to_hex(key->bytes)},
               {"kid", to_hex(key_id(*key))},
               {"signing_public_key", to_hex(signing_public_key(signing_seed(seed)))}});
}
Outcome run_key_file(const Json& in) {
    const auto opened =
        open_key_file(hex(in, "bytes"), SecretText{in.at("passphrase").get<std::string>()});
    if (!opened) return failed(opened);
    return ok({{"seed", to_hex(opened->seed.reveal())}, {"type", type_name(opened->type)}});
}

/// The key encapsulation of RFC 9180: key pairs from ikm, and the secret both sides share.
Outcome run_hpke_kem(const Json& in) {
    const StanzaType type = key_type(in);
    const auto sender = hpke::derive_private_key(type, hex(in, "ikm_e"));
    const auto recipient = hpke::derive_private_key(type, hex(in, "ikm_r"));
    const Bytes enc = hpke::public_key(type, sender), own = hpke::public_key(type, recipient);
    const auto secret_key = hpke::shared_secret(type, recipient, enc, enc, own);
    if (!secret_key) return failed(secret_key);
    return ok({{"sk_e", to_hex(sender.reveal())},
               {"enc", to_hex(enc)},
               {"sk_r", to_hex(recipient.reveal())},
               {"pk_r", to_hex(own)},
               {"shared_secret", to_hex(secret_key->reveal())}});
}
Outcome run_hpke_open(const Json& in) {
    const Bytes ciphertext = hex(in, "ciphertext");
    Bytes plain(ciphertext.size() < 16 ? 0 : ciphertext.size() - 16);
    const auto opened =
        hpke::open(key_type(in), secret<hpke::PrivateKey>(in, "sk_r"), hex(in, "enc"),
                   hex(in, "info"), hex(in, "aad"), ciphertext, plain);
    if (!opened) return failed(opened);
    return ok({{"plain", to_hex(plain)}});
}

Outcome run_minisign(const Json& in) {
    const auto key = parse_minisign_public_key(in.at("public_key").get<std::string>());
    if (!key) return failed(key);
    const auto comment =
        check_minisign(*key, hex(in, "message"), in.at("signature").get<std::string>());
    if (!comment) return failed(comment);
    return ok({{"comment", *comment}, {"fingerprint", fingerprint(*key)}});
}
Outcome run_directory(const Json& in) {
    const auto text = [&](const char* member) { return in.at(member).get<std::string>(); };
    const auto root = parse_minisign_public_key(text("root"));
    if (!root) return failed(root);
    const auto directory = open_directory({text("signer_pub"), text("signer_minisig"),
                                           text("directory_json"), text("directory_minisig")},
                                          {*root, in.at("highest_serial").get<std::uint64_t>()},
                                          in.at("now").get<std::int64_t>());
    if (!directory) return failed(directory);
    return ok({{"authority", directory->authority},
               {"serial", directory->serial},
               {"departments", directory->departments.size()}});
}

Outcome run_file_name(const Json& in) {
    const Bytes raw = hex(in, "name");
    const std::string cleaned = clean_file_name(as_text(raw));
    return ok({{"cleaned", cleaned}, {"again", clean_file_name(cleaned)}});
}
Outcome run_file_names(const Json& in) {
    std::vector<std::string> names;
    for (const auto& one : in.at("names")) {
        const auto raw = from_hex(one.get<std::string>()).value();
        names.emplace_back(as_text(raw));
    }
    return ok({{"given", distinct_names(names)}});
}
Outcome run_file_type(const Json& in) {
    const auto type = check_type(in.at("name").get<std::string>(), hex(in, "head"));
    if (!type) return failed(type);
    return ok({{"type", std::string{media_type(*type)}}});
}

} // namespace

Outcome run(const std::string& kind, const Json& in) {
    static const Kinds kinds = {
        {"padme", run_padme},
        {"layout", run_layout},
        {"derive", run_derive},
        {"segment_seal", run_segment_seal},
        {"segment_open", run_segment_open},
        {"piece_root", run_piece_root},
        {"volume_root", run_volume_root},
        {"descriptor_make", run_descriptor_make},
        {"descriptor_check", run_descriptor_check},
        {"ticket", run_ticket},
        {"stored", run_stored},
        {"verified", run_verified},
        {"fetched", run_fetched},
        {"gone", run_gone},
        {"manifest", run_manifest},
        {"envelope", run_envelope},
        {"recipient_key", run_recipient_key},
        {"key_file", run_key_file},
        {"hpke_kem", run_hpke_kem},
        {"hpke_open", run_hpke_open},
        {"minisign", run_minisign},
        {"directory", run_directory},
        {"file_name", run_file_name},
        {"file_names", run_file_names},
        {"file_type", run_file_type},
    };
    for (const Kinds* others : {&answer_kinds(), &pasted_kinds()}) {
        if (const auto found = others->find(kind); found != others->end()) return found->second(in);
    }
    const auto found = kinds.find(kind);
    if (found == kinds.end()) throw std::runtime_error("unknown kind " + kind);
    return found->second(in);
}

} // namespace plankurier::vectors
