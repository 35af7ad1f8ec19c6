// Bytes whose MAC or signature is right and whose contents are not: what a careless or hostile
// author can make, and nobody else.
#include "engine/envelope_format.hpp"
#include "engine/manifest_format.hpp"
#include "vectors/generate.hpp"

#include <plankurier/history.hpp>

namespace plankurier::vectors {

namespace {

constexpr std::int64_t now = 1'800'000'000;
constexpr std::array both{std::pair{StanzaType::hpke_p256, "p256"},
                          std::pair{StanzaType::hpke_x25519, "x25519"}};

RecipientPublicKey public_of(std::string_view name, StanzaType type) {
    return recipient_public_key(secret_of<KeySeed>(name), type).value();
}

/// No point of P-256, or a point of order 8 of Curve25519.
RecipientPublicKey no_key(StanzaType type) {
    if (type == StanzaType::hpke_p256) {
        return {type, flipped(public_of("citizen", type).bytes, 40)};
    }
    return {type,
            from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800").value()};
}

void floe_headers() {
    const auto key = secret_of<TransferKey>("transfer key");
    std::vector<Recipient> recipients;
    recipients.emplace_back(KeyRecipient{public_of("department", StanzaType::hpke_p256)});
    const Bytes good = seal_envelope(key, sample(), BodyLayout::for_content(100'023).value(),
                                     recipients, entropy_of("floe headers"))
                           .value();
    const std::size_t mac_at = parse_envelope(good)->mac_at;
    const auto changed = [&](const std::string& slug, const std::string& about, std::size_t at,
                             const std::string& expect) {
        Bytes bytes = flipped(good, at);
        const auto mac = envelope_format::header_mac(key, transfer, ByteView{bytes}.first(mac_at));
        std::copy(mac.begin(), mac.end(), bytes.begin() + static_cast<std::ptrdiff_t>(mac_at));
        add("envelope", "floe-" + slug, about,
            {{"bytes", to_hex(bytes)}, {"key", hex_of("transfer key")}}, expect);
    };
    constexpr std::size_t body = 32, manifest = body + 74;
    changed("body-parameters", "other FLOE parameters of the body", body + 3, "malformed");
    changed("body-iv", "another FLOE IV of the body", body + 10, "tampered");
    changed("body-tag", "another FLOE tag of the body", body + 73, "tampered");
    changed("manifest-parameters", "other FLOE parameters of the manifest", manifest + 4,
            "malformed");
    changed("manifest-iv", "another FLOE IV of the manifest", manifest + 10, "tampered");
    changed("manifest-tag", "another FLOE tag of the manifest", manifest + 42, "tampered");
}

void answers() {
    std::vector<Recipient> recipients;
    recipients.emplace_back(KeyRecipient{public_of("citizen", StanzaType::hpke_p256)});
    Manifest manifest = sample();
    manifest.files.clear();
    const auto sealed = [&](const SealOptions& options) {
        return seal_envelope(secret_of<TransferKey>("transfer key"), manifest,
                             BodyLayout::for_content(0).value(), recipients, options,
                             entropy_of("refused answers"))
            .value();
    };
    add("envelope", "unsigned-answer", "an answer that nobody signed: to be shown as such",
        {{"bytes", to_hex(sealed({nullptr, true}))},
         {"seed", hex_of("citizen")},
         {"type", "p256"}});
    manifest.files = {{"Plan.pdf", segment_plain_bytes + 1, "application/pdf", 0}};
    add("envelope", "files-beyond-body", "files that do not fit into the body",
        {{"bytes", to_hex(sealed({}))}, {"seed", hex_of("citizen")}, {"type", "p256"}}, "tampered");
    manifest = sample();
    manifest.transfer = transfer_of("another");
    Bytes other = sealed({});
    add("envelope", "stanza-of-another", "a header made another transfer's",
        {{"bytes", to_hex([&] {
              std::copy(transfer.bytes.begin(), transfer.bytes.end(), other.begin() + 8);
              return other;
          }())},
         {"seed", hex_of("citizen")},
         {"type", "p256"}},
        "wrong_key");
}

void key_files() {
    for (const auto& [type, kind] : both) {
        add("key_file", std::string{kind} + "-other-key", "a seed that is not that of the kid",
            {{"bytes", to_hex(key_file_of(public_of("another", type)))},
             {"passphrase", "ein Satz, länger"}},
            "tampered");
    }
}

Bytes framed(const std::string& text) {
    return manifest_format::frame(text, nullptr,
                                  manifest_format::framed_bytes(text.size(), false).value());
}

void manifests() {
    const Bytes plain = encode_manifest(sample()).value();
    const Json good = Json::parse(manifest_format::unframe(plain)->json);
    const auto changed = [&](const std::string& slug, const std::string& about, auto change,
                             const std::string& expect) {
        Json json = good;
        change(json);
        add("manifest", slug, about, {{"plain", to_hex(framed(json.dump()))}}, expect);
    };
    changed(
        "later-members", "members that a reader does not know",
        [](Json& in) {
            in["colour"] = in["from"]["room"] = in["to"]["floor"] = "x";
            in["files"][0]["author"] = {{"name", "Y"}};
            in["opts"]["later"] = in["later"] = {1, {{"a", nullptr}}};
        },
        "ok");
    changed(
        "least", "nothing but what must be there",
        [](Json& in) {
            in["from"] = in["to"] = Json::object();
            in["files"][0].erase("type");
            in["files"][0].erase("mtime");
            for (const char* member : {"subject", "message", "opts"}) in.erase(member);
        },
        "ok");
    for (const char* member : {"v", "tid", "created", "expiry_days", "from", "to", "files"}) {
        changed(
            std::string{"no-"} + member, "a member that must be there is missing",
            [&](Json& in) { in.erase(member); }, "malformed");
    }
    changed(
        "no-file-size", "a file without size", [](Json& in) { in["files"][0].erase("size"); },
        "malformed");
    changed(
        "version", "a later version", [](Json& in) { in["v"] = 2; }, "unsupported");
    changed(
        "sizes", "more bytes than any body has",
        [](Json& in) { in["files"][0]["size"] = body_bytes_max; }, "malformed");
    changed(
        "long-name", "a name of 1,025 bytes",
        [](Json& in) { in["files"][0]["name"] = std::string(file_name_bytes_max + 1, 'a'); },
        "too_large");
    changed(
        "many-files", "1,001 files",
        [](Json& in) {
            in["files"] = Json::array();
            for (std::size_t i = 0; i <= files_max; ++i)
                in["files"].push_back({{"name", "a"}, {"size", 0}});
        },
        "too_many_files");
    for (const auto& [type, kind] : both) {
        const RecipientPublicKey bad = no_key(type);
        changed(
            std::string{"reply-"} + kind + "-no-point", "a return key that is no key",
            [&, type = type](Json& in) {
                in["reply"] = {{"type", static_cast<unsigned>(type)},
                               {"pk", to_base64url(bad.bytes)},
                               {"inbox", inbox_id(bad).hex()}};
            },
            "malformed");
    }
}

std::string replaced(std::string text, std::string_view old, std::string_view by) {
    return text.replace(text.find(old), old.size(), by);
}

/// Texts that two readers of JSON might understand differently.
void json_texts() {
    const Bytes plain = encode_manifest(sample()).value();
    const std::string good{manifest_format::unframe(plain)->json};
    const auto changed = [&](const std::string& slug, const std::string& about,
                             std::string_view old, const std::string& by,
                             const std::string& expect = "malformed") {
        add("manifest", "json-" + slug, about, {{"plain", to_hex(framed(replaced(good, old, by)))}},
            expect);
    };
    constexpr std::string_view size = "\"size\":100000", days = "\"expiry_days\":14";
    changed("fraction", "a size with a fraction", size, "\"size\":100000.0");
    changed("exponent", "a size with an exponent", size, "\"size\":1e5");
    changed("text", "a size as text", size, "\"size\":\"100000\"");
    changed("negative", "a size below zero", size, "\"size\":-1");
    changed("out-of-range", "a size of 2^64", size, "\"size\":18446744073709551616");
    changed("too-many-days", "days that do not fit", days, "\"expiry_days\":4294967296");
    changed("twice", "a member that stands twice", days,
            std::string{days} + "," + std::string{days});
    changed("not-utf8", "a text that is not UTF-8", "Bauantrag", "Bauantr\xE4ge");
    changed("half-pair", "half of a surrogate pair", "Bauantrag", "\\ud800");
    const std::string open(31, '['), close(31, ']');
    changed("deep", "32 values in each other, passed over", days,
            std::string{days} + ",\"later\":" + open + close, "ok");
    changed("too-deep", "33 values in each other", days,
            std::string{days} + ",\"later\":[" + open + close + "]");
    changed("later-fraction", "a fraction in a member that is passed over", days,
            std::string{days} + ",\"later\":0.5", "ok");
    add("manifest", "json-trailing", "something behind the object",
        {{"plain", to_hex(framed(good + " {}"))}}, "malformed");
}

void records() {
    const auto control = secret_of<SigningSeed>("control key");
    const auto ticket = [&](const std::string& slug, const std::string& about, unsigned char role,
                            std::uint64_t expires, const std::string& expect) {
        Writer out;
        out.text("PKT1").bytes(transfer.bytes).u8(role).u64(segment_plain_bytes).u64(now);
        out.u64(expires).u64(now + 1'209'600);
        out.bytes(sign(control, out.view()));
        add("ticket", slug, about,
            {{"bytes", to_hex(out.view())},
             {"public_key", to_hex(signing_public_key(control))},
             {"now", now}},
            expect);
    };
    ticket("role-unknown", "a role that does not exist", 4, now + 900, "malformed");
    ticket("long-life", "a life of 901 s", 1, now + 901, "expired");
    ticket("time-too-large", "a time beyond 2^53", 1, std::uint64_t{1} << 63, "malformed");
}

void histories() {
    const auto control = secret_of<SigningSeed>("control key");
    const Hash256 start =
        sha256(Writer{}.text("plankurier/1 history").u8(0).bytes(transfer.bytes).view());
    const auto begun = [&](const std::string& slug, const std::string& about, unsigned char event) {
        Writer front, entry;
        front.text("PKH1").bytes(transfer.bytes).u32(1);
        entry.bytes(start).u8(event).u64(now).u64(0);
        const Bytes statement = Writer{}.bytes(front.view()).bytes(sha256(entry.view())).take();
        front.bytes(entry.view()).bytes(sign(control, statement));
        add("history", slug, about,
            {{"bytes", to_hex(front.view())}, {"public_key", to_hex(signing_public_key(control))}},
            "malformed");
    };
    begun("event-unknown", "an event that does not exist, well signed", 9);
    begun("no-begin", "a history that does not begin with accepted", 3);
}

void directories() {
    Directory directory;
    directory.authority = "Landratsamt Musterkreis";
    Department department;
    department.id = department.name = "bauamt";
    const auto key = public_of("department", StanzaType::hpke_p256);
    department.keys.push_back({key_id(key), key, now - 1'000, now + 1'000});
    directory.departments.push_back(department);
    const auto listed = [&](const std::string& slug, const std::string& about,
                            const RecipientPublicKey& other, const std::string& expect,
                            bool alone = false) {
        Directory changed = directory;
        auto& keys = changed.departments.front().keys;
        if (alone) keys.clear();
        keys.push_back({key_id(other), other, now - 10, now + 1'000});
        add("listed_key", slug, about,
            {{"directory", encode_directory(changed)}, {"now", now}, {"to", "bauamt"}}, expect);
    };
    listed("no-point", "a key that is no point of its curve", no_key(StanzaType::hpke_p256),
           "malformed");
    listed("weak-point", "a key of low order", no_key(StanzaType::hpke_x25519), "malformed");
    const RecipientPublicKey later{static_cast<StanzaType>(6), Bytes(1'216, std::byte{7})};
    listed("later-kind", "a newer key of a kind not known yet", later, "ok");
    listed("later-kind-alone", "only a key of a kind not known yet", later, "unsupported", true);
}

} // namespace

Bytes key_file_of(const RecipientPublicKey& key) {
    const Hash256 salt = bytes_of("salt"), nonce = bytes_of("nonce");
    Secret<64, struct WrapTag> wrap;
    crypto::argon2id("ein Satz, länger", std::span{salt}.first<16>(), 1, 64, wrap.reveal_mutable());
    Writer file;
    file.text("PKK1").u16(static_cast<std::uint16_t>(key.type)).bytes(key_id(key));
    file.bytes(ByteView{salt}.first(16)).u32(1).u32(64).bytes(wrap.reveal().subspan(32));
    file.bytes(ByteView{nonce}.first(12));
    const Bytes sealed = crypto::gcm_seal(wrap.reveal().first(32), ByteView{nonce}.first(12),
                                          file.view(), bytes_of("department"));
    return file.bytes(sealed).take();
}

void write_refusals() {
    floe_headers();
    answers();
    key_files();
    manifests();
    json_texts();
    records();
    histories();
    directories();
}

} // namespace plankurier::vectors
