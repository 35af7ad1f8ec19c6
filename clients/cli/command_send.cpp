#include <clients/cli/commands.hpp>

#include <clients/cli/inbox.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/send_check.hpp>
#include <clients/cli/send_files.hpp>
#include <clients/cli/sending.hpp>
#include <clients/cli/withdraw.hpp>

#include <plankurier/receiving.hpp>

#include <algorithm>
#include <span>

namespace plankurier::cli {

namespace {

/// The first one by its name, and how many more there are: "plan.pdf + 2".
std::string named_files(const UploadState& state) {
    if (state.files.empty()) return "0";
    auto out = printable(state.files.front().path.filename().string());
    if (state.files.size() > 1) out += " + " + std::to_string(state.files.size() - 1);
    return out;
}

/// The transfer to continue: the one named, or the only one.
Result<TransferId> choose_transfer(const Options& options, Console& console) {
    const auto ids = UploadStore::list(uploads_folder());
    auto wanted = options.resume_id;
    if (wanted.empty() && !options.arguments.empty()) wanted = options.arguments.front();
    if (!wanted.empty()) {
        auto id = transfer_id("--resume", wanted, console);
        if (!id) return id;
        if (std::find(ids.begin(), ids.end(), *id) != ids.end()) return id;
    }
    if (!wanted.empty()) {
        return console.refuse(Mistake::resume_unknown, {printable(wanted)}, Errc::not_found);
    }
    if (ids.empty()) return console.refuse(Mistake::resume_none, {}, Errc::not_found);
    if (ids.size() == 1) return ids.front();
    console.warn(Text::several_to_resume);
    for (const auto& id : ids) {
        auto store = UploadStore::open(uploads_folder(), id);
        if (!store) continue;
        const auto state = store->load();
        if (!state) continue;
        console.warn(Text::resume_entry,
                     {id.hex(), printable(state->authority), printable(state->recipient),
                      named_files(*state), time_text(console.language(), state->begun)});
        console.event("resumable", {{"transfer", id.hex()}, {"begun", state->begun}});
    }
    return console.refuse(Mistake::resume_which);
}

Exit send_resumed(const Options& options, Console& console) {
    const auto id = choose_transfer(options, console);
    if (!id) return conclude(console, tl::unexpected(id.error()));
    auto store = UploadStore::open(uploads_folder(), *id);
    if (!store) {
        console.warn(Text::file_named, {printable(uploads_folder().string())});
        return conclude(console, tl::unexpected(store.error()));
    }
    if (auto locked = store->lock(); !locked) return conclude(console, locked);
    auto state = naming(console, uploads_folder() / id->hex() / "state.json", store->load());
    if (!state) return conclude(console, tl::unexpected(state.error()));
    auto envelope = store->load_envelope();
    if (!envelope) return conclude(console, tl::unexpected(envelope.error()));
    auto control = control_at(state->server, options, console);
    // `--resume ID FILE…`, or `--resume=ID FILE…`
    std::span<const std::string> elsewhere{options.arguments};
    if (options.resume_id.empty() && !elsewhere.empty()) elsewhere = elsewhere.subspan(1);
    auto again = open_again(state->files, elsewhere, console);
    if (!again && again.error().code == Errc::file_changed) {
        // These bytes do not exist any more, so nothing can be continued.
        if (withdraw(control, *state, {options.retries}, console)) store->remove();
        return conclude(console, tl::unexpected(again.error()));
    }
    if (!again) {
        console.warn(Text::elsewhere_hint, {state->transfer.hex()});
        return conclude(console, tl::unexpected(again.error()), true);
    }
    auto authority = open_authority(control, console);
    if (!authority) return conclude(console, tl::unexpected(authority.error()), true);
    std::optional<OpenedKeyFile> key;
    if (!options.key.empty() && state->step != SendStep::uploading) {
        auto file = read_department_key(options, console, authority->directory);
        if (!file) return conclude(console, tl::unexpected(file.error()), true);
        key.emplace(std::move(*file));
    }
    return run_sending({options, console, control, *authority, *store, *state, again->source,
                        key ? &*key : nullptr, again->touched},
                       std::move(*envelope));
}

/// A department's first message to a citizen: with a password, since there is no key of theirs.
Exit send_as_department(const Options& options, Console& console, ControlClient& control,
                        const Authority& authority) {
    auto key = read_department_key(options, console, authority.directory);
    if (!key) return conclude(console, tl::unexpected(key.error()));
    const auto department = department_of(authority.directory, options.as_department, *key);
    if (!department) return conclude(console, tl::unexpected(department.error()));
    const DepartmentSender from{**department, *key, options.to_citizen, {}};
    return send_new(options, console, control, authority, &from);
}

Exit send_first(const Options& options, Console& console) {
    const auto server = server_for(options, console);
    if (!server) return conclude(console, tl::unexpected(server.error()));
    if (auto asked = check_send_options(options, console); !asked) return conclude(console, asked);
    auto control = control_at(*server, options, console);
    const auto authority = open_authority(control, console);
    if (!authority) return conclude(console, tl::unexpected(authority.error()));
    if (options.as_department.empty() && options.to_citizen.empty()) {
        return send_new(options, console, control, *authority, nullptr);
    }
    return send_as_department(options, console, control, *authority);
}

} // namespace

Exit run_send(const Options& options, Console& console) {
    return options.resume ? send_resumed(options, console) : send_first(options, console);
}

} // namespace plankurier::cli
