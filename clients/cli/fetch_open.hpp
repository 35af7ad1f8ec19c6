#pragma once
/// From a link to an opened, checked envelope. One thread.

#include <clients/cli/commands.hpp>

#include <plankurier/envelope.hpp>

namespace plankurier::cli {

/// What a notice mail's link says.
struct NoticeLink {
    std::string server; ///< without a slash at the end
    LinkId id;
};
/// "BASE/t#v1.<32 hex>", or "v1.<32 hex>" with `server` given. A given `server` wins. Fails with
/// `malformed` or `invalid_argument` (no server).
[[nodiscard]] Result<NoticeLink> parse_link(std::string_view text, const std::string& server);
/// The link from the command line, a file or standard input.
[[nodiscard]] Result<NoticeLink> read_link(const Options& options);

struct OpenedTransfer {
    Bytes envelope;
    OpenedEnvelope opened;
    std::optional<KeySeed> seed; ///< when a key file opened it
    std::string verified_email;  ///< what the control plane signed for
};

/// Gets envelope and record, opens by key file or password, checks the record's signature and that
/// it is about this envelope. Fails with `wrong_key`, `wrong_password`, `bad_signature`,
/// `tampered`, `not_found` …
[[nodiscard]] Result<OpenedTransfer> open_transfer(const Options& options, Console& console,
                                                   ControlClient& control, const NoticeLink& link,
                                                   const Directory& directory);

/// Prints sender, contact and message; warns loudly when the sender's address is not the verified
/// one. Everything a stranger wrote goes through `printable`.
void show_message(const OpenedTransfer& transfer, Console& console);

} // namespace plankurier::cli
