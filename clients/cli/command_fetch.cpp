#include <clients/cli/commands.hpp>

#include <clients/cli/fetch_receive.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/find_transfer.hpp>
#include <clients/cli/inbox.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/proof.hpp>
#include <clients/cli/signals.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

/// Shows the message, keeps it where `save` says, and fetches its files.
Result<void> take(const Options& options, Console& console, ControlClient& control,
                  const Authority& authority, const OpenedTransfer& transfer, bool expect_signed,
                  const KeySeed* department, const std::string& save,
                  SpareLines* spare_lines = nullptr) {
    show_message(transfer, expect_signed, console);
    if (!save.empty()) {
        const auto json =
            encode_saved_message(control.server(), transfer.envelope, transfer.record);
        auto written = write_output(save, as_bytes(json)); // the same message is the same text
        if (!written) return naming(console, {"--save", save}, std::move(written));
        console.say(Text::file_saved, {save});
    }
    return receive_transfer(options, console, control, authority, transfer, department,
                            spare_lines);
}

/// One transfer, by the link of its notice or out of a department's inbox.
Result<void> fetch_one(const Options& options, Console& console) {
    SpareLines spare_lines{http_settings(options)};
    auto found = find_transfer(options, console, &spare_lines);
    if (!found) return tl::unexpected(found.error());
    return take(options, console, found->control, found->authority, found->transfer,
                found->by_return_key, found->department(), options.save, &spare_lines);
}

/// The one that `--transfer` names, else all that were not fetched yet, the oldest first.
Result<std::vector<InboxEntry>> choose(const Options& options, Console& console,
                                       std::vector<InboxEntry> entries) {
    std::reverse(entries.begin(), entries.end());
    if (options.transfer.empty()) {
        std::erase_if(entries, [](const InboxEntry& one) { return one.fetched; });
        return entries;
    }
    const auto id = transfer_id("--transfer", options.transfer, console);
    if (!id) return tl::unexpected(id.error());
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
                                      authority.directory, {&key});
        Result<void> done;
        if (transfer) {
            // One file each.
            const auto save = options.save.empty() || chosen.size() == 1
                                  ? options.save
                                  : options.save + "." + one.transfer.hex().substr(0, 12);
            done = take(options, console, control, authority, *transfer, true, nullptr, save);
        } else {
            done = tl::unexpected(transfer.error());
        }
        if (done) continue;
        if (chosen.size() > 1) console.tell(done.error());
        if (result) result = done;
    }
    return result;
}

/// Answers of the authority, by the return link of the receipt.
Result<void> fetch_answers(const Options& options, Console& console) {
    auto link = read_return_link(options, console);
    if (!link) return tl::unexpected(link.error());
    const auto server = options.server.empty() ? link->base : options.server;
    if (!url_allowed(server)) return console.refuse(Mistake::server_form, {printable(server)});
    auto control = control_at(server, options, console);
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
    auto chosen = choose(options, console, std::move(*entries));
    if (!chosen) return tl::unexpected(chosen.error());
    if (any && chosen->empty()) console.say(Text::inbox_all_fetched);
    const OpenedKeyFile key{std::move(link->seed), link->type};
    return fetch_each(options, console, control, *authority, *session, key, *chosen);
}

Result<void> fetch(const Options& options, Console& console) {
    const bool has_link = !options.arguments.empty() || !options.link_file.empty();
    const bool has_place = has_link || !options.from_inbox.empty();
    if (!options.return_link_file.empty() && !has_place) return fetch_answers(options, console);
    return fetch_one(options, console);
}

} // namespace

Exit run_fetch(const Options& options, Console& console) {
    const auto fetched = fetch(options, console);
    // What was fetched stays in the part files, so the same command goes on.
    return conclude(console, fetched, !fetched && fetched.error().code == Errc::no_space);
}

} // namespace plankurier::cli
