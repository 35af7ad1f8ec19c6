#include <clients/cli/commands.hpp>

#include <clients/cli/fetch_receive.hpp>
#include <clients/cli/inbox.hpp>
#include <clients/cli/signals.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

/// By the link of a notice: with the department's key, a return key, or the password.
Result<void> fetch_by_link(const Options& options, Console& console) {
    auto link = read_link(options);
    if (!link) return tl::unexpected(link.error());
    ControlClient control{link->server, http_settings(options)};
    auto authority = open_authority(control, console);
    if (!authority) return tl::unexpected(authority.error());
    std::optional<OpenedKeyFile> key;
    const bool by_return_key = !options.return_link_file.empty();
    if (by_return_key) {
        auto back = read_return_link(options.return_link_file);
        if (!back) return tl::unexpected(back.error());
        key.emplace(OpenedKeyFile{std::move(back->seed), back->type});
    } else if (!options.key.empty()) {
        auto file = read_key_file(options.key, options, console);
        if (!file) return tl::unexpected(file.error());
        key.emplace(std::move(*file));
    }
    auto transfer = open_transfer(options, console, control, link->id, authority->directory,
                                  key ? &*key : nullptr);
    if (!transfer) return tl::unexpected(transfer.error());
    show_message(*transfer, by_return_key, console);
    return receive_transfer(options, console, control, *authority, *transfer,
                            key && !by_return_key ? &key->seed : nullptr);
}

/// The one that `--transfer` names, else all that were not fetched yet, the oldest first.
Result<std::vector<InboxEntry>> choose(const Options& options, std::vector<InboxEntry> entries) {
    std::reverse(entries.begin(), entries.end());
    if (options.transfer.empty()) {
        std::erase_if(entries, [](const InboxEntry& one) { return one.fetched; });
        return entries;
    }
    const auto id = TransferId::from_hex(options.transfer);
    if (!id) return fail(Errc::invalid_argument, "--transfer");
    std::erase_if(entries, [&](const InboxEntry& one) { return one.transfer != *id; });
    if (entries.empty()) return fail(Errc::not_found, "--transfer");
    return entries;
}

/// One answer that cannot be read does not keep the others back: the first failure is returned
/// when all were tried.
Result<void> fetch_each(const Options& options, Console& console, ControlClient& control,
                        const Authority& authority, const std::string& session,
                        const OpenedKeyFile& key, const std::vector<InboxEntry>& chosen) {
    Result<void> result;
    for (const auto& one : chosen) {
        if (interrupted()) return fail(Errc::canceled, "interrupted");
        auto transfer = open_transfer(options, console, control, InboxRight{one.transfer, session},
                                      authority.directory, &key);
        Result<void> done;
        if (transfer) {
            show_message(*transfer, true, console);
            done = receive_transfer(options, console, control, authority, *transfer, nullptr);
        } else {
            done = tl::unexpected(transfer.error());
        }
        if (done) continue;
        if (chosen.size() > 1) console.tell(done.error().code);
        if (result) result = done;
    }
    return result;
}

/// Answers of the authority, by the return link of the receipt.
Result<void> fetch_answers(const Options& options, Console& console) {
    auto link = read_return_link(options.return_link_file);
    if (!link) return tl::unexpected(link.error());
    const auto server = options.server.empty() ? link->base : options.server;
    if (!url_allowed(server)) return fail(Errc::invalid_argument, "server of the link");
    ControlClient control{server, http_settings(options)};
    auto authority = open_authority(control, console);
    if (!authority) return tl::unexpected(authority.error());
    const RetryRule retry{options.retries};
    auto session = open_inbox_session(control, *link, retry);
    if (!session) return tl::unexpected(session.error());
    auto entries = with_retries(
        retry, [&] { return control.inbox(*session); }, [](unsigned) {});
    if (!entries) return tl::unexpected(entries.error());
    show_inbox(*entries, console);
    const bool any = !entries->empty();
    auto chosen = choose(options, std::move(*entries));
    if (!chosen) return tl::unexpected(chosen.error());
    if (any && chosen->empty()) console.say(Text::inbox_all_fetched);
    const OpenedKeyFile key{std::move(link->seed), link->type};
    return fetch_each(options, console, control, *authority, *session, key, *chosen);
}

/// For staff: one of the transfers that `inbox` lists, without the mail's link.
Result<void> fetch_from_inbox(const Options& options, Console& console) {
    const auto id = TransferId::from_hex(options.from_inbox);
    if (!id || options.key.empty() || !options.arguments.empty()) {
        return fail(Errc::invalid_argument, "--from-inbox");
    }
    if (options.server.empty()) return fail(Errc::invalid_argument, "--server");
    ControlClient control{options.server, http_settings(options)};
    auto authority = open_authority(control, console);
    if (!authority) return tl::unexpected(authority.error());
    const auto key = read_key_file(options.key, options, console);
    if (!key) return tl::unexpected(key.error());
    const auto department = department_of(authority->directory, options.department, *key);
    if (!department) return tl::unexpected(department.error());
    auto session = open_department_session(control, (*department)->id, *key, {options.retries});
    if (!session) return tl::unexpected(session.error());
    auto transfer = open_transfer(options, console, control, InboxRight{*id, *session},
                                  authority->directory, &*key);
    if (!transfer) return tl::unexpected(transfer.error());
    show_message(*transfer, false, console);
    return receive_transfer(options, console, control, *authority, *transfer, &key->seed);
}

Result<void> fetch(const Options& options, Console& console) {
    if (!options.from_inbox.empty()) return fetch_from_inbox(options, console);
    const bool has_link = !options.arguments.empty() || !options.link_file.empty();
    if (!options.return_link_file.empty() && !has_link) return fetch_answers(options, console);
    return fetch_by_link(options, console);
}

} // namespace

Exit run_fetch(const Options& options, Console& console) {
    const auto fetched = fetch(options, console);
    // What was fetched stays in the part files, so the same command goes on.
    return conclude(console, fetched, !fetched && fetched.error().code == Errc::no_space);
}

} // namespace plankurier::cli
