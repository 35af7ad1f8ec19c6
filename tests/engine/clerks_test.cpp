// Registered clerks and the escrow key of a directory; the forms that it may not have are vectors.
#include <plankurier/signer.hpp>

#include <catch2/catch.hpp>

#include <set>

namespace plankurier::test::clerks_test {

namespace {

constexpr std::int64_t now = 1'800'000'000;
constexpr std::int64_t day = 86'400;

DepartmentKey key_of(const KeySeed& seed, std::int64_t from = now - day,
                     std::int64_t until = now + day) {
    const auto key = recipient_public_key(seed, StanzaType::hpke_p256).value();
    return {key_id(key), key, from, until};
}

Department clerk_of(const KeySeed& seed, const std::string& address) {
    Department clerk;
    clerk.id = random_clerk_id();
    clerk.name = "Anna Grün";
    clerk.address = address;
    clerk.keys.push_back(key_of(seed));
    clerk.signing_keys.push_back(
        {{std::byte{7}}, signing_public_key(signing_seed(seed)), now - day, now + day});
    return clerk;
}

} // namespace

TEST_CASE("a clerk's id is random and tells nothing") {
    std::set<std::string> ids;
    for (int i = 0; i < 100; ++i) {
        ids.insert(random_clerk_id());
        CHECK(is_clerk_id(*ids.begin()));
    }
    CHECK(ids.size() == 100);
    for (const char* other : {"", "clerk-", "clerk-0011223344556", "clerk-00112233445566aA",
                              "bauamt", "clerk-00112233445566aabb", "Clerk-00112233445566aa"}) {
        CAPTURE(other);
        CHECK_FALSE(is_clerk_id(other));
    }
}

TEST_CASE("a directory with clerks and escrow key is the same after its JSON") {
    const auto anna = KeySeed::random(), escrow = KeySeed::random();
    Directory directory;
    directory.clerks = {clerk_of(anna, "anna@amt.example"),
                        clerk_of(KeySeed::random(), "otto@amt.example")};
    directory.escrow = Escrow{"Hinterlegung", "Tresor", {key_of(escrow)}};
    const auto again = parse_directory(encode_directory(directory)).value();
    REQUIRE(again.clerks.size() == 2);
    const Department* const found = again.find_clerk("ANNA@Amt.example");
    REQUIRE(found != nullptr);
    CHECK(found->name == "Anna Grün");
    CHECK(again.find(found->id) == found);
    CHECK(usable_key(again, *found, now)->kid == key_of(anna).kid);
    CHECK(again.find_clerk("anna@amt.exampl") == nullptr);
    CHECK(again.find_clerk("") == nullptr);
    CHECK(usable_escrow_key(again, now)->kid == key_of(escrow).kid);
    CHECK(usable_escrow_key(again, now + day).error().code == Errc::expired);
    CHECK(is_escrow_key(again, key_of(escrow).kid));
    CHECK_FALSE(is_escrow_key(again, key_of(anna).kid));
    CHECK_FALSE(is_escrow_key(Directory{}, key_of(escrow).kid));
}

TEST_CASE("a directory without clerks and escrow key says nothing of them") {
    const auto text = encode_directory(Directory{});
    CHECK(text.find("clerks") == std::string::npos);
    CHECK(text.find("escrow") == std::string::npos);
    CHECK(usable_escrow_key(parse_directory(text).value(), now).error().code == Errc::not_found);
}

TEST_CASE("records of clerks and of the escrow key are what was handed over") {
    const auto clerk = clerk_of(KeySeed::random(), "anna@amt.example");
    CHECK(encode_department(parse_department(encode_department(clerk)).value()) ==
          encode_department(clerk));
    const Escrow escrow{"Hinterlegung", "", {key_of(KeySeed::random())}};
    CHECK(encode_escrow(parse_escrow(encode_escrow(escrow)).value()) == encode_escrow(escrow));
    CHECK(parse_escrow(encode_department(clerk)).error().code == Errc::malformed);
    CHECK(parse_department(encode_escrow(escrow)).error().code == Errc::malformed);
}

TEST_CASE("ten thousand clerks fit, and no more") {
    Directory directory;
    auto clerk = clerk_of(KeySeed::random(), "");
    for (int i = 0; i < 10'000; ++i) {
        clerk.id = random_clerk_id();
        clerk.address = "sachbearbeitung." + std::to_string(i) + "@landratsamt-muster.example";
        directory.clerks.push_back(clerk);
    }
    const auto text = encode_directory(directory);
    CHECK(text.size() < std::size_t{12} << 20); // clients take 16 MiB, quoted once more
    CHECK(parse_directory(text).value().clerks.size() == 10'000);
    clerk.id = random_clerk_id();
    clerk.address = "noch.jemand@landratsamt-muster.example";
    directory.clerks.push_back(clerk);
    CHECK(parse_directory(encode_directory(directory)).error().code == Errc::too_large);
}

TEST_CASE("an answer names the clerk who signed it, while the key counts") {
    const auto anna = KeySeed::random(), citizen = KeySeed::random();
    Directory directory;
    directory.clerks.push_back(clerk_of(anna, "anna@amt.example"));
    Manifest manifest;
    manifest.transfer = TransferId::random();
    manifest.created = now;
    std::vector<Recipient> recipients;
    recipients.push_back(
        KeyRecipient{recipient_public_key(citizen, StanzaType::hpke_p256).value()});
    const auto signing = signing_seed(anna);
    const auto envelope =
        seal_envelope(TransferKey::random(), manifest, BodyLayout::for_content(0).value(),
                      recipients, SealOptions{&signing, true})
            .value();
    const auto opened = open_envelope(envelope, citizen, StanzaType::hpke_p256).value();
    const auto& clerk = directory.clerks.front();
    const auto kid = clerk.signing_keys.front().kid;
    CHECK(check_signer(opened, directory).value() == Signer{clerk.id, kid});
    directory.revoked.push_back(kid);
    CHECK(check_signer(opened, directory).error().code == Errc::bad_signature);
    CHECK(check_signer(opened, Directory{}).error().code == Errc::bad_signature);
}

} // namespace plankurier::test::clerks_test
