#include <clients/cli/commands.hpp>

#include <clients/cli/receipt.hpp>

#include <plankurier/receiving.hpp>

namespace plankurier::cli {

namespace {

Result<Receipt> receipt_of(const Options& options) {
    if (options.arguments.size() != 1) return fail(Errc::invalid_argument, "receipt");
    return read_receipt(options.arguments.front());
}

Result<void> status(const Options& options, Console& console) {
    const auto receipt = receipt_of(options);
    if (!receipt) return tl::unexpected(receipt.error());
    ControlClient control{receipt->server, http_settings(options)};
    const auto status = control.status({receipt->transfer, receipt->manage});
    if (!status) return tl::unexpected(status.error());
    const auto language = console.language();
    console.print(fill(text(language, Text::status_line),
                       {printable(status->state), time_text(language, status->expires)}));
    console.print(status->fetched ? fill(text(language, Text::status_fetched),
                                         {time_text(language, status->fetched_at)})
                                  : std::string{text(language, Text::status_not_fetched)});
    console.event("status", {{"state", status->state},
                             {"expires", status->expires},
                             {"fetched", status->fetched},
                             {"fetched_at", status->fetched_at},
                             {"signed", status->is_signed},
                             {"created", status->created}});
    return {};
}

Result<void> revoke(const Options& options, Console& console) {
    const auto receipt = receipt_of(options);
    if (!receipt) return tl::unexpected(receipt.error());
    // A script that calls this means it; a person is asked once more.
    if (!options.yes && console.can_ask() && !console.ask_yes(Text::revoke_question)) {
        return fail(Errc::canceled, "not confirmed");
    }
    ControlClient control{receipt->server, http_settings(options)};
    if (auto done = control.revoke({receipt->transfer, receipt->manage}); !done) return done;
    console.say(Text::revoked_done);
    console.event("revoked", {{"receipt_number", receipt->number}});
    return {};
}

} // namespace

Exit run_status(const Options& options, Console& console) {
    return conclude(console, status(options, console));
}

Exit run_revoke(const Options& options, Console& console) {
    return conclude(console, revoke(options, console));
}

} // namespace plankurier::cli
