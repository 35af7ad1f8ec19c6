#include "relay/node_commands.hpp"

#include "relay/adapters/files.hpp"
#include "relay/adapters/local.hpp"
#include "relay/adapters/node_records.hpp"
#include "relay/adapters/sqlite_store.hpp"
#include "relay/nginx_files.hpp"
#include "relay/requests.hpp"

#include <iostream>
#include <stdexcept>

namespace plankurier::relay {

namespace {

namespace fs = std::filesystem;

KnownRelay own_relay(const Config& config) {
    KnownRelay relay;
    const auto id = adapters::read_file(config.keys() / "relay.id");
    const auto key = adapters::read_file(config.keys() / "relay.pub");
    const auto parsed = RelayId::from_hex(id ? as_text(*id) : std::string_view{});
    if (!parsed || !key || key->size() != relay.key.size()) {
        throw std::runtime_error("the relay's identity is missing: run init");
    }
    relay.id = *parsed;
    std::copy(key->begin(), key->end(), relay.key.begin());
    relay.url = config.pieces_url;
    return relay;
}

void only_with_control(const Config& config) {
    if (!config.control_url.empty()) {
        throw std::runtime_error("this relay has no control plane: run `node` where it is");
    }
}

std::int64_t purges_not_confirmed(const Config& config, const RelayId& relay) {
    if (!fs::exists(config.database())) return 0;
    adapters::Db db = adapters::open_kept(config.database(), config.vault_dir / "vault");
    return adapters::SqliteStore{db}.count_unsigned(relay);
}

/// The control plane hears of it at once; nginx when it is reloaded.
void tell_of_change(const Config& config) {
    leave_request(config, "reload");
    renew_nginx_files(config);
}

} // namespace

RegisteredRelays registered_relays(const Config& config) {
    RegisteredRelays out{{own_relay(config)}, 0};
    adapters::Nodes nodes = adapters::read_nodes(config.nodes());
    out.damaged = nodes.damaged.size();
    for (KnownRelay& relay : nodes.relays) {
        if (relay.id != out.relays.front().id) out.relays.push_back(std::move(relay));
    }
    return out;
}

void node_add(const Config& config, const fs::path& record) {
    only_with_control(config);
    const auto bytes = adapters::read_file(record);
    if (!bytes) throw std::runtime_error("there is no file " + record.string());
    const auto relay = adapters::parse_node(as_text(*bytes));
    if (!relay) {
        throw std::runtime_error(
            "the record is not usable: " + std::string{name(relay.error().code)} + " (" +
            relay.error().detail + ")");
    }
    for (const KnownRelay& known : registered_relays(config).relays) {
        if ((known.id == relay->id) != (known.key == relay->key)) {
            throw std::runtime_error("a relay with this id or key is registered already, and it is "
                                     "another one: see `node list`");
        }
        if (known.id != relay->id && known.url == relay->url) {
            throw std::runtime_error("another relay has this url: correct it in node.json");
        }
    }
    if (relay->id == own_relay(config).id) {
        throw std::runtime_error("this relay itself is always registered");
    }
    fs::create_directories(config.nodes());
    adapters::write_durably(config.nodes() / (relay->id.hex() + ".json"),
                            as_bytes(adapters::encode_node(*relay)));
    tell_of_change(config);
    std::cout << "registered " << relay->id.hex() << " at " << relay->url << "\n";
}

void node_list(const Config& config, std::ostream& out) {
    only_with_control(config);
    for (const KnownRelay& relay : registered_relays(config).relays) {
        out << relay.id.hex() << "\t" << relay.url << "\n";
    }
    for (const fs::path& file : adapters::read_nodes(config.nodes()).damaged) {
        out << "damaged: " << file.string() << " (put it back with `node add`, or delete it)\n";
    }
}

void node_remove(const Config& config, const std::string& id, bool is_lost) {
    only_with_control(config);
    const auto relay = RelayId::from_hex(id);
    const fs::path file = config.nodes() / ((relay ? relay->hex() : std::string{}) + ".json");
    if (!relay || !fs::exists(file)) {
        throw std::runtime_error("no relay with this id was added: see `node list`");
    }
    const std::int64_t not_confirmed = purges_not_confirmed(config, *relay);
    if (not_confirmed > 0 && !is_lost) {
        throw std::runtime_error(
            "it has not confirmed " + std::to_string(not_confirmed) +
            " purges: let it run until `status` says purged_not_confirmed 0, or say --lost if it "
            "never comes back");
    }
    if (is_lost) {
        adapters::AuditFile{config.data_dir / "audit.log"}.record_lost(
            adapters::SystemClock{}.now(), *relay, not_confirmed);
    }
    adapters::remove_durably(file);
    tell_of_change(config);
    std::cout << "removed " << relay->hex() << "\n";
    if (not_confirmed > 0) {
        std::cout << not_confirmed << " purges were never confirmed by it; the audit says so. Its "
                  << "pieces cannot be read without the keys that are gone; destroy its disk all "
                  << "the same\n";
    }
}

} // namespace plankurier::relay
