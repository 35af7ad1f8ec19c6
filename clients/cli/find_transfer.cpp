#include <clients/cli/find_transfer.hpp>

#include <clients/cli/inbox.hpp>
#include <clients/cli/lanes.hpp>

namespace plankurier::cli {

namespace {

/// One for each lane, and the same number to each relay: which of them gets more is not known yet.
void begin_lines(SpareLines* spare_lines, const Authority& authority, const Options& options) {
    const auto& listed = authority.service.relays;
    const auto relays = known_relays(listed, listed);
    if (spare_lines == nullptr || !relays) return;
    std::vector<std::string> urls;
    for (const auto& relay : *relays) urls.push_back(relay.url);
    const auto relays_count = static_cast<unsigned>(urls.size());
    const auto each = (options.lanes + relays_count - 1) / relays_count;
    spare_lines->begin(urls, each * relays_count);
}

Result<FoundTransfer> find_by_link(const Options& options, Console& console,
                                   SpareLines* spare_lines) {
    auto link = read_link(options, console);
    if (!link) return tl::unexpected(link.error());
    // With its secret a link opens by itself, whatever else was given.
    const bool by_return_key = !link->secret && !options.return_link_file.empty();
    const bool by_key = !link->secret && !by_return_key && !options.key.empty();
    std::future<KeyAttempt> begun;
    if (by_key) begun = begin_key_file(options, console);
    auto control = control_at(link->server, options, console);
    auto authority = open_authority(control, console);
    if (!authority) return tl::unexpected(authority.error());
    begin_lines(spare_lines, *authority, options);
    auto sealed = get_sealed(options, console, control, link->id);
    if (!sealed) return tl::unexpected(sealed.error());
    std::optional<OpenedKeyFile> key;
    bool by_escrow_key = false, of_recipient = false;
    if (by_return_key) {
        auto back = read_return_link(options, console);
        if (!back) return tl::unexpected(back.error());
        key.emplace(OpenedKeyFile{std::move(back->seed), back->type});
    } else if (begun.valid()) {
        auto file = read_department_key(std::move(begun), options, console, authority->directory);
        if (!file) return tl::unexpected(file.error());
        const auto public_key = recipient_public_key(file->seed, file->type);
        if (!public_key) return tl::unexpected(public_key.error());
        const auto kid = key_id(*public_key);
        of_recipient = department_with(authority->directory, kid) != nullptr;
        by_escrow_key = is_escrow_key(authority->directory, kid);
        key.emplace(std::move(*file));
    }
    auto transfer = open_checked(options, console, std::move(*sealed), authority->directory,
                                 {key ? &*key : nullptr, link->secret ? &*link->secret : nullptr});
    if (!transfer) return tl::unexpected(transfer.error());
    if (by_escrow_key) console.say(Text::escrow_opened);
    return FoundTransfer{std::move(control), std::move(*authority), std::move(key),
                         by_return_key,      of_recipient,          std::move(*transfer)};
}

Result<FoundTransfer> find_in_inbox(const Options& options, Console& console,
                                    SpareLines* spare_lines) {
    if (!options.arguments.empty()) return console.refuse(Mistake::place_needed);
    const auto id = transfer_id("--from-inbox", options.from_inbox, console);
    if (!id) return tl::unexpected(id.error());
    if (auto key = need(options, console, "--key", options.key); !key) {
        return tl::unexpected(key.error());
    }
    const auto server = server_for(options, console);
    if (!server) return tl::unexpected(server.error());
    auto control = control_at(*server, options, console);
    auto authority = open_authority(control, console);
    if (!authority) return tl::unexpected(authority.error());
    begin_lines(spare_lines, *authority, options);
    auto key = read_department_key(options, console, authority->directory);
    if (!key) return tl::unexpected(key.error());
    const auto department = department_of(authority->directory, options.department, *key);
    if (!department) return tl::unexpected(department.error());
    auto session = open_department_session(control, (*department)->id, *key, {options.retries});
    if (!session) return tl::unexpected(session.error());
    auto transfer = open_transfer(options, console, control, InboxRight{*id, *session},
                                  authority->directory, {&*key});
    if (!transfer) return tl::unexpected(transfer.error());
    return FoundTransfer{std::move(control),  std::move(*authority), std::move(*key), false, true,
                         std::move(*transfer)};
}

} // namespace

Result<FoundTransfer> find_transfer(const Options& options, Console& console,
                                    SpareLines* spare_lines) {
    return options.from_inbox.empty() ? find_by_link(options, console, spare_lines)
                                      : find_in_inbox(options, console, spare_lines);
}

} // namespace plankurier::cli
