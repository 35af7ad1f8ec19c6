// What an administrator does with the records of departments, clerks and the escrow key.
#include "relay/adapters/files.hpp"
#include "relay/config.hpp"
#include "relay/roles.hpp"
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <ctime>
#include <fstream>
#include <sstream>

namespace plankurier::test::directory_test {

namespace {

namespace fs = std::filesystem;

/// A control node whose staff have addresses "@amt.example".
struct Office {
    explicit Office(const fs::path& where) : root(where) {
        relay::init_folder(root / "relay", "Landratsamt Muster", "senden.amt.example", false);
        std::ofstream{root / "relay" / "relay.toml"} << "staff_patterns = [\"@amt.example\"]\n";
        config = relay::load_config(root / "relay" / "relay.toml");
        add("bauamt");
    }
    [[nodiscard]] static Department record(const std::string& id, const std::string& address = {}) {
        const auto seed = fixed_secret<KeySeed>(id);
        const auto key = recipient_public_key(seed, StanzaType::hpke_p256).value();
        Department out;
        out.id = id;
        out.name = "Name von " + id;
        out.address = address;
        out.keys.push_back({key_id(key), key, 0, std::int64_t{1} << 40});
        out.signing_keys.push_back(
            {{std::byte{9}}, signing_public_key(signing_seed(seed)), 0, std::int64_t{1} << 40});
        return out;
    }
    void add_text(const std::string& text) const {
        std::ofstream{root / "record.json"} << text;
        relay::directory_add(config, root / "record.json");
    }
    void add(const std::string& id, const std::string& address = {}) const {
        add_text(encode_department(record(id, address)));
    }
    [[nodiscard]] Directory built() const {
        relay::directory_build(config, 1, 30, root / "directory.json");
        const auto bytes = relay::adapters::read_file(root / "directory.json");
        REQUIRE(bytes);
        return parse_directory(as_text(*bytes)).value();
    }
    [[nodiscard]] std::string listed() const {
        std::ostringstream out;
        relay::directory_list(config, out);
        return out.str();
    }
    fs::path root;
    relay::Config config;
};

constexpr const char* anna = "clerk-00112233445566aa";
constexpr const char* otto = "clerk-00112233445566bb";
const std::int64_t now = std::time(nullptr);

} // namespace

TEST_CASE("no directory is built with the serial 0") {
    const TempFolder folder;
    const Office office{folder.path()};
    CHECK_THROWS(relay::directory_build(office.config, 0, 30, folder.path() / "directory.json"));
    CHECK_FALSE(fs::exists(folder.path() / "directory.json"));
}

TEST_CASE("clerks and the escrow key are taken in, listed and built into the directory") {
    const TempFolder folder;
    const Office office{folder.path()};
    CHECK(office.built().clerks.empty());
    CHECK_FALSE(office.built().escrow);
    office.add(anna, "anna@amt.example");
    office.add_text(encode_escrow({"Hinterlegung", "Tresor", office.record("some escrow").keys}));
    CHECK(office.listed() == "bauamt\tName von bauamt\n"
                             "clerk-00112233445566aa\tName von clerk-00112233445566aa\t"
                             "anna@amt.example\n"
                             "escrow\tHinterlegung\n");
    const auto directory = office.built();
    REQUIRE(directory.departments.size() == 1);
    REQUIRE(directory.find_clerk("anna@amt.example") != nullptr);
    CHECK(usable_key(directory, *directory.find(anna), now));
    CHECK(directory.escrow->name == "Hinterlegung");
    CHECK(usable_escrow_key(directory, now));
}

TEST_CASE("the hashes of the page stand in every directory that is built") {
    const TempFolder folder;
    Office office{folder.path()};
    const auto text = [&] {
        static_cast<void>(office.built());
        const auto bytes = relay::adapters::read_file(folder.path() / "directory.json");
        return std::string{as_text(bytes.value())};
    };
    CHECK(text().find("\"web\"") == std::string::npos);
    const auto file = folder.path() / "relay" / "relay.toml";
    const auto configure = [&](const std::string& list) {
        std::ofstream{file} << "staff_patterns = [\"@amt.example\"]\n[web]\nsha256 = " << list
                            << "\n";
        return relay::load_config(file);
    };
    const auto old_page = to_hex(sha256(as_bytes("old"))), page = to_hex(sha256(as_bytes("new")));
    office.config = configure("[\"" + old_page + "\", \"" + page + "\"]");
    const auto web = nlohmann::json::parse(text()).at("web");
    CHECK(web == nlohmann::json{{"sha256", {old_page, page}}});
    CHECK_THROWS(configure("[\"" + page.substr(2) + "\"]"));
    CHECK_THROWS(configure("[\"" + page.substr(1) + "g\"]"));
    CHECK_THROWS(configure("[\"" + page + "\", \"" + page + "\"]"));
    CHECK_THROWS(configure("\"" + page + "\""));
}

TEST_CASE("a clerk needs an address of the authority, and one that nobody else has") {
    const TempFolder folder;
    Office office{folder.path()};
    CHECK_THROWS(office.add(anna, "anna@anderswo.example"));
    CHECK_THROWS(office.add(anna, "\"anna b\"@amt.example"));
    CHECK_THROWS(office.add("anna", "anna@amt.example"));
    CHECK_THROWS(office.add("escrow"));
    CHECK_THROWS(office.add("../bauamt"));
    office.add(anna, "anna@amt.example");
    CHECK_THROWS(office.add(otto, "Anna@AMT.example"));
    office.add(anna, "anna.neu@amt.example"); // the same clerk, with a new record
    office.add(otto, "anna@amt.example");
    CHECK(office.built().clerks.size() == 2);
    office.config.policy.staff_patterns = {"otto@amt.example"};
    CHECK_THROWS(office.built());
}

TEST_CASE("who leaves gets nothing more, and what was signed before stays right") {
    const TempFolder folder;
    const Office office{folder.path()};
    office.add(anna, "anna@amt.example");
    relay::directory_end(office.config, anna);
    const auto directory = office.built();
    const Department* const left = directory.find(anna);
    REQUIRE(left != nullptr);
    CHECK(usable_key(directory, *left, std::time(nullptr) + 1).error().code == Errc::expired);
    CHECK(left->signing_keys.front().until <= std::time(nullptr));
    CHECK(left->signing_keys.front().until >= now);
    CHECK(directory.revoked.empty());
}

TEST_CASE("lost keys are revoked for good, and a new one may follow") {
    const TempFolder folder;
    const Office office{folder.path()};
    office.add(anna, "anna@amt.example");
    office.add_text(encode_escrow({"Hinterlegung", "", office.record("some escrow").keys}));
    relay::directory_revoke(office.config, anna);
    relay::directory_revoke(office.config, "escrow");
    relay::directory_revoke(office.config, anna);
    auto record = office.record(anna, "anna@amt.example");
    const auto lost = office.built();
    CHECK(lost.revoked.size() == 3); // two keys of the clerk, one of the escrow
    CHECK(usable_key(lost, *lost.find(anna), now).error().code == Errc::expired);
    CHECK(usable_escrow_key(lost, now).error().code == Errc::expired);
    const auto fresh = office.record("fresh").keys.front();
    record.keys.push_back(fresh);
    office.add_text(encode_department(record));
    const auto after = office.built();
    CHECK(usable_key(after, *after.find(anna), now)->kid == fresh.kid);
    relay::directory_remove(office.config, "escrow");
    CHECK_FALSE(office.built().escrow);
    CHECK_THROWS(relay::directory_remove(office.config, "escrow"));
    CHECK_THROWS(relay::directory_end(office.config, "../keys/control"));
}

} // namespace plankurier::test::directory_test
