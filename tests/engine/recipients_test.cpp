#include <plankurier/envelope.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::recipients_test {

namespace {

Manifest manifest_of(const TransferId& transfer) {
    Manifest manifest;
    manifest.transfer = transfer;
    manifest.created = 1'800'000'000;
    manifest.message = "Guten Tag";
    manifest.files = {{"Bescheid.pdf", 5'000, "application/pdf", 1}};
    return manifest;
}

BodyLayout layout() { return BodyLayout::for_content(5'000).value(); }

Bytes seal(const std::vector<Recipient>& recipients, const TransferKey& key,
           const TransferId& transfer = TransferId::random()) {
    return seal_envelope(key, manifest_of(transfer), layout(), recipients).value();
}

Recipient key_of(const KeySeed& seed, StanzaType type, bool anonymous = false) {
    return KeyRecipient{recipient_public_key(seed, type).value(), anonymous};
}

} // namespace

TEST_CASE("each of several recipients opens the same transfer") {
    const auto first = KeySeed::random(), second = KeySeed::random(), hidden = KeySeed::random();
    const auto key = TransferKey::random();
    const auto one = LinkSecret::random(), two = LinkSecret::random();
    std::vector<Recipient> recipients;
    recipients.push_back(key_of(first, StanzaType::hpke_p256));
    recipients.push_back(LinkRecipient{one.clone()});
    recipients.push_back(key_of(second, StanzaType::hpke_x25519));
    recipients.push_back(PasswordRecipient{SecretText{"Kranich"}, {1, 64}});
    recipients.push_back(key_of(hidden, StanzaType::hpke_p256, true));
    recipients.push_back(LinkRecipient{two.clone()});
    const Bytes envelope = seal(recipients, key);
    CHECK(open_envelope(envelope, first, StanzaType::hpke_p256)->key.matches(key.reveal()));
    CHECK(open_envelope(envelope, second, StanzaType::hpke_x25519)->key.matches(key.reveal()));
    CHECK(open_envelope(envelope, hidden, StanzaType::hpke_p256)->key.matches(key.reveal()));
    CHECK(open_envelope(envelope, SecretText{"Kranich"})->key.matches(key.reveal()));
    CHECK(open_envelope(envelope, one)->key.matches(key.reveal()));
    CHECK(open_envelope(envelope, two)->key.matches(key.reveal()));
    CHECK(open_envelope(envelope, second, StanzaType::hpke_p256).error().code == Errc::wrong_key);
    CHECK(open_envelope(envelope, LinkSecret::random()).error().code == Errc::wrong_key);
}

TEST_CASE("a link opens nothing once its stanza is changed or moved to another transfer") {
    const auto secret = LinkSecret::random();
    const auto key = TransferKey::random();
    std::vector<Recipient> recipients;
    recipients.push_back(LinkRecipient{secret.clone()});
    const Bytes envelope = seal(recipients, key);
    REQUIRE(open_envelope(envelope, secret).has_value());
    const StanzaView stanza = parse_envelope(envelope)->stanzas.at(0);
    CHECK(stanza.type == static_cast<std::uint16_t>(StanzaType::link));
    CHECK(stanza.kid == KeyId{});
    for (std::size_t at = 0; at < envelope.size(); at += at < 320 ? 1 : 97) {
        Bytes bad = envelope;
        bad[at] ^= std::byte{1};
        INFO("byte " << at);
        CHECK_FALSE(open_envelope(bad, secret).has_value());
    }
    Bytes bad = envelope;
    bad[stanza.body_at] ^= std::byte{1};
    CHECK(open_envelope(bad, secret).error().code == Errc::wrong_key);
    bad = envelope;
    bad[stanza.body_at + 32] ^= std::byte{1};
    CHECK(open_envelope(bad, secret).error().code == Errc::tampered);
    Bytes other = seal(recipients, key);
    std::copy_n(envelope.begin() + static_cast<std::ptrdiff_t>(stanza.body_at), stanza.body_bytes,
                other.begin() + static_cast<std::ptrdiff_t>(stanza.body_at));
    CHECK(open_envelope(other, secret).error().code == Errc::wrong_key);
}

TEST_CASE("an envelope holds one password at most, beside any number of links") {
    std::vector<Recipient> recipients;
    recipients.push_back(PasswordRecipient{SecretText{"a"}, {1, 64}});
    for (unsigned i = 0; i < 63; ++i) recipients.push_back(LinkRecipient{LinkSecret::random()});
    const auto key = TransferKey::random();
    CHECK(open_envelope(seal(recipients, key), SecretText{"a"}).has_value());
    const Manifest manifest = manifest_of(TransferId::random());
    recipients.push_back(LinkRecipient{LinkSecret::random()});
    CHECK(seal_envelope(key, manifest, layout(), recipients).error().code ==
          Errc::invalid_argument);
    recipients.resize(1);
    recipients.push_back(PasswordRecipient{SecretText{"b"}, {1, 64}});
    CHECK(seal_envelope(key, manifest, layout(), recipients).error().code ==
          Errc::invalid_argument);
}

} // namespace plankurier::test::recipients_test
