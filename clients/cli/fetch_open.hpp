#pragma once
/// From a link to an opened, checked envelope. One thread.

#include <clients/cli/commands.hpp>

#include <plankurier/signer.hpp>

#include <variant>

namespace plankurier::cli {

/// What the link of a notice mail says, or the one that its sender passed on.
struct FetchLink {
    std::string server; ///< without a slash at the end
    LinkId id;
    std::optional<LinkSecret> secret; ///< that opens the transfer; in no mail
};
/// A transfer link as somebody pasted it (links.hpp), or what stands behind its `#` with `server`
/// given. A given `server` wins. Fails with `invalid_argument`.
[[nodiscard]] Result<FetchLink> parse_link(const SecretText& pasted, const std::string& server);
/// The link from the command line, a file or standard input. Says what is wrong with it.
[[nodiscard]] Result<FetchLink> read_link(const Options& options, Console& console);

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

/// What opens an envelope: a key, or the secret of its link; with neither a password is asked for.
struct Opener {
    const OpenedKeyFile* key{};
    const LinkSecret* link{};
};

/// Opens it; checks the record's signature and that it is about this envelope, and the manifest's
/// signature if it has one. Fails with `wrong_key` (also when it opens by link only and there is
/// none), `wrong_password`, `bad_signature`, `tampered` …
[[nodiscard]] Result<OpenedTransfer> open_checked(const Options& options, Console& console,
                                                  SealedMessage sealed, const Directory& directory,
                                                  const Opener& opener);
/// Gets envelope and record. Fails with `not_found` …
[[nodiscard]] Result<SealedMessage> get_sealed(const Options& options, Console& console,
                                               ControlClient& control, const EnvelopePlace& place);
/// Gets envelope and record, and opens them as above. Fails with `not_found` … too.
[[nodiscard]] Result<OpenedTransfer>
open_transfer(const Options& options, Console& console, ControlClient& control,
              const EnvelopePlace& place, const Directory& directory, const Opener& opener);

/// Prints sender, contact and message, and which department has signed. Warns loudly when the
/// sender's address is not the verified one, and when what should come from the authority
/// (`expect_signed`, or it calls itself an answer) is not signed. Everything a stranger wrote goes
/// through `printable`.
void show_message(const OpenedTransfer& transfer, bool expect_signed, Console& console);

} // namespace plankurier::cli
