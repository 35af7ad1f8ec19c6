#include "engine/envelope_format.hpp"
#include "engine/manifest_format.hpp"
#include "vectors/generate.hpp"

#include <plankurier/challenge.hpp>
#include <plankurier/history.hpp>
#include <plankurier/links.hpp>
#include <plankurier/members.hpp>

namespace plankurier::vectors {

namespace {

constexpr std::int64_t created = 1'800'000'000;
constexpr std::int64_t day = 86'400;
constexpr std::array both{std::pair{StanzaType::hpke_p256, "p256"},
                          std::pair{StanzaType::hpke_x25519, "x25519"}};
/// Points on Curve25519 of order 1 and 8: the shared secret with them is zero for every key.
constexpr std::string_view weak_one =
    "0100000000000000000000000000000000000000000000000000000000000000";
constexpr std::string_view weak_eight =
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";

Json with(Json base, const Json& more) {
    base.update(more);
    return base;
}
Bytes with_bytes(Bytes bytes, std::size_t at, std::string_view digits) {
    const Bytes put = from_hex(digits).value();
    std::copy(put.begin(), put.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    return bytes;
}
RecipientPublicKey public_of(std::string_view name, StanzaType type) {
    return recipient_public_key(secret_of<KeySeed>(name), type).value();
}

Manifest message() {
    Manifest manifest;
    manifest.transfer = transfer;
    manifest.created = created;
    manifest.expiry_days = 14;
    manifest.subject = "Bescheid";
    manifest.message = "Ihr Antrag ist genehmigt.\nMit freundlichen Grüßen";
    return manifest;
}
Bytes sealed(std::vector<Recipient> recipients, const SealOptions& options = {},
             const Manifest& manifest = message()) {
    return seal_envelope(secret_of<TransferKey>("transfer key"), manifest,
                         BodyLayout::for_content(0).value(), recipients, options,
                         entropy_of("answer"))
        .value();
}

void link_stanzas() {
    std::vector<Recipient> recipients;
    recipients.emplace_back(KeyRecipient{public_of("department", StanzaType::hpke_p256)});
    recipients.emplace_back(LinkRecipient{secret_of<LinkSecret>("first link")});
    recipients.emplace_back(LinkRecipient{secret_of<LinkSecret>("second link")});
    recipients.emplace_back(KeyRecipient{public_of("deputy", StanzaType::hpke_x25519)});
    recipients.emplace_back(KeyRecipient{public_of("hidden", StanzaType::hpke_p256), true});
    const Bytes good = sealed(std::move(recipients));
    const auto view = parse_envelope(good).value();
    const auto by_link = [&](const Bytes& bytes, const char* link = "second link") -> Json {
        return {{"bytes", to_hex(bytes)}, {"link", hex_of(link)}};
    };
    add("envelope", "link-first", "opened with a link's secret", by_link(good, "first link"));
    add("envelope", "link-second", "opened with another link's secret", by_link(good));
    add("envelope", "link-wrong", "a secret of no link here", by_link(good, "third"), "wrong_key");
    const std::size_t at = view.stanzas[2].body_at;
    add("envelope", "link-commit-flipped", "a commitment to another secret",
        by_link(flipped(good, at)), "wrong_key");
    add("envelope", "link-wrapped-key-flipped", "a changed wrapped key",
        by_link(flipped(good, at + 40)), "tampered");
    add("envelope", "link-other-stanza-flipped", "a changed stanza of somebody else",
        by_link(flipped(good, view.stanzas[0].body_at + 80)), "tampered");
    add("envelope", "link-stanza-length", "a link stanza of another length",
        by_link(flipped(good, at - 9)), "malformed");
    const auto by_seed = [&](const Bytes& bytes, const char* seed, const char* type) -> Json {
        return {{"bytes", to_hex(bytes)}, {"seed", hex_of(seed)}, {"type", type}};
    };
    add("envelope", "several-first", "the first of several recipients",
        by_seed(good, "department", "p256"));
    add("envelope", "several-deputy", "a deputy with a key of another type",
        by_seed(good, "deputy", "x25519"));
    add("envelope", "several-hidden", "a recipient whose kid is not told",
        by_seed(good, "hidden", "p256"));
    for (const std::string_view weak : {weak_one, weak_eight}) {
        add("envelope", weak == weak_one ? "weak-point-1" : "weak-point-8",
            "an encapsulated X25519 point of low order",
            by_seed(with_bytes(good, view.stanzas[3].body_at, weak), "deputy", "x25519"),
            "malformed");
    }
}

void reply_keys() {
    for (const auto& [type, kind] : both) {
        const std::string slug{kind};
        add("reply_key", slug, "return key and inbox of a seed",
            {{"seed", hex_of("citizen")}, {"type", slug}});
        Manifest manifest = message();
        manifest.reply_key = public_of("citizen", type);
        const Bytes plain = encode_manifest(manifest).value();
        add("manifest", "reply-" + slug, "a message with a return key", {{"plain", to_hex(plain)}});
        const std::string inbox = inbox_id(*manifest.reply_key).hex();
        const std::size_t at = as_text(plain).find(inbox);
        add("manifest", "reply-" + slug + "-inbox", "an inbox that is not that of the return key",
            {{"plain", to_hex(with_bytes(plain, at, inbox[0] == '0' ? "31" : "30"))}}, "malformed");
        Bytes later = plain;
        const std::size_t number = as_text(plain).find("\"type\":", at);
        later.at(number + 7) = std::byte{'9'};
        add("manifest", "reply-" + slug + "-later-type", "a return key of a type not known yet",
            {{"plain", to_hex(later)}});
    }
}

/// What a recipient can do who knows the transfer key too: the same envelope and signature around
/// another message. The lengths are the same, so header and MAC stay.
Bytes exchanged(const Bytes& envelope, const Manifest& other) {
    const auto key = secret_of<TransferKey>("transfer key");
    const auto view = parse_envelope(envelope).value();
    const Signature signature = open_envelope(envelope, key.clone())->signature->value;
    const auto json = manifest_format::encode_json(other).value();
    const std::size_t length = view.manifest_bytes - 32;
    crypto::Key256 manifest_key;
    derive(key, transfer, "manifest", manifest_key.reveal_mutable());
    auto floe = Floe::open(manifest_key.reveal(), envelope_format::manifest_aad(transfer),
                           view.manifest_header, {envelope_format::manifest_segment_bytes})
                    .value();
    Bytes out = envelope;
    const std::array<std::byte, 12> iv{std::byte{7}};
    floe.seal(0, true, iv, manifest_format::frame(json, &signature, length),
              std::span{out}.subspan(view.manifest_at));
    return out;
}

std::string signers(std::int64_t from, std::int64_t until, bool revoked = false) {
    Directory directory;
    directory.authority = "Landratsamt Musterkreis";
    directory.serial = 9;
    for (const char* id : {"verkehr", "bauamt"}) {
        Department department;
        department.id = department.name = id;
        KeyId kid{};
        std::copy_n(bytes_of(id).begin(), kid.size(), kid.begin());
        const auto signing = signing_seed(secret_of<KeySeed>(id));
        department.signing_keys.push_back({kid, signing_public_key(signing), from, until});
        if (revoked) directory.revoked.push_back(kid);
        directory.departments.push_back(department);
    }
    return encode_directory(directory);
}

void signatures() {
    const auto department = signing_seed(secret_of<KeySeed>("bauamt"));
    const auto stranger = signing_seed(secret_of<KeySeed>("stranger"));
    const std::string directory = signers(created - day, created + day);
    const auto in = [&](const Bytes& bytes) -> Json {
        return {{"bytes", to_hex(bytes)},
                {"seed", hex_of("citizen")},
                {"type", "p256"},
                {"directory", directory}};
    };
    const auto seal = [&](const SealOptions& options, const Manifest& manifest) {
        std::vector<Recipient> recipients;
        recipients.emplace_back(KeyRecipient{public_of("citizen", StanzaType::hpke_p256)});
        return sealed(std::move(recipients), options, manifest);
    };
    const Bytes good = seal({&department, true}, message());
    add("signed_envelope", "good", "an answer signed by a department", in(good));
    add("signed_envelope", "first-contact", "signed, and no reply",
        in(seal({&department, false}, message())));
    add("signed_envelope", "unsigned", "a citizen's transfer is not signed",
        in(seal({}, message())));
    add("signed_envelope", "stranger", "signed with a key that is not listed",
        in(seal({&stranger, true}, message())), "bad_signature");
    add("signed_envelope", "a-day-before", "created a day before the key's time",
        with(in(good), {{"directory", signers(created + day, created + 9 * day)}}));
    add("signed_envelope", "before", "created before the key's time",
        with(in(good), {{"directory", signers(created + 2 * day, created + 9 * day)}}),
        "bad_signature");
    add("signed_envelope", "after", "created after the key's time",
        with(in(good), {{"directory", signers(created - 9 * day, created - day)}}),
        "bad_signature");
    add("signed_envelope", "revoked", "the key is revoked",
        with(in(good), {{"directory", signers(created - day, created + day, true)}}),
        "bad_signature");
    add("signed_envelope", "reply-flag-flipped", "an answer made a first contact",
        in(with_bytes(good, 5, "00")), "wrong_key");
    add("signed_envelope", "manifest-flipped", "one bit of the sealed manifest",
        in(flipped(good, parse_envelope(good)->manifest_at + 60)), "tampered");
    Manifest other = message();
    other.message = "Ihr Antrag ist abgelehnt.\nMit freundlichen Grüßen";
    add("signed_envelope", "other-message", "a message that another recipient put in its place",
        in(exchanged(good, other)), "bad_signature");
}

void epochs() {
    Directory directory;
    directory.authority = "Landratsamt Musterkreis";
    Department department;
    department.id = department.name = "bauamt";
    for (const auto& [name, from, until] :
         {std::tuple{"epoch 1", -90, 20}, std::tuple{"epoch 3", 0, 90},
          std::tuple{"epoch 2", -10, 90}}) {
        const auto key = public_of(name, StanzaType::hpke_p256);
        department.keys.push_back({key_id(key), key, created + from * day, created + until * day});
    }
    directory.departments.push_back(department);
    const std::string text = encode_directory(directory);
    const auto at = [&](std::int64_t days) -> Json {
        return {{"directory", text}, {"now", created + days * day}};
    };
    add("department_key", "newest", "the epoch that began last", at(0));
    add("department_key", "overlap", "two epochs overlap", at(-5));
    add("department_key", "oldest", "only the first has begun", at(-50));
    add("department_key", "over", "all are over", at(90), "expired");
    directory.revoked.push_back(department.keys[1].kid);
    add("department_key", "revoked", "the newest is revoked",
        {{"directory", encode_directory(directory)}, {"now", created}});
}

void members() {
    for (const auto& [type, kind] : both) {
        const std::string slug{kind};
        const auto department = secret_of<KeySeed>("department");
        const Bytes good =
            encode_member_wrap(wrap_for_member(department, type, public_of("member", type),
                                               entropy_of("member " + slug))
                                   .value());
        const auto in = [](const Bytes& bytes, const char* seed = "member") -> Json {
            return {{"bytes", to_hex(bytes)}, {"seed", hex_of(seed)}};
        };
        add("member_wrap", slug + "-good", "a department's seed for a member", in(good));
        add("member_wrap", slug + "-other-member", "another member", in(good, "other member"),
            "wrong_key");
        for (const auto& [name, at, expect] :
             {std::tuple{"magic", std::size_t{3}, "malformed"},
              std::tuple{"type", std::size_t{5}, "unsupported"},
              std::tuple{"department", std::size_t{6}, "wrong_key"},
              std::tuple{"member", std::size_t{16}, "wrong_key"},
              std::tuple{"seed", good.size() - 20, "wrong_key"}}) {
            add("member_wrap", slug + "-" + name + "-flipped", "one bit flipped",
                in(flipped(good, at)), expect);
        }
        add("member_wrap", slug + "-cut", "a byte less", in(cut(good, 1)), "malformed");
        add("member_wrap", slug + "-empty", "nothing", in({}), "malformed");
        if (type == StanzaType::hpke_x25519) {
            add("member_wrap", slug + "-weak-point", "an encapsulated point of low order",
                in(with_bytes(good, 24, weak_eight)), "malformed");
        } else {
            add("member_wrap", slug + "-no-point", "an encapsulated point off the curve",
                in(flipped(good, 40)), "malformed");
        }
    }
}

void challenges() {
    for (const auto& [type, kind] : both) {
        const std::string slug{kind};
        const Challenge good =
            make_challenge(public_of("department", type), entropy_of("challenge " + slug)).value();
        const auto in = [&](const Bytes& bytes, const char* seed = "department") -> Json {
            return {{"bytes", to_hex(bytes)}, {"seed", hex_of(seed)}, {"type", slug}};
        };
        add("challenge", slug + "-good", "the holder's answer", in(good.bytes));
        add("challenge", slug + "-other", "another key", in(good.bytes, "stranger"), "wrong_key");
        add("challenge", slug + "-nonce-flipped", "a changed nonce",
            in(flipped(good.bytes, good.bytes.size() - 20)), "wrong_key");
        add("challenge", slug + "-kid-flipped", "another kid", in(flipped(good.bytes, 6)),
            "wrong_key");
        add("challenge", slug + "-magic-flipped", "another magic", in(flipped(good.bytes, 0)),
            "malformed");
        add("challenge", slug + "-cut", "a byte less", in(cut(good.bytes, 1)), "malformed");
        add("challenge", slug + "-type-unknown", "a type that is no kind of key",
            in(with_byte(good.bytes, 5, 4)), "unsupported");
        if (type == StanzaType::hpke_p256) {
            add("challenge", slug + "-no-point", "an encapsulated point off the curve",
                in(flipped(good.bytes, 40)), "malformed");
        }
        if (type != StanzaType::hpke_x25519) continue;
        for (const std::string_view weak : {weak_one, weak_eight}) {
            add("challenge", weak == weak_one ? "x25519-weak-1" : "x25519-weak-8",
                "an encapsulated point of low order", in(with_bytes(good.bytes, 14, weak)),
                "malformed");
        }
    }
}

void histories() {
    const auto control = secret_of<SigningSeed>("control key");
    Bytes bytes = begin_history(transfer, created, control);
    const auto in = [&](const Bytes& history) -> Json {
        return {{"bytes", to_hex(history)}, {"public_key", to_hex(signing_public_key(control))}};
    };
    add("history", "begun", "a transfer that was accepted", in(bytes));
    for (const auto& [event, seconds, detail] :
         {std::tuple{HistoryEvent::stored, 60, 1U}, std::tuple{HistoryEvent::stored, 61, 2U},
          std::tuple{HistoryEvent::available, 61, 0U}, std::tuple{HistoryEvent::fetched, 9'000, 1U},
          std::tuple{HistoryEvent::expired, 1'209'661, 0U},
          std::tuple{HistoryEvent::purged, 1'209'663, 0U}}) {
        bytes = append_history(bytes, event, created + seconds, detail, control).value();
    }
    constexpr std::size_t first = 24, entry = 49;
    add("history", "whole", "from accepted to purged", in(bytes));
    add("history", "detail-flipped", "another number of relays",
        in(flipped(bytes, first + 2 * entry - 1)), "tampered");
    add("history", "time-flipped", "another time", in(flipped(bytes, first + entry + 40)),
        "tampered");
    add("history", "last-flipped", "the last entry changed",
        in(flipped(bytes, first + 7 * entry - 1)), "bad_signature");
    add("history", "signature-flipped", "one bit of the signature",
        in(flipped(bytes, bytes.size() - 5)), "bad_signature");
    add("history", "tid-flipped", "made another transfer's", in(flipped(bytes, 4)),
        "bad_signature");
    add("history", "event-flipped", "another last event",
        in(with_bytes(bytes, first + 6 * entry + 32, "09")), "bad_signature");
    add("history", "cut", "a byte less", in(cut(bytes, 1)), "malformed");
    Bytes without = bytes; // the entry "fetched" taken out, the number made right
    const auto at = without.begin() + static_cast<std::ptrdiff_t>(first + 4 * entry);
    without.erase(at, at + entry);
    without[23] = std::byte{6};
    add("history", "entry-missing", "an event taken out", in(without), "bad_signature");
    add("history", "stranger", "signed by a stranger",
        in(begin_history(transfer, created, secret_of<SigningSeed>("stranger"))), "bad_signature");
}

void links() {
    const auto read = [](const char* kind, const std::string& slug, const std::string& about,
                         const std::string& text, const std::string& expect = "ok") {
        add(kind, slug, about, {{"text", text}}, expect);
    };
    const auto seed = secret_of<KeySeed>("citizen");
    for (const auto& [type, kind] : both) {
        const auto link =
            make_return_link("https://plan.example", inbox_id(public_of("citizen", type)), seed);
        const std::string text{link.reveal()};
        read("return_link", kind, "a return link", text);
        read("return_link", std::string{kind} + "-fragment", "the part behind # alone",
             text.substr(text.find('#') + 1));
        std::string other = text;
        other[text.find("v1.") + 5] = other[text.find("v1.") + 5] == '0' ? '1' : '0';
        read("return_link", std::string{kind} + "-inbox", "an inbox that is not that of the seed",
             other, "malformed");
        read("return_link", std::string{kind} + "-cut", "a character less",
             text.substr(0, text.size() - 1), "malformed");
    }
    const LinkId id{transfer_of("link").bytes};
    const auto secret = secret_of<LinkSecret>("first link");
    const std::string plain{make_transfer_link("https://plan.example/x/", id).reveal()};
    const std::string full{make_transfer_link("https://plan.example", id, &secret).reveal()};
    read("transfer_link", "notice", "the link of a notice", plain);
    read("transfer_link", "secret", "a link with a secret", full);
    read("transfer_link", "page", "a link to another page", "https://plan.example/r#v1." + id.hex(),
         "malformed");
    read("transfer_link", "version", "a later version", "https://plan.example/t#v2." + id.hex(),
         "malformed");
    read("transfer_link", "secret-cut", "a secret that lost a character",
         full.substr(0, full.size() - 1), "malformed");
    read("transfer_link", "secret-empty", "a dot and no secret", plain + ".", "malformed");
}

} // namespace

void write_answers() {
    link_stanzas();
    reply_keys();
    signatures();
    epochs();
    members();
    challenges();
    histories();
    links();
}

} // namespace plankurier::vectors
