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
    const bool is_v6 = url.substr(begin, 1) == "[";
    return url.substr(begin, url.find_first_of(is_v6 ? "]/" : ":/", begin) - begin);
}

bool is_local(const std::string& url) {
    const std::string host = host_of(url);
    return host == "localhost" || host.starts_with("127.") || host == "[::1";
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

} // namespace

std::vector<std::string> config_problems(const Config& config) {
    std::vector<std::string> out;
    if (auto problem = pieces::server_tls_problem(config.certificate, config.private_key)) {
        out.push_back(std::move(*problem));
    }
    check_reach(config, out);
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
