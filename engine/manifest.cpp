#include "engine/hpke.hpp"
#include "engine/manifest_format.hpp"

#include <plankurier/json.hpp>
#include <plankurier/layout.hpp>
#include <plankurier/receiving.hpp>

#include <algorithm>

namespace plankurier {

namespace {

constexpr std::size_t plain_bytes_min = 4'096;

Json to_json(const Manifest& manifest) {
    Json files = Json::array();
    for (const ManifestFile& file : manifest.files) {
        files.push_back({{"name", file.name},
                         {"size", file.size_bytes},
                         {"type", file.type},
                         {"mtime", file.mtime}});
    }
    Json kids = Json::array();
    for (const KeyId& kid : manifest.recipient_keys) kids.push_back(to_hex(kid));
    const Contact& from = manifest.from;
    Json out = {{"v", 1},
                {"tid", manifest.transfer.hex()},
                {"created", manifest.created},
                {"expiry_days", manifest.expiry_days},
                {"from",
                 {{"name", from.name},
                  {"phone", from.phone},
                  {"email", from.email},
                  {"reference", from.reference},
                  {"clerk", from.clerk},
                  {"institution", from.institution}}},
                {"to",
                 {{"dept", manifest.department},
                  {"dir_serial", manifest.directory_serial},
                  {"kids", std::move(kids)}}},
                {"subject", manifest.subject},
                {"message", manifest.message},
                {"files", std::move(files)},
                {"opts", {{"notify_fetch", manifest.notify_fetch}}}};
    if (const auto& reply = manifest.reply_key) {
        out["reply"] = {{"type", static_cast<unsigned>(reply->type)},
                        {"pk", to_base64url(reply->bytes)},
                        {"inbox", inbox_id(*reply).hex()}};
    }
    return out;
}

bool texts_are_utf8(const Manifest& manifest) {
    const Contact& from = manifest.from;
    const auto all = {&from.name,        &from.phone,       &from.email,
                      &from.reference,   &from.clerk,       &from.institution,
                      &manifest.subject, &manifest.message, &manifest.department};
    return std::ranges::all_of(all, [](const std::string* text) { return is_utf8(*text); }) &&
           std::ranges::all_of(manifest.files, [](const ManifestFile& file) {
               return is_utf8(file.name) && is_utf8(file.type);
           });
}

ManifestFile file_from(const Json& value) {
    ManifestFile file;
    file.name = value.at("name").get<std::string>();
    file.size_bytes = value.at("size").get<std::uint64_t>();
    file.type = value.value("type", std::string{});
    file.mtime = value.value("mtime", std::int64_t{0});
    return file;
}

Contact contact_from(const Json& value) {
    Contact contact;
    contact.name = value.value("name", std::string{});
    contact.phone = value.value("phone", std::string{});
    contact.email = value.value("email", std::string{});
    contact.reference = value.value("reference", std::string{});
    contact.clerk = value.value("clerk", std::string{});
    contact.institution = value.value("institution", std::string{});
    return contact;
}

/// Nothing for a type of a later version, so that the message stays readable without it.
Result<std::optional<RecipientPublicKey>> reply_key_from(const Json& value) {
    const auto type = static_cast<StanzaType>(value.at("type").get<std::uint16_t>());
    if (public_key_bytes(type) == 0) return std::nullopt;
    auto raw = from_base64url(value.at("pk").get<std::string>());
    if (!raw) return tl::unexpected(raw.error());
    RecipientPublicKey key{type, std::move(*raw)};
    const auto inbox = InboxId::from_hex(value.at("inbox").get<std::string>());
    if (!hpke::is_point(key.type, key.bytes) || !inbox || *inbox != inbox_id(key)) {
        return fail(Errc::malformed, "reply key");
    }
    return key;
}

Result<Manifest> from_json(const Json& value) {
    if (value.at("v") != 1) return fail(Errc::unsupported, "manifest version");
    Manifest manifest;
    const auto transfer = TransferId::from_hex(value.at("tid").get<std::string>());
    if (!transfer) return tl::unexpected(transfer.error());
    manifest.transfer = *transfer;
    manifest.created = value.at("created").get<std::int64_t>();
    manifest.expiry_days = value.at("expiry_days").get<std::uint32_t>();
    manifest.from = contact_from(value.at("from"));
    const Json& to = value.at("to");
    manifest.department = to.value("dept", std::string{});
    manifest.directory_serial = to.value("dir_serial", std::uint64_t{0});
    for (const Json& text : to.value("kids", Json::array())) {
        const auto raw = from_hex(text.get<std::string>());
        if (!raw || raw->size() != 8) return fail(Errc::malformed, "key id");
        std::copy(raw->begin(), raw->end(), manifest.recipient_keys.emplace_back().begin());
    }
    manifest.subject = value.value("subject", std::string{});
    manifest.message = value.value("message", std::string{});
    const Json& files = value.at("files");
    if (!files.is_array()) return fail(Errc::malformed, "files");
    if (files.size() > files_max) return fail(Errc::too_many_files, "files");
    std::uint64_t total = 0;
    for (const Json& one : files) {
        ManifestFile file = file_from(one);
        if (file.name.size() > file_name_bytes_max) return fail(Errc::too_large, "file name");
        if (file.size_bytes > body_bytes_max - total) return fail(Errc::malformed, "sizes");
        total += file.size_bytes;
        manifest.files.push_back(std::move(file));
    }
    if (const auto opts = value.find("opts"); opts != value.end()) {
        manifest.notify_fetch = opts->value("notify_fetch", true);
    }
    if (const auto reply = value.find("reply"); reply != value.end()) {
        auto key = reply_key_from(*reply);
        if (!key) return tl::unexpected(key.error());
        manifest.reply_key = std::move(*key);
    }
    return manifest;
}

} // namespace

std::uint64_t Manifest::content_bytes() const noexcept {
    std::uint64_t total = 0;
    for (const ManifestFile& file : files) total += file.size_bytes;
    return total;
}

namespace manifest_format {

Result<std::string> encode_json(const Manifest& manifest) {
    if (manifest.files.size() > files_max) return fail(Errc::too_many_files, "files");
    if (!texts_are_utf8(manifest)) return fail(Errc::invalid_argument, "text is not UTF-8");
    for (const ManifestFile& file : manifest.files) {
        if (file.name.size() > file_name_bytes_max) return fail(Errc::too_large, "file name");
    }
    const auto& reply = manifest.reply_key;
    if (reply && !hpke::is_point(reply->type, reply->bytes))
        return fail(Errc::invalid_argument, "reply key");
    return to_json(manifest).dump();
}

Result<std::size_t> framed_bytes(std::size_t json_bytes, bool has_signature) {
    const std::size_t used = 4 + json_bytes + 1 + (has_signature ? sizeof(Signature) : 0);
    const std::size_t padded = padme(std::max(used, plain_bytes_min));
    // The sealed form adds 32 bytes a 64 KiB segment and must stay within the same limit.
    if (padded > manifest_bytes_max - 2'048) return fail(Errc::too_large, "manifest");
    return padded;
}

Bytes frame(std::string_view json_text, const Signature* signature, std::size_t framed_length) {
    Writer out;
    out.u32(static_cast<std::uint32_t>(json_text.size())).text(json_text);
    out.u8(signature != nullptr ? 1 : 0);
    if (signature != nullptr) out.bytes(*signature);
    Bytes plain = out.take();
    plain.resize(framed_length);
    return plain;
}

Result<Frame> unframe(ByteView plain) {
    if (plain.size() > manifest_bytes_max) return fail(Errc::too_large, "manifest");
    Reader in{plain};
    Frame frame;
    const std::size_t length = in.u32();
    frame.json = as_text(in.bytes(length));
    const std::uint8_t has_signature = in.u8();
    if (!in.ok() || has_signature > 1) return fail(Errc::malformed, "manifest");
    if (has_signature == 1) frame.signature = in.array<64>();
    const ByteView padding = in.bytes(in.left());
    if (!in.ok() || !std::ranges::all_of(padding, [](std::byte b) { return b == std::byte{0}; })) {
        return fail(Errc::malformed, "manifest padding");
    }
    return frame;
}

Result<Manifest> decode_json(std::string_view text) {
    try {
        return from_json(parse_json(text));
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "manifest JSON");
    }
}

Bytes statement(ByteView before_mac, std::string_view json_text) {
    return Writer{}
        .text("plankurier/1 manifest sig")
        .u8(0)
        .bytes(crypto::sha512(before_mac))
        .bytes(crypto::sha512(as_bytes(json_text)))
        .take();
}

} // namespace manifest_format

Result<Bytes> encode_manifest(const Manifest& manifest) {
    auto text = manifest_format::encode_json(manifest);
    if (!text) return tl::unexpected(text.error());
    const auto length = manifest_format::framed_bytes(text->size(), false);
    if (!length) return tl::unexpected(length.error());
    Bytes plain = manifest_format::frame(*text, nullptr, *length);
    wipe(std::as_writable_bytes(std::span{*text}));
    return plain;
}

Result<Manifest> decode_manifest(ByteView plain) {
    const auto frame = manifest_format::unframe(plain);
    if (!frame) return tl::unexpected(frame.error());
    return manifest_format::decode_json(frame->json);
}

} // namespace plankurier
