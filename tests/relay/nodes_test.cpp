// How an administrator makes a relay and registers it, and what the configuration accepts.
#include "relay/adapters/files.hpp"
#include "relay/adapters/node_records.hpp"
#include "relay/adapters/sqlite_store.hpp"
#include "relay/config.hpp"
#include "relay/node_commands.hpp"
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

namespace plankurier::test::nodes_test {

namespace {

namespace fs = std::filesystem;
using relay::adapters::encode_node;
using relay::adapters::parse_node;

std::set<std::string> files_in(const fs::path& folder) {
    std::set<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator{folder}) {
        if (entry.is_regular_file()) out.insert(entry.path().lexically_relative(folder).string());
    }
    return out;
}
std::string text_of(const fs::path& file) {
    const auto bytes = relay::adapters::read_file(file);
    REQUIRE(bytes);
    return std::string{as_text(*bytes)};
}
relay::KnownRelay node_of(const fs::path& folder) {
    const auto node = parse_node(text_of(folder / "node.json"));
    REQUIRE(node);
    return *node;
}
std::string listed(const relay::Config& config) {
    std::ostringstream out;
    relay::node_list(config, out);
    return out.str();
}

/// A control node and a relay beside it, as `init` makes them.
struct Site {
    explicit Site(const fs::path& root) : control(root / "control"), relay(root / "relay") {
        relay::init_folder(control, "Landratsamt Muster", "senden.amt.example", true);
        relay::init_relay_folder(relay, "https://senden.amt.example",
                                 control / "data" / "keys" / "control.pub", "zwei.amt.example");
    }
    [[nodiscard]] relay::Config config() const {
        return relay::load_config(control / "relay.toml");
    }
    fs::path control, relay;
};

} // namespace

TEST_CASE("a node record comes back as it was written") {
    const auto relay = known_relay(1);
    CHECK(parse_node(encode_node(relay)).value() == relay);
}

TEST_CASE("a node record with anything odd is refused") {
    const std::string good = encode_node(known_relay(1));
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        const auto at = text.find(from);
        REQUIRE(at != text.npos);
        return why(parse_node(text.replace(at, from.size(), to)));
    };
    CHECK(with("https://", "https://") == "value");
    CHECK(with("https://", "http://") == "invalid_argument");
    CHECK(with("https://", "") == "invalid_argument");
    CHECK(with(".example", ".example/") == "invalid_argument");
    CHECK(with(".example", ".example\\nx") == "invalid_argument"); // would forge the signed list
    CHECK(with(".example", " .example") == "invalid_argument");
    CHECK(with(".example", std::string(256, 'a')) == "invalid_argument");
    CHECK(with("\"v\": 1", "\"v\": 2") == "unsupported");
    CHECK(with("\"v\": 1", "\"w\": 1") == "unsupported");
    CHECK(with("\"id\"", "\"ID\"") == "malformed");
    CHECK(with("\"key\"", "\"url\"") == "malformed");
    CHECK(with(known_relay(1).id.hex(), known_relay(1).id.hex().substr(1)) == "malformed");
    CHECK(with(to_base64url(known_relay(1).key), "AAAA") == "malformed");
    for (const char* text : {"", "{", "[]", "7", "null", "{\"v\":1,\"id\":7}"}) {
        INFO(text);
        CHECK(why(parse_node(text)) == "malformed");
    }
}

TEST_CASE("init makes a control node with a CA for its swarm, and its own public record") {
    const TempFolder folder;
    const Site site{folder.path()};
    CHECK(files_in(site.control) ==
          std::set<std::string>{
              "data/keys/control.pub", "data/keys/control.seed", "data/keys/pepper",
              "data/keys/relay.id", "data/keys/relay.pub", "data/keys/relay.seed",
              "data/keys/swarm-ca.key", "data/keys/swarm-ca.pem", "nginx.conf", "nginx/http.conf",
              "nginx/pages.conf", "nginx/server.conf", "node.json", "relay.toml"});
    const auto node = node_of(site.control);
    CHECK(node.url == "https://senden.amt.example:8443");
    CHECK(node.id.hex() == text_of(site.control / "data/keys/relay.id"));
    CHECK(as_text(node.key) == text_of(site.control / "data/keys/relay.pub"));
    CHECK_THROWS(relay::init_folder(site.control, "A", "b.example", false));
    for (const std::string& name : files_in(site.control / "data/keys")) {
        struct stat status {};
        REQUIRE(::stat((site.control / "data/keys" / name).c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
    }
}

TEST_CASE("a relay without control plane gets no secret of the control plane") {
    const TempFolder folder;
    const Site site{folder.path()};
    CHECK(files_in(site.relay) == std::set<std::string>{"data/keys/control.pub",
                                                        "data/keys/relay.id", "data/keys/relay.pub",
                                                        "data/keys/relay.seed", "node.json",
                                                        "relay.toml"});
    CHECK(text_of(site.relay / "data/keys/control.pub") ==
          text_of(site.control / "data/keys/control.pub"));
    const auto config = relay::load_config(site.relay / "relay.toml");
    CHECK(config.control_url == "https://senden.amt.example");
    CHECK(config.pieces_url == node_of(site.relay).url);
    CHECK(node_of(site.relay).id != node_of(site.control).id);
    CHECK_THROWS(relay::node_list(config, std::cout));
}

TEST_CASE("init refuses what would make a relay that trusts nobody, or anybody") {
    const TempFolder folder;
    const Site site{folder.path()};
    const fs::path key = site.control / "data/keys/control.pub";
    const fs::path target = folder.path() / "third";
    for (const char* url : {"", "http://senden.amt.example", "https://a\"\nb"}) {
        INFO(url);
        CHECK_THROWS(relay::init_relay_folder(target, url, key, "drei.amt.example"));
    }
    CHECK_THROWS(
        relay::init_relay_folder(target, "https://a.example", target / "none", "b.example"));
    CHECK_THROWS(relay::init_relay_folder(target, "https://a.example", site.control / "node.json",
                                          "b.example"));
    CHECK_THROWS(relay::init_relay_folder(target, "https://a.example", key, "b.example\""));
    for (const char* host :
         {"", "https://amt.example", "amt.example:8443", "Amt.example", "m\xC3\xBCller.example"}) {
        INFO(host);
        CHECK_THROWS_WITH(relay::init_folder(target, "Amt", host, false),
                          Catch::Contains("--host must be the host's name alone"));
    }
    for (const char* authority : {"", "A\nB", "A\"B", "A\\B", "A\tB"}) {
        INFO(authority);
        CHECK_THROWS_WITH(relay::init_folder(target, authority, "amt.example", false),
                          Catch::Contains("--authority must be a name in one line"));
    }
    CHECK_FALSE(fs::exists(target / "relay.toml"));
}

TEST_CASE("a registered relay stands behind the own one, and the control plane is told") {
    const TempFolder folder;
    const Site site{folder.path()};
    const auto config = site.config();
    const auto own = node_of(site.control);
    const auto other = node_of(site.relay);
    CHECK(listed(config) == own.id.hex() + "\t" + own.url + "\n");
    CHECK_FALSE(fs::exists(config.data_dir / "request.reload"));
    relay::node_add(config, site.relay / "node.json");
    CHECK(fs::exists(config.data_dir / "request.reload"));
    CHECK(listed(config) ==
          own.id.hex() + "\t" + own.url + "\n" + other.id.hex() + "\t" + other.url + "\n");
    const auto registered = relay::registered_relays(config);
    REQUIRE(registered.relays.size() == 2);
    CHECK(registered.relays[0].id == own.id);
    CHECK(registered.relays[1] == other);
    fs::remove(config.data_dir / "request.reload");
    relay::node_remove(config, other.id.hex(), false);
    CHECK(fs::exists(config.data_dir / "request.reload"));
    CHECK(relay::registered_relays(config).relays.size() == 1);
    CHECK_THROWS(relay::node_remove(config, other.id.hex(), false));
    CHECK_THROWS(relay::node_remove(config, own.id.hex(), false));
    CHECK_THROWS(relay::node_remove(config, "../keys/relay", false));
}

TEST_CASE(
    "a relay that owes confirmations is removed as lost only, and the audit says what it owes") {
    const TempFolder folder;
    const Site site{folder.path()};
    const auto config = site.config();
    const auto other = node_of(site.relay);
    relay::node_add(config, site.relay / "node.json");
    {
        relay::adapters::Db db{config.data_dir / "control.db"};
        relay::adapters::SqliteStore store{db};
        store.transaction([&] {
            for (int i = 0; i < 3; ++i) {
                const auto id = TransferId::random();
                store.add_tombstone(id, 1, {});
                if (i == 0) store.mark_gone(id, other.id, {other.id, node_of(site.control).id});
            }
        });
    }
    CHECK_THROWS_WITH(relay::node_remove(config, other.id.hex(), false),
                      Catch::Contains("2 purges") && Catch::Contains("--lost"));
    CHECK(relay::registered_relays(config).relays.size() == 2);
    relay::node_remove(config, other.id.hex(), true);
    CHECK(relay::registered_relays(config).relays.size() == 1);
    CHECK_THAT(text_of(config.data_dir / "audit.log"),
               Catch::Contains(" relay_lost relay=" + other.id.hex() + " purges_not_confirmed=2 "));
}

TEST_CASE("a relay may move to another url, but nobody takes its place") {
    const TempFolder folder;
    const Site site{folder.path()};
    const auto config = site.config();
    const auto add = [&](const relay::KnownRelay& relay) {
        std::ofstream{folder.path() / "record.json"} << encode_node(relay);
        relay::node_add(config, folder.path() / "record.json");
    };
    auto node = node_of(site.relay);
    add(node);
    node.url = "https://neu.amt.example:9443";
    add(node);
    CHECK(relay::registered_relays(config).relays[1].url == node.url);
    auto same_id = node;
    same_id.key = known_relay(1).key;
    CHECK_THROWS(add(same_id));
    auto same_key = node;
    same_key.id = RelayId::random();
    CHECK_THROWS(add(same_key));
    auto same_url = known_relay(2);
    same_url.url = node.url;
    CHECK_THROWS(add(same_url));
    CHECK_THROWS(relay::node_add(config, site.control / "node.json"));
    CHECK_THROWS(relay::node_add(config, folder.path() / "none.json"));
    CHECK(relay::registered_relays(config).relays.size() == 2);
}

TEST_CASE("a damaged record is said and left out, and stops nothing") {
    const TempFolder folder;
    const Site site{folder.path()};
    const auto config = site.config();
    relay::node_add(config, site.relay / "node.json");
    std::ofstream{config.nodes() / "0.json"} << "{";
    std::ofstream{config.nodes() / (known_relay(2).id.hex() + ".json")}
        << encode_node(known_relay(1)); // under another's name
    const auto registered = relay::registered_relays(config);
    CHECK(registered.relays.size() == 2);
    CHECK(registered.damaged == 2);
    CHECK(listed(config).find("damaged: ") != std::string::npos);
}

TEST_CASE("the swarm listens where the pieces do unless it is told otherwise") {
    const TempFolder folder;
    const auto file = folder.path() / "relay.toml";
    std::ofstream{file} << "[pieces]\nlisten = \"0.0.0.0\"\n";
    CHECK(relay::load_config(file).swarm_listen == "0.0.0.0");
    CHECK(relay::load_config(file).swarm_enabled);
    CHECK(relay::load_config(file).swarm_port == 8'445);
    std::ofstream{file} << "[pieces]\nlisten = \"0.0.0.0\"\n[swarm]\nlisten = \"10.1.2.3\"\n"
                           "trusted_networks = [\"10.1.0.0/16\"]\n";
    CHECK(relay::load_config(file).swarm_listen == "10.1.2.3");
    CHECK(relay::load_config(file).trusted_networks == std::vector<std::string>{"10.1.0.0/16"});
    CHECK(relay::load_config(file).swarm_plain_port == 8'446);
}

} // namespace plankurier::test::nodes_test
