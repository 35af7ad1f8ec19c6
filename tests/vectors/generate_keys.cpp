#include "vectors/generate.hpp"

#include "engine/hpke.hpp"

namespace plankurier::vectors {

Manifest sample() {
    Manifest manifest;
    manifest.transfer = transfer;
    manifest.created = 1'800'000'000;
    manifest.expiry_days = 14;
    manifest.from = {"Änne Grün", "+49 9131 1", "anna@buerger.example", "BA-1", "Frau X", "Y"};
    manifest.department = "bauamt";
    manifest.directory_serial = 7;
    manifest.subject = "Bauantrag";
    manifest.message = "Guten Tag,\nanbei die Pläne.";
    manifest.files = {{"Plan.pdf", 100'000, "application/pdf", 1'799'000'000},
                      {"Foto.jpg", 23, "image/jpeg", 0}};
    return manifest;
}

namespace {

void records() {
    const auto control = secret_of<SigningSeed>("control key");
    const std::string key = to_hex(signing_public_key(control));
    const Ticket ticket{transfer,      TicketRole::put, 3 * segment_plain_bytes,
                        1'800'000'000, 1'800'000'900,   1'801'209'600};
    const Bytes minted = mint_ticket(ticket, control);
    const auto in = [&](const Bytes& bytes) -> Json {
        return {{"bytes", to_hex(bytes)}, {"public_key", key}};
    };
    const auto at = [&](const Bytes& bytes, std::int64_t now) {
        Json with_time = in(bytes);
        with_time["now"] = now;
        return with_time;
    };
    const std::int64_t now = 1'800'000'100;
    add("ticket", "good", "leave to store pieces", at(minted, now));
    add("ticket", "tolerance", "a clock that is 59 s behind", at(minted, 1'799'999'941));
    add("ticket", "expired", "after its end", at(minted, 1'800'000'961), "expired");
    add("ticket", "early", "before its begin", at(minted, 1'799'999'939), "expired");
    add("ticket", "role-changed", "get made from put", at(flipped(minted, 20), now),
        "bad_signature");
    add("ticket", "signature-flipped", "one bit of the signature",
        at(flipped(minted, minted.size() - 5), now), "bad_signature");
    add("ticket", "cut", "a byte less", at(cut(minted, 1), now), "malformed");
    add("ticket", "empty", "nothing", at({}, now), "malformed");
    add("ticket", "other-kind", "a record of another kind",
        at(sign_gone({RelayId{}, transfer, now}, control), now), "malformed");
    const Hash256 envelope = bytes_of("envelope"), content = bytes_of("content");
    const RelayId relay{transfer_of("relay").bytes};
    const Bytes stored = sign_stored({relay, transfer, content, 786'336, now}, control);
    const Bytes verified =
        sign_verified({transfer, envelope, "anna@buerger.example", now}, control);
    const Bytes fetched = sign_fetched({transfer, envelope, content, now}, control);
    const Bytes gone = sign_gone({relay, transfer, now}, control);
    for (const auto& [kind, bytes] : {std::pair{"stored", stored}, std::pair{"verified", verified},
                                      std::pair{"fetched", fetched}, std::pair{"gone", gone}}) {
        add(kind, "good", "a signed statement", in(bytes));
        add(kind, "flipped", "one bit of the statement", in(flipped(bytes, 10)), "bad_signature");
        add(kind, "magic", "another magic", in(flipped(bytes, 3)), "malformed");
        add(kind, "cut", "a byte less", in(cut(bytes, 1)), "malformed");
    }
}

void envelopes() {
    const Bytes plain = encode_manifest(sample()).value();
    add("manifest", "good", "a message with two files", {{"plain", to_hex(plain)}});
    add("manifest", "padding", "padding that is not zero",
        {{"plain", to_hex(flipped(plain, plain.size() - 1))}}, "malformed");
    add("manifest", "length", "a length beyond the end", {{"plain", to_hex(flipped(plain, 0))}},
        "malformed");
    add("manifest", "json", "text that is no JSON", {{"plain", to_hex(flipped(plain, 4))}},
        "malformed");
    add("manifest", "empty", "nothing", {{"plain", ""}}, "malformed");
    const auto seed = secret_of<KeySeed>("department");
    const auto key = secret_of<TransferKey>("transfer key");
    const auto layout = BodyLayout::for_content(100'023).value();
    for (const auto& [type, kind] :
         {std::pair{StanzaType::hpke_p256, "p256"}, std::pair{StanzaType::hpke_x25519, "x25519"}}) {
        std::vector<Recipient> recipients;
        recipients.emplace_back(KeyRecipient{recipient_public_key(seed, type).value()});
        recipients.emplace_back(PasswordRecipient{SecretText{"Kranich-Grün-42"}, {1, 64}});
        const Bytes good =
            seal_envelope(key, sample(), layout, recipients, entropy_of(kind)).value();
        const std::string slug{kind};
        const auto by_seed = [&](const Bytes& bytes) -> Json {
            return {{"bytes", to_hex(bytes)}, {"seed", hex_of("department")}, {"type", slug}};
        };
        const auto view = parse_envelope(good).value();
        add("envelope", slug + "-good", "opened with the department's seed", by_seed(good));
        Json other = by_seed(good);
        other["seed"] = hex_of("another department");
        add("envelope", slug + "-other-seed", "another department's seed", other, "wrong_key");
        const std::size_t stanza = view.stanzas[0].body_at;
        for (const auto& [name, at, expect] :
             {std::tuple{"magic", std::size_t{0}, "malformed"},
              std::tuple{"suite", std::size_t{4}, "unsupported"},
              std::tuple{"flags", std::size_t{5}, "unsupported"},
              std::tuple{"stanza-count", std::size_t{7}, "malformed"},
              std::tuple{"tid", std::size_t{8}, "wrong_key"},
              std::tuple{"body-len", std::size_t{31}, "malformed"},
              std::tuple{"wrapped-key", stanza + view.stanzas[0].body_bytes - 1, "wrong_key"},
              std::tuple{"header-mac", view.mac_at, "tampered"},
              std::tuple{"second-stanza", view.stanzas[1].body_at + 60, "tampered"},
              std::tuple{"manifest", view.manifest_at + 100, "tampered"}}) {
            add("envelope", slug + "-" + name + "-flipped", "one bit flipped",
                by_seed(flipped(good, at)), expect);
        }
        add("envelope", slug + "-cut", "a byte less", by_seed(cut(good, 1)), "malformed");
        Bytes longer = good;
        longer.push_back(std::byte{0});
        add("envelope", slug + "-longer", "a byte more", by_seed(longer), "malformed");
        add("envelope", slug + "-transfer-key", "opened with the transfer key",
            {{"bytes", to_hex(good)}, {"key", hex_of("transfer key")}});
        add("envelope", slug + "-password", "opened with the password in decomposed Unicode",
            {{"bytes", to_hex(good)}, {"password", "Kranich-Gru\u0308n-42"}});
        add("envelope", slug + "-wrong-password", "another password",
            {{"bytes", to_hex(good)}, {"password", "Kranich-Blau-42"}}, "wrong_password");
        Bytes dear = good; // passes 2^24: nobody may be made to compute that
        dear[view.stanzas[1].body_at + 16] = std::byte{1};
        add("envelope", slug + "-dear-password", "a password stanza that costs too much",
            {{"bytes", to_hex(dear)}, {"password", "Kranich-Grün-42"}}, "too_large");
        add("envelope", slug + "-free-password", "a password stanza without a pass",
            {{"bytes", to_hex(flipped(good, view.stanzas[1].body_at + 19))},
             {"password", "Kranich-Grün-42"}},
            "malformed");
        if (type == StanzaType::hpke_p256) {
            add("envelope", slug + "-no-point", "an encapsulated point off the curve",
                by_seed(flipped(good, stanza + 40)), "malformed");
        }
        add("envelope", slug + "-hybrid-flag", "a flag that says hybrid, and no stanza is",
            by_seed(with_byte(good, 5, 2)), "malformed");
        add("envelope", slug + "-answer-flag", "an answer that a password opens",
            by_seed(with_byte(good, 5, 4)), "malformed");
        add("recipient_key", slug, "the public half of a seed",
            {{"seed", hex_of("department")}, {"type", slug}});
        const Bytes file = key_file_of(recipient_public_key(seed, type).value());
        const auto opened_with = [&](const Bytes& bytes, const char* phrase) -> Json {
            return {{"bytes", to_hex(bytes)}, {"passphrase", phrase}};
        };
        add("key_file", slug + "-good", "a key file", opened_with(file, "ein Satz, länger"));
        add("key_file", slug + "-wrong", "another passphrase", opened_with(file, "kurz"),
            "wrong_password");
        add("key_file", slug + "-cut", "a byte less", opened_with(cut(file, 1), "x"), "malformed");
        add("key_file", slug + "-dear", "costs above the cap", opened_with(flipped(file, 30), "x"),
            "too_large");
        add("key_file", slug + "-free", "no pass at all", opened_with(flipped(file, 33), "x"),
            "malformed");
        add("key_file", slug + "-type-flipped", "a type that is no kind of key",
            opened_with(with_byte(file, 5, 4), "ein Satz, länger"), "unsupported");
        add("key_file", slug + "-kid-flipped", "another kid",
            opened_with(flipped(file, 6), "ein Satz, länger"), "tampered");
        add("key_file", slug + "-seed-flipped", "a damaged seed",
            opened_with(flipped(file, file.size() - 20), "ein Satz, länger"), "tampered");
    }
}

/// The answers stand in RFC 9180; `hpke_kem` must come to them.
void known_answer(const char* slug, const char* about, const Json& in, const Json& answers) {
    const Json out = run("hpke_kem", in).out;
    for (const auto& [member, value] : answers.items()) {
        if (out.at(member) == value) continue;
        std::cerr << slug << ": " << member << " is not that of the RFC\n";
        ++wrong;
    }
    add("hpke_kem", slug, about, in);
}

void hpke_known_answers() {
    known_answer(
        "rfc9180-a1", "RFC 9180, appendix A.1.1: DHKEM(X25519, HKDF-SHA256)",
        {{"type", "x25519"},
         {"ikm_e", "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234"},
         {"ikm_r", "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037"}},
        {{"sk_e", "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"},
         {"enc", "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"},
         {"sk_r", "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"},
         {"pk_r", "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"},
         {"shared_secret", "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc"}});
    known_answer(
        "rfc9180-a3", "RFC 9180, appendix A.3.1: DHKEM(P-256, HKDF-SHA256)",
        {{"type", "p256"},
         {"ikm_e", "4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e"},
         {"ikm_r", "668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550"}},
        {{"sk_e", "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb"},
         {"enc",
          "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e"
          "5b7f951c0900be863c403ce65c9bfcb9382657222d18c4"},
         {"sk_r", "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2"},
         {"pk_r",
          "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e5"
          "39c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0"},
         {"shared_secret", "c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8"}});
    // The suite of the stanzas, sealed once by this engine with fixed randomness.
    for (const auto& [type, kind] :
         {std::pair{StanzaType::hpke_p256, "p256"}, std::pair{StanzaType::hpke_x25519, "x25519"}}) {
        const auto own = hpke::derive_private_key(type, bytes_of("recipient"));
        const Bytes aad{std::byte{1}, std::byte{2}};
        const auto sealed = hpke::seal({type, hpke::public_key(type, own)}, as_bytes("info"), aad,
                                       bytes_of("content"), entropy_of("hpke"))
                                .value();
        const Json in = {{"type", kind},
                         {"sk_r", to_hex(own.reveal())},
                         {"enc", to_hex(sealed.enc)},
                         {"info", to_hex(as_bytes("info"))},
                         {"aad", to_hex(aad)},
                         {"ciphertext", to_hex(sealed.ciphertext)}};
        add("hpke_open", std::string{kind} + "-good", "HKDF-SHA256, AES-256-GCM, base mode", in);
        Json other = in;
        other["aad"] = "0103";
        add("hpke_open", std::string{kind} + "-aad", "other associated data", other, "wrong_key");
        Json no_point = in;
        no_point["enc"] = std::string(sealed.enc.size() * 2, '0');
        add("hpke_open", std::string{kind} + "-no-point", "an enc that is no point, or a weak one",
            no_point, "malformed");
    }
}

} // namespace

void write_keys() {
    records();
    envelopes();
    hpke_known_answers();
}

} // namespace plankurier::vectors
