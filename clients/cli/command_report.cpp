#include <clients/cli/find_transfer.hpp>

namespace plankurier::cli {

namespace {

/// Opens the transfer, since only who can read it may stop others from reading it.
Result<void> report(const Options& options, Console& console) {
    auto found = find_transfer(options, console, nullptr);
    if (!found) return tl::unexpected(found.error());
    // A script that calls this means it; a person is asked once more.
    if (!options.yes && console.can_ask() && !console.ask_yes(Text::report_question)) {
        return fail(Errc::canceled, "not confirmed");
    }
    const auto& opened = found->transfer.opened;
    const auto token = fetch_token(opened.key, opened.manifest.transfer);
    auto done = found->control.report({opened.manifest.transfer, token});
    if (!done) return done;
    console.say(Text::reported);
    console.event("reported", {{"transfer", opened.manifest.transfer.hex()}});
    return {};
}

} // namespace

Exit run_report(const Options& options, Console& console) {
    return conclude(console, report(options, console));
}

} // namespace plankurier::cli
