#pragma once
/// The pages that links in mails lead to, without script. nginx holds them in its configuration, so
/// that none can be missing or unreadable. Pure functions; any thread.

#include <string>

namespace plankurier::relay {

/// nginx locations for /, /t, /c, /r, /n (with anything behind: mail gateways rewrite links), the
/// style, and what is not there. `authority` is shown as it is.
[[nodiscard]] std::string nginx_pages_text(const std::string& authority);

} // namespace plankurier::relay
