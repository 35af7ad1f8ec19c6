#include "relay/config_check.hpp"

#include "relay/pieces/server_tls.hpp"
#include "relay/roles.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <string_view>

namespace plankurier::relay {

namespace {

void check_file(const std::filesystem::path& file, const char* setting,
                std::vector<std::string>& out) {
    if (file.empty() || ::access(file.c_str(), R_OK) == 0) return;
    out.push_back(std::string{setting} + " names " + file.string() +
                  ", which is not there or "
                  "cannot be read by this user");
}

/// Settings of departments count only for those of the installed directory. Before there is one
/// nothing can be said.
void check_departments(const Config& config, std::vector<std::string>& out) {
    const auto installed = installed_directory(config);
    if (!installed) return;
    std::string there;
    for (const auto* list : {&installed->directory.departments, &installed->directory.clerks}) {
        for (const Department& one : *list) there += " " + one.id;
    }
    const auto is_there = [&](const std::string& id) {
        return (there + " ").find(" " + id + " ") != std::string::npos;
    };
    for (const auto& [id, mail] : config.policy.department_mails) {
        if (is_there(id)) continue;
        out.push_back("[departments." + id +
                      "] counts for nothing: the installed directory has no such department, only" +
                      there);
    }
    for (const Rule& rule : config.policy.rules) {
        if (rule.to.find('@') != rule.to.npos || is_there(rule.to)) continue;
        out.push_back(
            "a rule to \"" + rule.to +
            "\" counts for nothing: the installed directory has no such department, only" + there);
    }
}

/// Host of an https:// address.
std::string host_of(const std::string& url) {
    constexpr std::string_view scheme = "https://";
    const std::size_t begin = url.starts_with(scheme) ? scheme.size() : 0;
    if (url.substr(begin, 1) == "[") return url.substr(begin + 1, url.find(']') - begin - 1);
    return url.substr(begin, url.find_first_of(":/", begin) - begin);
}

bool is_local(const std::string& url) {
    const std::string host = host_of(url);
    return host == "localhost" || host.starts_with("127.") || host == "::1";
}

/// Clients would look for the pieces on their own computer.
void check_reach(const Config& config, std::vector<std::string>& out) {
    const bool has_control = config.control_url.empty();
    const std::string& public_url = has_control ? config.policy.link_base : config.control_url;
    if (is_local(public_url) || !is_local(config.pieces_url)) return;
    out.push_back("pieces.url is " + config.pieces_url + ", which only this machine reaches, and " +
                  (has_control ? "link_base" : "control.url") + " is " + public_url +
                  ": name the host that clients reach");
}

void check_certificate(const Config& config, std::vector<std::string>& out) {
    if (auto problem = pieces::server_tls_problem(config.certificate, config.private_key)) {
        out.push_back(std::move(*problem));
        return;
    }
    const std::string host = host_of(config.pieces_url);
    if (is_local(config.pieces_url) ||
        pieces::server_tls_is_for(config.certificate, config.private_key, host)) {
        return;
    }
    out.push_back("the TLS certificate " + config.certificate.string() +
                  " is not for the host of pieces.url, " + host + ": clients refuse it");
}

void check_data(const Config& config, std::vector<std::string>& out) {
    constexpr std::size_t socket_bytes_max = 107; // sockaddr_un
    const auto seed = config.keys() / "relay.seed";
    struct stat status {};
    if (::stat(config.data_dir.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        out.push_back("data_dir is " + config.data_dir.string() +
                      ", which is no folder that this user can see");
    } else if (::access(seed.c_str(), R_OK) != 0) {
        out.push_back("data_dir is " + config.data_dir.string() +
                      ", where this user finds no keys (keys/relay.seed): name the folder that "
                      "`plankurier-relay init` made");
    }
    const std::size_t bytes = config.control_socket.native().size();
    if (!config.control_url.empty() || bytes <= socket_bytes_max) return;
    out.push_back("the path of control.socket is " + std::to_string(bytes) +
                  " bytes long, more than " + std::to_string(socket_bytes_max) +
                  ": name another one, as in \"/run/plankurier/control.sock\"");
}

} // namespace

std::vector<std::string> config_problems(const Config& config) {
    std::vector<std::string> out;
    check_certificate(config, out);
    check_data(config, out);
    check_reach(config, out);
    if (!config.smtp_user.empty() && config.smtp_password_file.empty()) {
        out.emplace_back("mail.user needs mail.password_file: the file with its password");
    }
    check_file(config.smtp_password_file, "mail.password_file", out);
    check_file(config.smtp_ca_file, "mail.ca_file", out);
    check_file(config.control_ca, "control.ca_file", out);
    if (config.control_url.empty()) check_departments(config, out);
    return out;
}

std::optional<std::string> other_owner(const Config& config, uid_t user) {
    struct stat status {};
    if (user != 0 || ::stat(config.data_dir.c_str(), &status) != 0 || status.st_uid == 0) {
        return std::nullopt;
    }
    const passwd* owner = ::getpwuid(status.st_uid);
    return owner != nullptr ? owner->pw_name : std::to_string(status.st_uid);
}

} // namespace plankurier::relay
