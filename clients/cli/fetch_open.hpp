#pragma once
/// From a link to an opened, checked envelope. One thread.

#include <clients/cli/commands.hpp>

#include <plankurier/signer.hpp>

#include <variant>

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

/// As the control plane gives it.
struct SealedMessage {
    Bytes envelope, record;
};
struct OpenedTransfer {
    Bytes envelope, record;
    OpenedEnvelope opened;
    std::string verified_email; ///< what the control plane signed for
    std::optional<Signer> signer;
    std::string signer_name; ///< of the department or clerk; empty when nobody signed
};

/// Where an envelope is: behind a notice's link, or in the inbox of a session.
using EnvelopePlace = std::variant<LinkId, InboxRight>;

/// Opens with `key`, or without one by password; checks the record's signature and that it is about
/// this envelope, and the manifest's signature if it has one. Fails with `wrong_key`,
/// `wrong_password`, `bad_signature`, `tampered` …
[[nodiscard]] Result<OpenedTransfer> open_checked(const Options& options, Console& console,
                                                  SealedMessage sealed, const Directory& directory,
                                                  const OpenedKeyFile* key);
/// Gets envelope and record. Fails with `not_found` …
[[nodiscard]] Result<SealedMessage> get_sealed(const Options& options, Console& console,
                                               ControlClient& control, const EnvelopePlace& place);
/// Gets envelope and record, and opens them as above. Fails with `not_found` … too.
[[nodiscard]] Result<OpenedTransfer>
open_transfer(const Options& options, Console& console, ControlClient& control,
              const EnvelopePlace& place, const Directory& directory, const OpenedKeyFile* key);

/// Prints sender, contact and message, and which department has signed. Warns loudly when the
/// sender's address is not the verified one, and when what should come from the authority
/// (`expect_signed`, or it calls itself an answer) is not signed. Everything a stranger wrote goes
/// through `printable`.
void show_message(const OpenedTransfer& transfer, bool expect_signed, Console& console);

} // namespace plankurier::cli
