#include "relay/adapters/files.hpp"
#include "relay/adapters/node_records.hpp"
#include "relay/adapters/swarm_authority.hpp"
#include "relay/config.hpp"
#include "relay/nginx_files.hpp"

#include <plankurier/keys.hpp>

#include <algorithm>
#include <ctime>
#include <stdexcept>

namespace plankurier::relay {

namespace {

namespace fs = std::filesystem;

/// What every relay has: its piece plane, and its part of the swarm.
std::string planes_text(const std::string& url_line) {
    return "\n[pieces]                              # the public HTTPS port for the bytes\n"
           "# listen = \"127.0.0.1\"\n# port = 8443\n" +
           url_line +
           "\n# certificate = \"tls/relay.pem\"\n# private_key = \"tls/relay.key\"\n"
           "\n[swarm]                               # how relays copy among themselves\n"
           "# enabled = true\n# listen = \"127.0.0.1\"     # as for the pieces\n# port = 8445\n"
           "# trusted_networks = []                # e.g. [\"10.1.0.0/16\"]: no TLS between relays "
           "there\n# plain_port = 8446\n";
}

/// 50, as without the line, where the disk has room for it; a tenth of a smaller disk.
std::uintmax_t free_gib_min(const fs::path& folder) {
    return std::min<std::uintmax_t>(50, (fs::space(folder).capacity >> 30) / 10);
}

std::string toml_text(const std::string& authority, const std::string& host,
                      std::uintmax_t free_gib) {
    return "# plankurier-relay: lines behind # show the default, or an example.\n"
           "authority = \"" +
           authority +
           "\"\n"
           "link_base = \"https://" +
           host +
           "\"      # start of the links in mails\n"
           "# data_dir = \"data\"                    # not on btrfs, zfs or another copy-on-write "
           "system\n"
           "# reserve_mib = 64                     # of the disk, given up so that deleting works\n"
           "# staff_patterns = []                  # whom citizens may address by e-mail, as in "
           "[\"@amt.example\"]\n"
           "# copies_max = 3                       # how many relays keep a transfer\n" +
           planes_text("url = \"https://" + host + ":8443\"   # how clients reach that port") +
           "\n[mail]                                # without smtp_url: DATA/mail/*.eml\n"
           "from = \"plankurier@" +
           host +
           "\"\n"
           "# smtp_url = \"smtp://mail.example.org:587\"\n# user = \"\"\n# password_file = \"\"\n"
           "# bounce = \"\"                         # where undeliverable mails come back to\n"
           "\n[expiry]\n# days_min = 1\n# days_default = 14\n# days_max = 60\n# extend = false\n"
           "\n[policy]\n# link_allowed = false                 # transfers that a link alone "
           "opens\n"
           "\n[limits]\nfree_gib_min = " +
           std::to_string(free_gib) +
           "                       # with less free space no transfer begins\n"
           "# free_percent_min = 10\n# transfer_gib_max = 100\n"
           "# connections_per_address = 512        # at the piece plane, before a ticket is shown\n"
           "# requests_per_address_s = 100         # at the control plane, before a session is "
           "shown\n"
           "\n# [departments.bauamt]                # notices of a department in the directory\n"
           "# mail = \"bauamt@" +
           host + "\"\n";
}

std::string relay_toml_text(const std::string& control_url, const std::string& host) {
    return "# plankurier-relay without control plane: it keeps pieces for the one named here.\n"
           "# data_dir = \"data\"\n"
           "\n[control]\nurl = \"" +
           control_url +
           "\"\n# ca_file = \"\"                        # if the system does not know its CA\n" +
           planes_text("url = \"https://" + host + ":8443\"   # as in node.json");
}

void write_new(const fs::path& file, ByteView bytes) {
    if (fs::exists(file)) throw std::runtime_error(file.string() + " is there already");
    adapters::write_durably(file, bytes);
}

/// The folders of a new relay. Gives its absolute path.
fs::path new_folder(const fs::path& folder, const std::string& host) {
    constexpr const char* allowed = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    if (host.empty() || host.find_first_not_of(allowed) != host.npos) {
        throw std::runtime_error(
            "--host must be the host's name alone, without https:// and port, in "
            "a-z (an umlaut as xn--…), 0-9, - and points, as in "
            "senden.amt.example");
    }
    if (fs::exists(folder / "relay.toml")) {
        throw std::runtime_error(folder.string() + " holds a relay already");
    }
    fs::path absolute = fs::absolute(folder);
    for (const char* part : {"data", "data/keys", "data/directory", "tls"}) {
        fs::create_directories(absolute / part);
    }
    return absolute;
}

/// A new identity, and its public record for the control plane.
void make_identity(const fs::path& folder, const std::string& host) {
    const fs::path keys = folder / "data" / "keys";
    const auto seed = SigningSeed::random();
    const KnownRelay relay{RelayId::random(), signing_public_key(seed),
                           "https://" + host + ":8443"};
    write_new(keys / "relay.seed", seed.reveal());
    write_new(keys / "relay.pub", relay.key);
    write_new(keys / "relay.id", as_bytes(relay.id.hex()));
    write_new(folder / "node.json", as_bytes(adapters::encode_node(relay)));
}

} // namespace

void init_folder(const fs::path& folder, const std::string& authority, const std::string& host,
                 bool with_nginx) {
    const bool plain = std::ranges::none_of(authority, [](char c) {
        return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (authority.empty() || !plain) {
        throw std::runtime_error("--authority must be a name in one line, without \" and \\");
    }
    const fs::path absolute = new_folder(folder, host);
    const fs::path keys = absolute / "data" / "keys";
    const auto control = SigningSeed::random();
    const auto pepper = Secret<32, struct NewPepperTag>::random();
    write_new(keys / "control.seed", control.reveal());
    write_new(keys / "control.pub", signing_public_key(control));
    make_identity(absolute, host);
    write_new(keys / "pepper", pepper.reveal());
    static_cast<void>(adapters::SwarmAuthority{keys, std::time(nullptr)});
    if (with_nginx) write_new(absolute / "nginx.conf", as_bytes(nginx_text(host, absolute)));
    write_new(absolute / "relay.toml",
              as_bytes(toml_text(authority, host, free_gib_min(absolute))));
    if (with_nginx) write_nginx_files(load_config(absolute / "relay.toml"));
}

void init_relay_folder(const fs::path& folder, const std::string& control_url,
                       const fs::path& control_key, const std::string& host) {
    if (!control_url.starts_with("https://") ||
        control_url.find_first_of("\"\\\n ") != control_url.npos) {
        throw std::runtime_error("--control is the https:// address of the control plane");
    }
    const auto key = adapters::read_file(control_key);
    if (!key || key->size() != SigningPublicKey{}.size()) {
        throw std::runtime_error("--control-key is the file keys/control.pub of the control plane");
    }
    const fs::path absolute = new_folder(folder, host);
    write_new(absolute / "data" / "keys" / "control.pub", *key);
    make_identity(absolute, host);
    write_new(absolute / "relay.toml", as_bytes(relay_toml_text(control_url, host)));
}

} // namespace plankurier::relay
