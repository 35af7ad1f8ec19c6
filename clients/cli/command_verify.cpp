#include <clients/cli/commands.hpp>

#include <clients/cli/fetch_open.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/history_text.hpp>
#include <clients/cli/inbox.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/proof.hpp>

#include <plankurier/receiving.hpp>
#include <plankurier/records.hpp>

namespace plankurier::cli {

namespace {

Result<void> verify_history(const Proof& proof, const Directory& directory, Console& console) {
    const auto history = check_history(proof.history, directory.record_key);
    if (!history) return tl::unexpected(history.error());
    if (proof.transfer && history->transfer != *proof.transfer) {
        return fail(Errc::tampered, "history of another transfer");
    }
    const auto language = console.language();
    for (const auto& entry : history->entries) {
        console.print(fill(text(language, Text::history_line),
                           {time_text(language, entry.time), event_text(language, entry)}));
        console.event("history", {{"transfer", history->transfer.hex()},
                                  {"what", static_cast<std::int64_t>(entry.event)},
                                  {"time", entry.time},
                                  {"detail", static_cast<std::int64_t>(entry.detail)}});
    }
    return {};
}

Result<void> verify_record(const Proof& proof, const Directory& directory, Console& console) {
    const auto record = check_verified(proof.record, directory.record_key);
    if (!record) return tl::unexpected(record.error());
    console.print(fill(text(console.language(), Text::record_line),
                       {printable(record->email), time_text(console.language(), record->time)}));
    console.event(
        "record",
        {{"transfer", record->transfer.hex()}, {"email", record->email}, {"time", record->time}});
    return {};
}

/// Opens the message as `fetch` would, and shows who signed it.
Result<void> verify_message(const Options& options, Console& console, Proof& proof,
                            const Directory& directory) {
    std::optional<OpenedKeyFile> key;
    std::optional<LinkSecret> secret;
    if (!options.link_file.empty()) {
        auto by_file = options;
        by_file.arguments.clear(); // here it is what is verified
        auto link = read_link(by_file, console);
        if (!link) return tl::unexpected(link.error());
        secret = std::move(link->secret);
    } else if (!options.return_link_file.empty()) {
        auto link = read_return_link(options, console);
        if (!link) return tl::unexpected(link.error());
        key.emplace(OpenedKeyFile{std::move(link->seed), link->type});
    } else if (!options.key.empty()) {
        auto file = read_department_key(options, console, directory);
        if (!file) return tl::unexpected(file.error());
        key.emplace(std::move(*file));
    }
    const auto transfer =
        open_checked(options, console, {std::move(proof.envelope), std::move(proof.record)},
                     directory, {key ? &*key : nullptr, secret ? &*secret : nullptr});
    if (!transfer) return tl::unexpected(transfer.error());
    show_message(*transfer, !options.return_link_file.empty(), console);
    return {};
}

Result<void> verify_file(const Options& options, Console& console) {
    const auto path = only_argument(options, console, Mistake::proof_needed);
    if (!path) return tl::unexpected(path.error());
    const auto content = read_file(*path);
    if (!content && content.error().code != Errc::too_large) {
        return naming(console, *path, Result<void>{tl::unexpected(content.error())});
    }
    auto proof = decode_proof(content ? *content : std::string{});
    if (!proof) return console.refuse(Mistake::proof_form, {printable(*path)}, Errc::malformed);
    auto named = options;
    if (named.server.empty()) named.server = proof->server;
    const auto server = server_for(named, console);
    if (!server) return tl::unexpected(server.error());
    const auto directory = known_directory(*server, options, console);
    if (!directory) return tl::unexpected(directory.error());
    const auto checked = !proof->envelope.empty()
                             ? verify_message(options, console, *proof, *directory)
                         : !proof->history.empty() ? verify_history(*proof, *directory, console)
                                                   : verify_record(*proof, *directory, console);
    if (!checked) return checked;
    const auto issued = time_text(console.language(), directory->issued);
    console.say(Text::verified_by, {printable(directory->authority), issued});
    console.event("verified", {{"authority", directory->authority},
                               {"directory_serial", static_cast<std::int64_t>(directory->serial)}});
    return {};
}

} // namespace

Exit run_verify(const Options& options, Console& console) {
    return conclude(console, verify_file(options, console));
}

} // namespace plankurier::cli
