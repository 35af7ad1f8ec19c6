// A transfer from the command line to its first request: what can be refused is refused before.
#include <clients/cli/addressees.hpp>
#include <clients/cli/commands.hpp>
#include <clients/cli/send_check.hpp>
#include <clients/cli/send_files.hpp>
#include <clients/cli/sending.hpp>

#include <plankurier/receiving.hpp>

namespace plankurier::cli {

Exit send_new(const Options& options, Console& console, ControlClient& control,
              const Authority& authority, const DepartmentSender* from) {
    // By one clock alone nothing is deleted that could still be continued.
    if (const auto now = control.clock().agreed_now()) {
        for (const auto& id : UploadStore::remove_outdated(uploads_folder(), *now)) {
            console.warn(Text::damaged_state_removed, {id.hex()});
            console.event("damaged_state_removed", {{"transfer", id.hex()}});
        }
    }
    console.say(Text::checking);
    auto addressees = from != nullptr
                          ? Result<Addressees>{Addressees{}}
                          : find_addressees(options, authority.directory, unix_now(), console);
    if (!addressees) return conclude(console, tl::unexpected(addressees.error()));
    const auto typed = check_typed(addressees->typed, authority.service, console);
    if (!typed) return conclude(console, typed);
    auto source =
        open_files(options, for_departments(authority.service, addressees->ids()), console);
    if (!source) return conclude(console, tl::unexpected(source.error()));
    auto prepared =
        prepare_transfer(options, authority, *addressees, *source, control.server(), console, from);
    if (!prepared) return conclude(console, tl::unexpected(prepared.error()));
    prepared->state.begun = control.clock().now();
    auto store = UploadStore::open(uploads_folder(), prepared->state.transfer);
    if (!store) {
        console.warn(Text::file_named, {printable(uploads_folder().string())});
        return conclude(console, tl::unexpected(store.error()));
    }
    auto saved = store->lock()
                     .and_then([&] { return store->save_envelope(prepared->envelope); })
                     .and_then([&] { return store->save(prepared->state); });
    if (!saved) return conclude(console, saved);
    return run_sending({options, console, control, authority, *store, prepared->state, *source,
                        from != nullptr ? &from->key : nullptr},
                       std::move(prepared->envelope));
}

} // namespace plankurier::cli
