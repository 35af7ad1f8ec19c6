#include <clients/cli/inbox.hpp>

namespace plankurier::cli {

namespace {

Result<void> inbox(const Options& options, Console& console) {
    if (auto none = no_argument(options, console); !none) return none;
    if (auto key = need(options, console, "--key", options.key); !key) return key;
    const auto server = server_for(options, console);
    if (!server) return tl::unexpected(server.error());
    auto control = control_at(*server, options, console);
    const auto authority = open_authority(control, console);
    if (!authority) return tl::unexpected(authority.error());
    const auto key = read_department_key(options, console, authority->directory);
    if (!key) return tl::unexpected(key.error());
    const auto department = department_of(authority->directory, options.department, *key);
    if (!department) return tl::unexpected(department.error());
    const RetryRule retry{options.retries};
    const auto session = open_department_session(control, (*department)->id, *key, retry);
    if (!session) return tl::unexpected(session.error());
    const auto entries = with_retries(
        retry, [&] { return control.inbox(*session); }, [](unsigned) {});
    if (!entries) return tl::unexpected(entries.error());
    show_inbox(*entries, console);
    return {};
}

} // namespace

Exit run_inbox(const Options& options, Console& console) {
    return conclude(console, inbox(options, console));
}

} // namespace plankurier::cli
