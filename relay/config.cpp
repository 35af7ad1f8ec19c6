#include "relay/config.hpp"

#include "relay/settings.hpp"

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

namespace plankurier::relay {

namespace {

constexpr std::int64_t days_max = 3'650;

/// An IPv4 or IPv6 address, "/", and as many bits as it may have.
bool is_network(const std::string& text) {
    const std::size_t slash = text.find('/');
    const std::string bits = slash == text.npos ? "" : text.substr(slash + 1);
    if (bits.empty() || bits.size() > 3 || bits.find_first_not_of("0123456789") != bits.npos) {
        return false;
    }
    const std::string address = text.substr(0, slash);
    std::array<unsigned char, 16> parsed{};
    if (::inet_pton(AF_INET, address.c_str(), parsed.data()) == 1) return std::stoi(bits) <= 32;
    return ::inet_pton(AF_INET6, address.c_str(), parsed.data()) == 1 && std::stoi(bits) <= 128;
}

bool is_ip_address(const std::string& text) {
    std::array<unsigned char, 16> parsed{};
    return ::inet_pton(AF_INET, text.c_str(), parsed.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), parsed.data()) == 1;
}

/// One of the schemes, and a host behind it.
bool is_url(const std::string& text, std::initializer_list<std::string_view> schemes) {
    return text.find_first_of(" \t\n\"<>") == text.npos &&
           std::ranges::any_of(schemes, [&](std::string_view scheme) {
               const std::string_view rest =
                   std::string_view{text}.substr(std::min(scheme.size(), text.size()));
               return text.starts_with(scheme) && !rest.empty() && rest.front() != '/' &&
                      rest.front() != ':';
           });
}

/// Behind the scheme of such an address: a host, perhaps a port, and nothing more.
bool is_host_only(const std::string& url) {
    constexpr std::size_t digits_max = 5;
    constexpr int port_max = 65'535;
    const std::string text = url.substr(url.find("://") + 3);
    if (text.find_first_of("/@?#\\") != text.npos) return false;
    const std::size_t bracket = text.find(']');
    const std::size_t colon = text.find(':', bracket == text.npos ? 0 : bracket);
    if (colon == text.npos) return true;
    const std::string port = text.substr(colon + 1);
    return !port.empty() && port.size() <= digits_max &&
           port.find_first_not_of("0123456789") == port.npos && std::stoi(port) >= 1 &&
           std::stoi(port) <= port_max;
}

void take_https_url(const Settings& settings, std::string_view path, std::string& target) {
    take(settings, path, target);
    while (target.ends_with('/')) target.pop_back();
    if (settings.find(path) != nullptr && !is_url(target, {"https://"})) {
        settings.refuse(path, "must be an address that begins with https://, as in "
                              "\"https://senden.amt.example\"");
    }
    if (settings.find(path) != nullptr && !is_host_only(target)) {
        settings.refuse(path, "must name a host and at most a port (1 to 65535) behind it, as in "
                              "\"https://senden.amt.example:8443\"");
    }
}

void take_address(const Settings& settings, std::string_view path, std::string& target) {
    take(settings, path, target);
    if (settings.find(path) == nullptr || target.empty() || check_address(target)) return;
    settings.refuse(path, "must be a plain e-mail address, as in \"plankurier@amt.example\"");
}

void take_listen(const Settings& settings, std::string_view path, std::string& target) {
    take(settings, path, target);
    if (settings.find(path) == nullptr || is_ip_address(target)) return;
    settings.refuse(path, "must be a numeric address of this machine, as in \"0.0.0.0\" (all)");
}

void take_folders(const Settings& settings, const std::filesystem::path& base, Config& config) {
    constexpr std::int64_t reserve_mib_max = 1'048'576;
    config.data_dir = base / "data";
    take_path(settings, "data_dir", base, config.data_dir);
    config.database_dir = config.vault_dir = config.data_dir;
    config.mail_dir = config.data_dir / "mail";
    config.pieces_dir = config.data_dir / "pieces";
    take_path(settings, "database_dir", base, config.database_dir);
    take_path(settings, "vault_dir", base, config.vault_dir);
    take_path(settings, "mail_dir", base, config.mail_dir);
    take_path(settings, "pieces_dir", base, config.pieces_dir);
    take_mib(settings, "reserve_mib", config.reserve_bytes, 0, reserve_mib_max);
    config.control_socket = config.data_dir / "control.sock";
}

void take_control(const Settings& settings, const std::filesystem::path& base, Config& config) {
    take_path(settings, "control.socket", base, config.control_socket);
    take(settings, "control.url", config.control_url);
    if (!config.control_url.empty()) take_https_url(settings, "control.url", config.control_url);
    take_path(settings, "control.ca_file", base, config.control_ca);
}

void take_pieces(const Settings& settings, const std::filesystem::path& base, Config& config) {
    take_port(settings, "pieces.port", config.pieces_port);
    take_listen(settings, "pieces.listen", config.pieces_listen);
    config.pieces_url = "https://localhost:" + std::to_string(config.pieces_port);
    take_https_url(settings, "pieces.url", config.pieces_url);
    config.certificate = base / "tls" / "relay.pem";
    config.private_key = base / "tls" / "relay.key";
    take_path(settings, "pieces.certificate", base, config.certificate);
    take_path(settings, "pieces.private_key", base, config.private_key);
    constexpr std::int64_t mb_per_s_max = 100'000;
    take(settings, "pieces.scrub_days", config.scrub_days, 1, 365);
    take(settings, "pieces.scrub_mb_per_s", config.scrub_mb_per_s, 1, mb_per_s_max);
    take(settings, "pieces.heal_mb_per_s", config.heal_mb_per_s, 1, mb_per_s_max);
}

void take_swarm(const Settings& settings, Config& config) {
    take(settings, "swarm.enabled", config.swarm_enabled);
    config.swarm_listen = config.pieces_listen;
    take_listen(settings, "swarm.listen", config.swarm_listen);
    take_port(settings, "swarm.port", config.swarm_port);
    take_port(settings, "swarm.plain_port", config.swarm_plain_port);
    take(settings, "swarm.trusted_networks", config.trusted_networks);
    if (!std::ranges::all_of(config.trusted_networks, is_network)) {
        settings.refuse("swarm.trusted_networks", "must be a list of address ranges such as "
                                                  "\"10.1.0.0/16\" or \"fd00::/8\"");
    }
    const bool plain = !config.trusted_networks.empty();
    if (config.swarm_enabled && (config.swarm_port == config.pieces_port ||
                                 (plain && (config.swarm_plain_port == config.pieces_port ||
                                            config.swarm_plain_port == config.swarm_port)))) {
        const bool named = settings.find("swarm.port") != nullptr;
        settings.refuse(named ? "swarm.port" : "pieces.port",
                        "must be another port: pieces.port, swarm.port and swarm.plain_port "
                        "differ");
    }
}

/// A limit of 0 would serve nobody.
void take_crowd(const Settings& settings, Config& config) {
    constexpr std::int64_t most = 1'000'000;
    const auto limit = [&](std::string_view path, std::size_t& target) {
        take_count(settings, path, target, 1, most);
    };
    limit("limits.connections_per_address", config.lines.per_address);
    limit("limits.connections_per_transfer", config.lines.per_transfer);
    limit("limits.connections_max", config.lines.with_ticket);
    config.lines.without_ticket = std::max(config.lines.without_ticket, config.lines.per_address);
    limit("limits.requests_per_address_s", config.requests.per_address_s);
    limit("limits.requests_per_session_s", config.requests.per_proof_s);
}

/// `limits`: anything with the three members; `prefix` of their names.
template <typename L>
void take_expiry(const Settings& settings, const std::string& prefix, L& limits) {
    take(settings, prefix + "days_min", limits.expiry_days_min, 1, days_max);
    take(settings, prefix + "days_default", limits.expiry_days_default, 1, days_max);
    take(settings, prefix + "days_max", limits.expiry_days_max, 1, days_max);
    if (limits.expiry_days_default >= limits.expiry_days_min &&
        limits.expiry_days_max >= limits.expiry_days_default) {
        return;
    }
    std::string named = prefix + "days_min";
    for (const char* one : {"days_default", "days_max"}) {
        if (settings.find(prefix + one) != nullptr) named = prefix + one;
    }
    settings.refuse(named, "does not fit: days_min <= days_default <= days_max, and these are " +
                               std::to_string(limits.expiry_days_min) + ", " +
                               std::to_string(limits.expiry_days_default) + ", " +
                               std::to_string(limits.expiry_days_max));
}

void take_types(const Settings& settings, std::vector<std::string>& types) {
    take(settings, "types", types);
    const bool known = std::ranges::all_of(types, [](const std::string& type) {
        return type == "pdf" || type == "jpeg" || type == "png";
    });
    if (types.empty() || !known) {
        settings.refuse("types", "must list some of \"pdf\", \"jpeg\", \"png\"");
    }
}

/// After the limits for all, which hold where a department says nothing.
void take_departments(const Settings& settings, Policy& policy) {
    for (const auto& [id, one] : settings.parts("departments")) {
        std::string mail;
        take(one, "mail", mail);
        if (!check_address(mail)) {
            one.refuse(one.find("mail") == nullptr ? "" : "mail",
                       one.find("mail") == nullptr
                           ? "needs mail = \"…\": where its notices go"
                           : "must be a plain e-mail address, as in \"bauamt@amt.example\"");
        }
        policy.department_mails.emplace(id, mail);
        DepartmentLimits limits = limits_of(policy, id);
        const DepartmentLimits for_all = limits;
        take_types(one, limits.types);
        take_gib(one, "transfer_gib_max", limits.transfer_bytes_max);
        take_expiry(one, "", limits);
        if (!(limits == for_all)) policy.departments.emplace(id, limits);
    }
}

/// A whole address, or "@" and a domain.
bool is_pattern(const std::string& text) {
    return check_address(text.starts_with('@') ? "a" + text : text).has_value();
}

void take_rules(const Settings& settings, Policy& policy) {
    for (const auto& [id, one] : settings.parts("rules")) {
        Rule rule;
        take(one, "from", rule.from);
        take(one, "to", rule.to);
        if (rule.from.empty() || rule.to.empty()) one.refuse_unknown(); // "form"
        if (rule.from.empty() || rule.to.empty()) one.refuse("", "needs from and to");
        if (rule.from != "*" && !is_pattern(rule.from)) {
            one.refuse("from", "must be \"*\", an address, or \"@\" and a domain");
        }
        if (rule.to.find('@') != rule.to.npos && !is_pattern(rule.to)) {
            one.refuse("to", "must be a department's ID, an address, or \"@\" and a domain");
        }
        policy.rules.push_back(std::move(rule));
    }
}

void take_limits(const Settings& settings, Limits& limits) {
    take_expiry(settings, "expiry.", limits);
    take(settings, "expiry.extend", limits.expiry_extend);
    take_gib(settings, "limits.transfer_gib_max", limits.transfer_bytes_max);
    take_count(settings, "limits.code_mails_per_address_hour", limits.code_mails_per_address_hour);
    take_count(settings, "limits.code_mails_per_address_day", limits.code_mails_per_address_day);
    take_count(settings, "limits.code_mails_hour", limits.code_mails_hour);
    take(settings, "limits.remember_days_max", limits.remember_days_max, 0, days_max);
    std::int64_t lost_minutes = limits.lost_after_s / 60;
    take(settings, "limits.lost_minutes", lost_minutes, 0, 10'080);
    limits.lost_after_s = lost_minutes * 60;
    take_count(settings, "limits.open_transfers_per_address", limits.open_transfers_per_address);
    take_gib(settings, "limits.gib_per_address_day", limits.bytes_per_address_day);
    take_gib(settings, "limits.free_gib_min", limits.free_bytes_min, 0);
    take_count(settings, "limits.free_percent_min", limits.free_percent_min, 0, 100);
}

void take_policy(const Settings& settings, Policy& policy) {
    constexpr std::int64_t relays_max = 1'000;
    take(settings, "authority", policy.authority);
    const bool plain = std::ranges::none_of(
        policy.authority, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (!plain || policy.authority.empty()) {
        settings.refuse("authority", "must be a name in one line: it stands in mails' subjects");
    }
    take_https_url(settings, "link_base", policy.link_base);
    take_limits(settings, policy.limits);
    take(settings, "policy.link_allowed", policy.link_allowed);
    take_count(settings, "copies_max", policy.copies_max, 2, relays_max);
    take(settings, "staff_patterns", policy.staff_patterns);
    if (!std::ranges::all_of(policy.staff_patterns, is_pattern)) {
        settings.refuse("staff_patterns", "must list whole addresses (\"anna@amt.example\") or "
                                          "\"@\" and a domain (\"@amt.example\")");
    }
    take_departments(settings, policy);
    take_rules(settings, policy);
}

void take_mail(const Settings& settings, const std::filesystem::path& base, Config& config) {
    take_address(settings, "mail.from", config.mail_from);
    if (config.mail_from.empty()) settings.refuse("mail.from", "must be an e-mail address");
    take_address(settings, "mail.bounce", config.mail_bounce);
    take(settings, "mail.smtp_url", config.smtp_url);
    while (config.smtp_url.ends_with('/') && !config.smtp_url.ends_with("://")) {
        config.smtp_url.pop_back();
    }
    if (!config.smtp_url.empty() && !is_url(config.smtp_url, {"smtp://", "smtps://"})) {
        settings.refuse("mail.smtp_url", "must begin with smtp:// or smtps://, as in "
                                         "\"smtp://mail.amt.example:587\"");
    }
    if (!config.smtp_url.empty() && !is_host_only(config.smtp_url)) {
        settings.refuse("mail.smtp_url",
                        "must name a host and at most a port (1 to 65535) behind it, as in "
                        "\"smtp://mail.amt.example:587\"; a name and password stand in mail.user "
                        "and mail.password_file");
    }
    take(settings, "mail.user", config.smtp_user);
    take(settings, "mail.require_tls", config.smtp_require_tls);
    take_path(settings, "mail.password_file", base, config.smtp_password_file);
    std::filesystem::path ca_file;
    take_path(settings, "mail.ca_file", base, ca_file);
    config.smtp_ca_file = ca_file.string();
}

/// Named in one place, since a directory that is built anew every month must not lose them.
void take_page(const Settings& settings, Config& config) {
    constexpr std::size_t pages_max = 8;
    std::vector<std::string> texts;
    take(settings, "web.sha256", texts);
    for (const std::string& text : texts) {
        const auto raw = from_hex(text);
        Hash256 hash{};
        if (!raw || raw->size() != hash.size()) {
            settings.refuse("web.sha256", "must list SHA-256 hashes, each of 64 hex digits");
        }
        std::ranges::copy(*raw, hash.begin());
        config.page_hashes.push_back(hash);
    }
    const std::set<Hash256> all{config.page_hashes.begin(), config.page_hashes.end()};
    if (texts.size() > pages_max || all.size() != texts.size()) {
        settings.refuse("web.sha256", "may list 8 hashes, each once");
    }
}

} // namespace

Config load_config(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) {
        throw std::runtime_error("there is no " + file.string() +
                                 ": run `plankurier-relay init DIR` first");
    }
    const Settings settings{file};
    Config config;
    config.file = std::filesystem::absolute(file);
    const std::filesystem::path base = config.file.parent_path();
    take_folders(settings, base, config);
    take_policy(settings, config.policy);
    take_control(settings, base, config);
    take_pieces(settings, base, config);
    take_swarm(settings, config);
    take_crowd(settings, config);
    take_mail(settings, base, config);
    take_page(settings, config);
    settings.refuse_unknown(); // last, when every name has been asked for
    return config;
}

} // namespace plankurier::relay
