#include "engine/crypto.hpp"

#include <plankurier/directory.hpp>

#include <sodium.h>

namespace plankurier {

namespace {

constexpr std::string_view trusted_prefix = "trusted comment: ";

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

Bytes blake2b_512(ByteView message) {
    Bytes digest(64);
    crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                       nullptr, 0);
    return digest;
}

} // namespace

Result<MinisignPublicKey> parse_minisign_public_key(std::string_view text) {
    const auto lines = lines_of(text);
    if (lines.empty() || lines.size() > 2) return fail(Errc::malformed, "public key file");
    const auto raw = from_base64(lines.back());
    if (!raw || raw->size() != 42 || as_text(ByteView{*raw}.first(2)) != "Ed") {
        return fail(Errc::malformed, "public key file");
    }
    Reader in{*raw};
    in.bytes(2);
    MinisignPublicKey key;
    key.id = in.array<8>();
    key.key = in.array<32>();
    return key;
}

std::string to_text(const MinisignPublicKey& key) {
    return to_base64(Writer{}.text("Ed").bytes(key.id).bytes(key.key).view());
}

std::string fingerprint(const MinisignPublicKey& key) {
    const auto digest = sha256(Writer{}.bytes(key.id).bytes(key.key).view());
    std::string text;
    for (std::size_t i = 0; i < 16; i += 2) {
        if (i != 0) text += ' ';
        text += to_hex(ByteView{digest}.subspan(i, 2));
    }
    return text;
}

Result<std::string> check_minisign(const MinisignPublicKey& key, ByteView message,
                                   std::string_view signature_text) {
    // minisign(1), "Signature format": untrusted comment, signature, trusted comment, global
    // signature over the signature and the trusted comment.
    const auto lines = lines_of(signature_text);
    if (lines.size() != 4 || !lines[2].starts_with(trusted_prefix)) {
        return fail(Errc::malformed, "signature file");
    }
    const auto raw = from_base64(lines[1]);
    const auto global = from_base64(lines[3]);
    if (!raw || raw->size() != 74 || !global || global->size() != 64) {
        return fail(Errc::malformed, "signature file");
    }
    Reader in{*raw};
    const std::string_view algorithm = as_text(in.bytes(2));
    if (in.array<8>() != key.id) return fail(Errc::bad_signature, "other key");
    const Signature signature = in.array<64>();
    if (algorithm != "ED" && algorithm != "Ed") return fail(Errc::unsupported, "signature kind");
    const Bytes digest = algorithm == "ED" ? blake2b_512(message) : Bytes{};
    if (!verify(key.key, algorithm == "ED" ? ByteView{digest} : message, signature)) {
        return fail(Errc::bad_signature, "message");
    }
    const std::string_view comment = lines[2].substr(trusted_prefix.size());
    Signature global_signature{};
    std::copy(global->begin(), global->end(), global_signature.begin());
    if (!verify(key.key, Writer{}.bytes(signature).text(comment).view(), global_signature)) {
        return fail(Errc::bad_signature, "trusted comment");
    }
    return std::string{comment};
}

} // namespace plankurier
