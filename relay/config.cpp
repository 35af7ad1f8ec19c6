#include "relay/config.hpp"

#include <toml++/toml.h>

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

namespace plankurier::relay {

namespace {

template <typename T>
void take(const toml::table& table, std::string_view path, T& target) {
    const auto node = table.at_path(path);
    if (!node) return;
    const auto value = node.value<T>();
    if (!value) {
        throw std::runtime_error("relay.toml: \"" + std::string{path} + "\" has the wrong type");
    }
    target = *value;
}

void take_count(const toml::table& table, std::string_view path, std::size_t& target) {
    auto value = static_cast<std::int64_t>(target);
    take(table, path, value);
    if (value < 0)
        throw std::runtime_error("relay.toml: \"" + std::string{path} + "\" is negative");
    target = static_cast<std::size_t>(value);
}

void take_gib(const toml::table& table, std::string_view path, std::uint64_t& bytes,
              std::int64_t gib_min = 1) {
    auto gib = static_cast<std::int64_t>(bytes >> 30);
    take(table, path, gib);
    if (gib < gib_min || gib > (std::int64_t{1} << 22)) {
        throw std::runtime_error("relay.toml: \"" + std::string{path} + "\" is out of range");
    }
    bytes = static_cast<std::uint64_t>(gib) << 30;
}

void take_path(const toml::table& table, std::string_view path, const std::filesystem::path& base,
               std::filesystem::path& target) {
    std::string text;
    take(table, path, text);
    if (!text.empty()) target = base / text; // an absolute path replaces the base
}

void take_port(const toml::table& table, std::string_view path, std::uint16_t& target) {
    std::int64_t port = target;
    take(table, path, port);
    if (port < 1 || port > 65'535) {
        throw std::runtime_error("relay.toml: " + std::string{path} + " is no port");
    }
    target = static_cast<std::uint16_t>(port);
}

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

void take_control(const toml::table& table, const std::filesystem::path& base, Config& config) {
    take(table, "control.url", config.control_url);
    take_path(table, "control.ca_file", base, config.control_ca);
    if (!config.control_url.empty() && !config.control_url.starts_with("https://")) {
        throw std::runtime_error("relay.toml: control.url must begin with https://");
    }
}

void take_swarm(const toml::table& table, Config& config) {
    take(table, "swarm.enabled", config.swarm_enabled);
    config.swarm_listen = config.pieces_listen;
    take(table, "swarm.listen", config.swarm_listen);
    take_port(table, "swarm.port", config.swarm_port);
    take_port(table, "swarm.plain_port", config.swarm_plain_port);
    if (const auto node = table.at_path("swarm.trusted_networks")) {
        const auto* networks = node.as_array();
        for (std::size_t i = 0; networks != nullptr && i < networks->size(); ++i) {
            config.trusted_networks.push_back((*networks)[i].value_or(std::string{}));
        }
        if (networks == nullptr || !std::ranges::all_of(config.trusted_networks, is_network)) {
            throw std::runtime_error("relay.toml: swarm.trusted_networks is a list of address "
                                     "ranges such as \"10.1.0.0/16\" or \"fd00::/8\"");
        }
    }
    const bool plain = !config.trusted_networks.empty();
    if (config.swarm_enabled && (config.swarm_port == config.pieces_port ||
                                 (plain && (config.swarm_plain_port == config.pieces_port ||
                                            config.swarm_plain_port == config.swarm_port)))) {
        throw std::runtime_error("relay.toml: pieces.port, swarm.port and swarm.plain_port must "
                                 "differ");
    }
}

/// `limits`: anything with the three members.
template <typename L>
void check_expiry(const L& limits, const std::string& where) {
    if (limits.expiry_days_min < 1 || limits.expiry_days_default < limits.expiry_days_min ||
        limits.expiry_days_max < limits.expiry_days_default) {
        throw std::runtime_error("relay.toml: " + where +
                                 " needs 1 <= days_min <= days_default <= days_max");
    }
}

void take_types(const toml::table& table, const std::string& path,
                std::vector<std::string>& types) {
    const auto* list = table.at_path(path).as_array();
    if (list == nullptr) return;
    types.clear();
    for (const auto& one : *list) types.push_back(one.value_or(std::string{}));
    const bool known = std::ranges::all_of(types, [](const std::string& type) {
        return type == "pdf" || type == "jpeg" || type == "png";
    });
    if (types.empty() || !known) {
        throw std::runtime_error("relay.toml: " + path +
                                 " lists some of \"pdf\", \"jpeg\", \"png\"");
    }
}

/// After the limits for all, which hold where a department says nothing.
void take_departments(const toml::table& table, Policy& policy) {
    const auto* departments = table["departments"].as_table();
    if (departments == nullptr) return;
    for (const auto& [key, entry] : *departments) {
        const std::string id{key.str()};
        const std::string where = "departments." + id;
        const auto* one = entry.as_table();
        const std::string mail = one == nullptr ? "" : (*one)["mail"].value_or(std::string{});
        if (!check_address(mail)) {
            throw std::runtime_error("relay.toml: " + where +
                                     ".mail is missing or no plain e-mail address");
        }
        policy.department_mails.emplace(id, mail);
        DepartmentLimits limits = limits_of(policy, id);
        take_types(*one, "types", limits.types);
        take_gib(*one, "transfer_gib_max", limits.transfer_bytes_max);
        take(*one, "days_min", limits.expiry_days_min);
        take(*one, "days_default", limits.expiry_days_default);
        take(*one, "days_max", limits.expiry_days_max);
        check_expiry(limits, where);
        if (one->size() > 1) policy.departments.emplace(id, limits);
    }
}

void take_rules(const toml::table& table, Policy& policy) {
    const auto* rules = table["rules"].as_array();
    for (std::size_t i = 0; rules != nullptr && i < rules->size(); ++i) {
        const auto* one = (*rules)[i].as_table();
        Rule rule;
        if (one != nullptr) rule.from = (*one)["from"].value_or(std::string{});
        if (one != nullptr) rule.to = (*one)["to"].value_or(std::string{});
        if (rule.from.empty() || rule.to.empty()) {
            throw std::runtime_error("relay.toml: each of the rules needs \"from\" and \"to\"");
        }
        policy.rules.push_back(std::move(rule));
    }
}

void take_policy(const toml::table& table, Policy& policy) {
    take(table, "authority", policy.authority);
    take(table, "link_base", policy.link_base);
    take(table, "expiry.days_min", policy.limits.expiry_days_min);
    take(table, "expiry.days_default", policy.limits.expiry_days_default);
    take(table, "expiry.days_max", policy.limits.expiry_days_max);
    take_gib(table, "limits.transfer_gib_max", policy.limits.transfer_bytes_max);
    take_count(table, "limits.code_mails_per_address_hour",
               policy.limits.code_mails_per_address_hour);
    take_count(table, "limits.code_mails_per_address_day",
               policy.limits.code_mails_per_address_day);
    take_count(table, "limits.code_mails_hour", policy.limits.code_mails_hour);
    take(table, "expiry.extend", policy.limits.expiry_extend);
    take(table, "limits.remember_days_max", policy.limits.remember_days_max);
    take_count(table, "limits.open_transfers_per_address",
               policy.limits.open_transfers_per_address);
    take_gib(table, "limits.gib_per_address_day", policy.limits.bytes_per_address_day);
    take_gib(table, "limits.free_gib_min", policy.limits.free_bytes_min, 0);
    take_count(table, "limits.free_percent_min", policy.limits.free_percent_min);
    if (policy.limits.free_percent_min > 100) {
        throw std::runtime_error("relay.toml: limits.free_percent_min is at most 100");
    }
    take(table, "policy.link_allowed", policy.link_allowed);
    take_count(table, "copies_max", policy.copies_max);
    if (policy.copies_max < 2) throw std::runtime_error("relay.toml: copies_max is at least 2");
    if (const auto* patterns = table["staff_patterns"].as_array()) {
        for (const auto& one : *patterns)
            policy.staff_patterns.push_back(one.value_or(std::string{}));
    }
    take_departments(table, policy);
    take_rules(table, policy);
    check_expiry(policy.limits, "expiry");
}

/// At least 1 and at most a million: a limit of 0 would serve nobody.
void take_limit(const toml::table& table, std::string_view path, std::size_t& target) {
    take_count(table, path, target);
    if (target < 1 || target > 1'000'000) {
        throw std::runtime_error("relay.toml: \"" + std::string{path} +
                                 "\" must be between 1 and 1000000");
    }
}

void take_crowd(const toml::table& table, Config& config) {
    take_limit(table, "limits.connections_per_address", config.lines.per_address);
    take_limit(table, "limits.connections_per_transfer", config.lines.per_transfer);
    take_limit(table, "limits.connections_max", config.lines.with_ticket);
    config.lines.without_ticket = std::max(config.lines.without_ticket, config.lines.per_address);
    take_limit(table, "limits.requests_per_address_s", config.requests.per_address_s);
    take_limit(table, "limits.requests_per_session_s", config.requests.per_proof_s);
}

toml::table parsed(const std::filesystem::path& file) {
    try {
        return toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        std::ostringstream where;
        where << error.source().begin;
        throw std::runtime_error("relay.toml, " + where.str() + ": " +
                                 std::string{error.description()});
    }
}

} // namespace

Config load_config(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) {
        throw std::runtime_error("there is no " + file.string() +
                                 ": run `plankurier-relay init DIR` first");
    }
    const toml::table table = parsed(file);
    Config config;
    config.file = std::filesystem::absolute(file);
    const std::filesystem::path base = config.file.parent_path();
    config.data_dir = base / "data";
    take_path(table, "data_dir", base, config.data_dir);
    config.control_socket = config.data_dir / "control.sock";
    take_path(table, "control.socket", base, config.control_socket);
    take_policy(table, config.policy);
    take_port(table, "pieces.port", config.pieces_port);
    take(table, "pieces.listen", config.pieces_listen);
    config.pieces_url = "https://localhost:" + std::to_string(config.pieces_port);
    take(table, "pieces.url", config.pieces_url);
    config.certificate = base / "tls" / "relay.pem";
    config.private_key = base / "tls" / "relay.key";
    take_path(table, "pieces.certificate", base, config.certificate);
    take_path(table, "pieces.private_key", base, config.private_key);
    take_control(table, base, config);
    take_swarm(table, config);
    take_crowd(table, config);
    take(table, "mail.from", config.mail_from);
    take(table, "mail.bounce", config.mail_bounce);
    if (!config.mail_bounce.empty() && !check_address(config.mail_bounce)) {
        throw std::runtime_error("relay.toml: mail.bounce is no plain e-mail address");
    }
    take(table, "mail.smtp_url", config.smtp_url);
    take(table, "mail.user", config.smtp_user);
    take(table, "mail.require_tls", config.smtp_require_tls);
    take_path(table, "mail.password_file", base, config.smtp_password_file);
    std::filesystem::path ca_file;
    take_path(table, "mail.ca_file", base, ca_file);
    config.smtp_ca_file = ca_file.string();
    if (!check_address(config.mail_from)) {
        throw std::runtime_error("relay.toml: mail.from is no plain e-mail address");
    }
    return config;
}

} // namespace plankurier::relay
