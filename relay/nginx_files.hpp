#pragma once
/// What nginx reads: `nginx.conf` is the administrator's from the beginning, the files in `nginx/`
/// are written anew from relay.toml and the list of relays. Any thread.

#include "relay/config.hpp"

namespace plankurier::relay {

/// The text of a new nginx.conf for the service at `host`, whose other files lie in `folder`.
[[nodiscard]] std::string nginx_text(const std::string& host, const std::filesystem::path& folder);

/// Writes FOLDER/nginx/{http,server,pages}.conf, FOLDER being where relay.toml lies: limits, header
/// rules (whose Content-Security-Policy names the relays), what goes where, and the pages that
/// links in mails lead to. Throws std::runtime_error or std::system_error.
void write_nginx_files(const Config& config);

/// The same where they have been written before, else nothing: the list of relays has changed.
void renew_nginx_files(const Config& config);

} // namespace plankurier::relay
