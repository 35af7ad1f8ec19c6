#include "vectors/generate.hpp"

#include <sodium.h>

namespace plankurier::vectors {

namespace {

/// A signature file as minisign(1) writes it.
std::string minisig(const SigningSeed& key, const std::array<std::byte, 8>& id, ByteView message,
                    const std::string& comment, bool prehashed) {
    Bytes digest(64);
    crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), 64,
                       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                       nullptr, 0);
    const Signature signature = sign(key, prehashed ? ByteView{digest} : message);
    Bytes first{std::byte{'E'}, std::byte{static_cast<unsigned char>(prehashed ? 'D' : 'd')}};
    first.insert(first.end(), id.begin(), id.end());
    first.insert(first.end(), signature.begin(), signature.end());
    Bytes both{signature.begin(), signature.end()};
    for (const char c : comment) both.push_back(static_cast<std::byte>(c));
    return "untrusted comment: test\n" + to_base64(first) + "\ntrusted comment: " + comment + "\n" +
           to_base64(sign(key, both)) + "\n";
}

struct Minisign {
    SigningSeed seed;
    MinisignPublicKey key;
    explicit Minisign(std::string_view name) : seed(secret_of<SigningSeed>(name)) {
        key.key = signing_public_key(seed);
        std::copy_n(bytes_of(name).begin(), 8, key.id.begin());
    }
    [[nodiscard]] std::string pub() const {
        return "untrusted comment: test\n" + to_text(key) + "\n";
    }
    [[nodiscard]] std::string over(std::string_view text, const std::string& comment) const {
        return minisig(seed, key.id, as_bytes(text), comment, true);
    }
};

void signatures() {
    const Minisign root{"root"}, signer{"signer"}, stranger{"stranger"};
    const std::string message = "Landratsamt Musterkreis";
    const auto in = [&](const std::string& text, const std::string& signature) -> Json {
        return {{"public_key", root.pub()},
                {"message", to_hex(as_bytes(text))},
                {"signature", signature}};
    };
    const std::string good = root.over(message, "serial:1");
    add("minisign", "prehashed", "as stock minisign signs today", in(message, good));
    add("minisign", "legacy", "as older minisign signs",
        in(message, minisig(root.seed, root.key.id, as_bytes(message), "serial:1", false)));
    add("minisign", "message", "another message", in(message + ".", good), "bad_signature");
    add("minisign", "stranger", "another key", in(message, stranger.over(message, "serial:1")),
        "bad_signature");
    std::string comment = good;
    comment.replace(comment.find("serial:1"), 8, "serial:2");
    add("minisign", "comment", "another trusted comment", in(message, comment), "bad_signature");
    add("minisign", "short", "lines are missing", in(message, good.substr(0, 60)), "malformed");

    Directory directory;
    directory.authority = message;
    directory.serial = 5;
    directory.issued = 1'799'971'200; // 2027-01-15
    directory.expires = directory.issued + 30 * 86'400;
    directory.record_key = signing_public_key(secret_of<SigningSeed>("control key"));
    Department department;
    department.id = department.name = "bauamt";
    const auto key =
        recipient_public_key(secret_of<KeySeed>("department"), StanzaType::hpke_p256).value();
    department.keys.push_back({key_id(key), key, directory.issued, directory.expires});
    directory.departments.push_back(department);
    const std::string json = encode_directory(directory);
    const std::string signer_comment = "expires:2027-12-31";
    const Json base = {{"root", root.pub()},
                       {"signer_pub", signer.pub()},
                       {"signer_minisig", root.over(signer.pub(), signer_comment)},
                       {"directory_json", json},
                       {"directory_minisig", signer.over(json, "serial:5 expires:2027-02-14")},
                       {"highest_serial", 5},
                       {"now", directory.issued + 1'000}};
    const auto with = [&](const Json& more) {
        Json changed = base;
        changed.update(more);
        return changed;
    };
    add("directory", "good", "the whole chain", base);
    add("directory", "rolled-back", "an older one than seen before", with({{"highest_serial", 6}}),
        "rolled_back");
    add("directory", "expired", "after its end", with({{"now", directory.expires + 172'800}}),
        "expired");
    add("directory", "other-root", "a root that signed nothing here",
        with({{"root", stranger.pub()}}), "untrusted_root");
    std::string altered = json;
    altered.replace(altered.find("bauamt"), 6, "gartem");
    add("directory", "altered", "one word changed", with({{"directory_json", altered}}),
        "bad_signature");
    add("directory", "stranger-signed", "signed by a stranger",
        with({{"directory_minisig", stranger.over(json, "serial:5 expires:2027-02-14")}}),
        "bad_signature");
    add("directory", "old-signer", "the signer's leave is over",
        with({{"signer_minisig", root.over(signer.pub(), "expires:2027-01-01")}}), "expired");
    add("directory", "serial-differs", "the comment names another serial",
        with({{"directory_minisig", signer.over(json, "serial:9 expires:2027-02-14")}}),
        "malformed");
}

constexpr std::int64_t a_year = 1'799'971'200, year_end = a_year + 365 * 86'400;
constexpr std::int64_t a_moment = a_year + 1'000;

void listed() {
    constexpr const char* anna = "clerk-00112233445566aa";
    Directory directory;
    directory.authority = "Landratsamt Musterkreis";
    directory.serial = 7;
    const auto key_of = [&](std::string_view seed) {
        const auto key =
            recipient_public_key(secret_of<KeySeed>(seed), StanzaType::hpke_p256).value();
        return DepartmentKey{key_id(key), key, a_year, year_end};
    };
    Department bauamt, clerk;
    bauamt.id = bauamt.name = "bauamt";
    bauamt.keys.push_back(key_of("department"));
    clerk.id = anna;
    clerk.name = "Anna Grün";
    clerk.address = "Anna.Gruen@amt.example";
    clerk.keys.push_back(key_of("clerk"));
    directory.departments.push_back(bauamt);
    directory.clerks.push_back(clerk);
    directory.escrow = Escrow{"Hinterlegung 2027", "Tresor", {key_of("escrow")}};
    const Json good = Json::parse(encode_directory(directory));
    const auto named = [&](const Json& text, const std::string& to,
                           std::int64_t at = a_moment) -> Json {
        return {{"directory", text.dump(1)}, {"now", at}, {"to", to}};
    };
    const auto bad = [&](const std::string& slug, const std::string& about, auto change,
                         const std::string& expect = "malformed") {
        Json changed = good;
        change(changed);
        add("listed_key", slug, about, named(changed, "bauamt"), expect);
    };
    add("listed_key", "department", "a department by its id", named(good, "bauamt"));
    add("listed_key", "clerk-id", "a clerk by the id", named(good, anna));
    add("listed_key", "clerk-address", "by address, whatever its case",
        named(good, "anna.GRUEN@Amt.Example"));
    add("listed_key", "clerk-unlisted", "another address", named(good, "otto@amt.example"),
        "unknown_department");
    add("listed_key", "clerk-over", "the clerk's key is over", named(good, anna, year_end),
        "expired");
    add("listed_key", "escrow", "the escrow key", named(good, "escrow"));
    Json changed = good;
    changed["revoked"] = {good["clerks"][0]["keys"][0]["kid"], good["escrow"]["keys"][0]["kid"]};
    add("listed_key", "clerk-revoked", "the clerk's key is revoked", named(changed, anna),
        "expired");
    add("listed_key", "escrow-revoked", "so is the escrow key", named(changed, "escrow"),
        "expired");
    changed = good;
    changed.erase("escrow");
    changed.erase("clerks");
    add("listed_key", "escrow-none", "a directory without one", named(changed, "escrow"),
        "not_found");
    bad(
        "later-members", "members that a reader does not know",
        [](Json& in) {
            in["relays"] = in["depts"][0]["colour"] = in["clerks"][0]["room"] = "x";
            in["escrow"]["shelf"] = 3;
            in["web"] = {{"sha256", {hex_of("page")}}};
            in["depts"][0]["keys"][0]["note"] = in["control"]["note"] = {1, {{"a", nullptr}}};
        },
        "ok");
    bad("address-twice", "two clerks of one address", [](Json& in) {
        in["clerks"].push_back(in["clerks"][0]);
        in["clerks"][1]["id"] = "clerk-00112233445566bb";
        in["clerks"][1]["address"] = "ANNA.gruen@amt.example";
    });
    bad("id-twice", "two clerks of one id", [](Json& in) {
        in["clerks"].push_back(in["clerks"][0]);
        in["clerks"][1]["address"] = "otto@amt.example";
    });
    bad("department-twice", "two departments of one id",
        [](Json& in) { in["depts"].push_back(in["depts"][0]); });
    bad("clerk-speaking-id", "a clerk whose id tells something",
        [](Json& in) { in["clerks"][0]["id"] = "anna.gruen"; });
    bad("clerk-no-address", "a clerk without address",
        [](Json& in) { in["clerks"][0].erase("address"); });
    bad("clerk-no-plain-address", "an address with a line break in it",
        [](Json& in) { in["clerks"][0]["address"] = "anna@amt.example\n"; });
    bad("clerk-among-departments", "a clerk in the list of departments",
        [](Json& in) { in["depts"].push_back(in["clerks"][0]); });
    bad("department-among-clerks", "a department in the list of clerks",
        [](Json& in) { in["clerks"].push_back(in["depts"][0]); });
    bad("escrow-no-name", "an escrow key that nobody could be told of",
        [](Json& in) { in["escrow"]["name"] = ""; });
}

} // namespace

void write_trust() {
    signatures();
    listed();
}

} // namespace plankurier::vectors
