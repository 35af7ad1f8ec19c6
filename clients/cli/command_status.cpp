#include <clients/cli/commands.hpp>

#include <clients/cli/directory_memory.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/history_text.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/proof.hpp>

#include <plankurier/receiving.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

Result<Receipt> receipt_of(const Options& options, Console& console) {
    return only_argument(options, console, Mistake::receipt_needed)
        .and_then(
            [&](const std::string& path) { return naming(console, path, read_receipt(path)); });
}

/// The last history goes with the transfer, so it is kept in the receipt. Only one that is signed
/// by the authority that was seen last, and that goes on from the one there. A receipt that cannot
/// be written stays as it is.
void keep_history(const Options& options, Receipt& receipt, const Bytes& bytes) {
    const auto directory = recall_directory(config_folder(), receipt.server, "");
    if (!directory || bytes == receipt.history) return;
    const auto newer = check_history(bytes, directory->record_key);
    if (!newer || newer->transfer != receipt.transfer) return;
    const auto older = check_history(receipt.history, directory->record_key);
    if (older && older->entries.size() > newer->entries.size()) return;
    receipt.history = bytes;
    const SecretText json{encode_receipt(receipt)};
    // The same receipt, not whatever lies there by now; a link stays one.
    std::error_code error;
    const auto path = std::filesystem::canonical(options.arguments.front(), error);
    const auto own = [&](std::string_view there) {
        const auto earlier = decode_receipt(there);
        return earlier && earlier->transfer == receipt.transfer;
    };
    if (!error) static_cast<void>(write_output(path, as_bytes(json.reveal()), own));
}

/// Files for later: the signed history as it stands, and a page for people. The page is made of a
/// history whose signature holds.
Result<void> keep_status(const Options& options, Console& console, ControlClient& control,
                         const Receipt& receipt, const TransferStatus& status, const Bytes& bytes) {
    const auto authority = open_authority(control, console);
    if (!authority) return tl::unexpected(authority.error());
    const auto history = check_history(bytes, authority->directory.record_key);
    if (!history) return tl::unexpected(history.error());
    if (history->transfer != receipt.transfer) return fail(Errc::tampered, "history");
    const auto json = encode_saved_status(receipt, status, bytes);
    const auto page = status_page(console.language(), receipt, status, *history);
    const auto is_own_json = [&](auto there) { return is_saved_status(there, receipt.transfer); };
    const auto is_own_page = [&](auto there) { return is_status_page(there, receipt.transfer); };
    for (const auto& [named, content, is_own] : {std::tuple<NamedPath, std::string, OwnContent>{
                                                     {"--save", options.save}, json, is_own_json},
                                                 {{"--html", options.html}, page, is_own_page}}) {
        if (named.path.empty()) continue;
        auto written = write_output(named.path, as_bytes(content), is_own);
        if (!written) return naming(console, named, std::move(written));
        console.say(Text::file_saved, {named.path.string()});
    }
    return {};
}

Result<void> status(const Options& options, Console& console) {
    auto apart = check_apart({{"--save", options.save}, {"--html", options.html}}, console);
    if (!apart) return apart;
    auto receipt = receipt_of(options, console);
    if (!receipt) return tl::unexpected(receipt.error());
    auto control = control_at(receipt->server, options, console);
    const auto status = control.status({receipt->transfer, receipt->manage});
    if (!status) return tl::unexpected(status.error());
    const auto language = console.language();
    console.print(fill(text(language, Text::status_line), {state_text(language, status->state),
                                                           time_text(language, status->expires)}));
    console.print(status->fetched ? fill(text(language, Text::status_fetched),
                                         {time_text(language, status->fetched_at)})
                                  : std::string{text(language, Text::status_not_fetched)});
    if (status->copies > 0) {
        const auto bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, status->body_len));
        console.print(fill(text(language, Text::status_stored),
                           {size_text(language, bytes), std::to_string(status->copies)}));
    }
    if (!status->fetched && status->resends_left > 0) {
        console.print(
            fill(text(language, Text::status_notices), {std::to_string(status->resends_left)}));
    }
    if (status->undeliverable) console.warn(Text::status_undeliverable);
    if (status->lost) console.warn(Text::status_lost);
    if (status->state == "withheld") console.warn(Text::status_withheld);
    console.event("status", {{"state", status->state},
                             {"recipient_undeliverable", status->undeliverable},
                             {"lost", status->lost},
                             {"stored_bytes", status->body_len},
                             {"copies", status->copies},
                             {"notices_left", status->resends_left},
                             {"expires", status->expires},
                             {"fetched", status->fetched},
                             {"fetched_at", status->fetched_at},
                             {"signed", status->is_signed},
                             {"created", status->created}});
    const auto history = control.history({receipt->transfer, receipt->manage});
    if (history) keep_history(options, *receipt, *history);
    if (options.save.empty() && options.html.empty()) return {};
    if (!history) return tl::unexpected(history.error());
    return keep_status(options, console, control, *receipt, *status, *history);
}

Result<void> revoke(const Options& options, Console& console) {
    auto receipt = receipt_of(options, console);
    if (!receipt) return tl::unexpected(receipt.error());
    // A script that calls this means it; a person is asked once more.
    if (!options.yes && console.can_ask() && !console.ask_yes(Text::revoke_question)) {
        return fail(Errc::canceled, "not confirmed");
    }
    auto control = control_at(receipt->server, options, console);
    auto history = control.revoke({receipt->transfer, receipt->manage});
    if (!history) return tl::unexpected(history.error());
    keep_history(options, *receipt, *history);
    console.say(Text::revoked_done);
    console.event("revoked", {{"receipt_number", receipt->number}});
    return {};
}

Result<void> expire(const Options& options, Console& console) {
    const auto receipt = receipt_of(options, console);
    if (!receipt) return tl::unexpected(receipt.error());
    if (!options.days) return console.refuse(Mistake::option_needed, {"--days N", "expire"});
    auto control = control_at(receipt->server, options, console);
    const auto expires = control.change_expiry({receipt->transfer, receipt->manage}, *options.days);
    if (!expires && expires.error().detail == "status 400") {
        return console.refuse(Mistake::days_refused, {std::to_string(*options.days)});
    }
    if (!expires) return tl::unexpected(expires.error());
    console.say(Text::expiry_changed, {time_text(console.language(), *expires)});
    console.event("expiry", {{"receipt_number", receipt->number}, {"expires", *expires}});
    return {};
}

Result<void> resend(const Options& options, Console& console) {
    const auto receipt = receipt_of(options, console);
    if (!receipt) return tl::unexpected(receipt.error());
    auto control = control_at(receipt->server, options, console);
    const auto left = control.resend_notice({receipt->transfer, receipt->manage});
    if (!left) return tl::unexpected(left.error());
    console.say(Text::notice_resent, {std::to_string(*left)});
    console.event("resent", {{"receipt_number", receipt->number}, {"left", *left}});
    return {};
}

} // namespace

Exit run_status(const Options& options, Console& console) {
    return conclude(console, status(options, console));
}

Exit run_revoke(const Options& options, Console& console) {
    return conclude(console, revoke(options, console));
}

Exit run_expire(const Options& options, Console& console) {
    return conclude(console, expire(options, console));
}

Exit run_resend(const Options& options, Console& console) {
    return conclude(console, resend(options, console));
}

} // namespace plankurier::cli
