#include <plankurier/signer.hpp>

#include <catch2/catch.hpp>

#include <limits>

namespace plankurier::test::signer_test {

namespace {

constexpr std::int64_t now = 1'800'000'000;
constexpr std::int64_t day = 86'400;

struct Office {
    KeySeed seed = KeySeed::random();
    SigningSeed signing = signing_seed(seed);
    KeyId kid{std::byte{1}, std::byte{2}};

    [[nodiscard]] Department department(const std::string& id) const {
        Department department;
        department.id = department.name = id;
        department.signing_keys.push_back({kid, signing_public_key(signing), now - day, now + day});
        return department;
    }
};

struct Answer {
    KeySeed citizen = KeySeed::random();
    Manifest manifest;
    Answer() {
        manifest.transfer = TransferId::random();
        manifest.created = now;
        manifest.message = "Ihr Bauantrag ist genehmigt.";
    }
    [[nodiscard]] Bytes seal(const SealOptions& options) const {
        std::vector<Recipient> recipients;
        recipients.push_back(
            KeyRecipient{recipient_public_key(citizen, StanzaType::hpke_p256).value()});
        return seal_envelope(TransferKey::random(), manifest, BodyLayout::for_content(0).value(),
                             recipients, options)
            .value();
    }
    [[nodiscard]] OpenedEnvelope open(ByteView envelope) const {
        auto opened = open_envelope(envelope, citizen, StanzaType::hpke_p256);
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }
};

Directory directory_of(std::vector<Department> departments) {
    Directory directory;
    directory.departments = std::move(departments);
    return directory;
}

} // namespace

TEST_CASE("an answer names the department that signed it") {
    const Office building, traffic;
    const Directory directory =
        directory_of({traffic.department("verkehr"), building.department("bauamt")});
    Answer answer;
    for (const std::size_t bytes : {0UL, 5'000UL, 200'000UL}) {
        answer.manifest.message = std::string(bytes, 'x');
        const auto opened = answer.open(answer.seal({&building.signing, true}));
        CHECK(opened.is_reply);
        CHECK(opened.manifest == answer.manifest);
        CHECK(check_signer(opened, directory).value() == Signer{"bauamt", building.kid});
    }
}

TEST_CASE("a citizen's transfer is unsigned, and no signature is made up for it") {
    const Office building;
    const Answer answer;
    const auto opened = answer.open(answer.seal({}));
    CHECK_FALSE(opened.is_reply);
    CHECK_FALSE(opened.signature.has_value());
    CHECK(check_signer(opened, directory_of({building.department("bauamt")})).value() ==
          std::nullopt);
}

TEST_CASE("a signature counts for its envelope, its message and its key alone") {
    const Office building, stranger;
    const Directory directory = directory_of({building.department("bauamt")});
    const Answer answer;
    const auto code = [&](const OpenedEnvelope& opened) {
        return check_signer(opened, directory).error().code;
    };
    CHECK(code(answer.open(answer.seal({&stranger.signing, true}))) == Errc::bad_signature);
    // The very same manifest, sealed twice: a signature does not move from one to the other.
    auto first = answer.open(answer.seal({&building.signing, true}));
    const auto second = answer.open(answer.seal({&building.signing, true}));
    REQUIRE(check_signer(first, directory)->has_value());
    first.signature->value = second.signature->value;
    CHECK(code(first) == Errc::bad_signature);
    auto flipped = answer.open(answer.seal({&building.signing, true}));
    flipped.signature->value[9] ^= std::byte{1};
    CHECK(code(flipped) == Errc::bad_signature);
}

TEST_CASE("a signing key counts in its time, and not once it is revoked") {
    const Office building;
    Directory directory = directory_of({building.department("bauamt")});
    Answer answer;
    const auto signed_at = [&](std::int64_t created) {
        answer.manifest.created = created;
        const auto signer =
            check_signer(answer.open(answer.seal({&building.signing, true})), directory);
        if (!signer) CHECK(signer.error().code == Errc::bad_signature);
        return signer.has_value();
    };
    CHECK(signed_at(now));
    CHECK(signed_at(now - day - signer_tolerance_s));
    CHECK_FALSE(signed_at(now - day - signer_tolerance_s - 1));
    CHECK(signed_at(now + day + signer_tolerance_s - 1));
    CHECK_FALSE(signed_at(now + day + signer_tolerance_s));
    CHECK_FALSE(signed_at(std::numeric_limits<std::int64_t>::min()));
    CHECK_FALSE(signed_at(std::numeric_limits<std::int64_t>::max()));
    directory.revoked.push_back(building.kid);
    CHECK_FALSE(signed_at(now));
}

TEST_CASE("a manifest carries the return key, and only with the inbox that follows from it") {
    Manifest manifest;
    manifest.transfer = TransferId::random();
    for (const StanzaType type : {StanzaType::hpke_p256, StanzaType::hpke_x25519}) {
        manifest.reply_key = recipient_public_key(KeySeed::random(), type).value();
        const Bytes plain = encode_manifest(manifest).value();
        CHECK(decode_manifest(plain).value() == manifest);
        const std::string inbox = inbox_id(*manifest.reply_key).hex();
        Bytes other = plain;
        const std::size_t at = as_text(other).find(inbox);
        REQUIRE(at != std::string_view::npos);
        other[at] = static_cast<std::byte>(inbox[0] == '0' ? '1' : '0');
        CHECK(decode_manifest(other).error().code == Errc::malformed);
    }
    manifest.reply_key->bytes.pop_back();
    CHECK(encode_manifest(manifest).error().code == Errc::invalid_argument);
}

TEST_CASE("a return key of a later version is passed over, not its message") {
    Manifest manifest;
    manifest.transfer = TransferId::random();
    manifest.message = "Guten Tag";
    manifest.reply_key = recipient_public_key(KeySeed::random(), StanzaType::hpke_p256).value();
    Bytes plain = encode_manifest(manifest).value();
    const std::size_t at = as_text(plain).find("\"type\":5");
    REQUIRE(at != std::string_view::npos);
    plain[at + 7] = std::byte{'6'};
    const auto read = decode_manifest(plain);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->reply_key.has_value());
    CHECK(read->message == "Guten Tag");
}

} // namespace plankurier::test::signer_test
