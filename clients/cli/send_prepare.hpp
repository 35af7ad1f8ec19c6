#pragma once
/// From a command line to a transfer that is ready to go: all local checks, the manifest, the
/// password and the sealed envelope. Nothing here talks to the network. One thread.

#include <clients/cli/addressees.hpp>
#include <clients/cli/commands.hpp>
#include <clients/cli/upload_state.hpp>

#include <plankurier/envelope.hpp>

namespace plankurier::cli {

/// A transfer that was not sent yet.
struct PreparedTransfer {
    UploadState state;
    Bytes envelope;
};

/// A department that writes to a citizen: its manifest is signed, and no answer is awaited at a
/// return key, since a citizen answers with a transfer to the department.
struct DepartmentSender {
    const Department& department;
    const OpenedKeyFile& key;
    std::string citizen;                          ///< address of the notice
    std::optional<RecipientPublicKey> return_key; ///< of an answer; without it a password is made
};

/// Checks arguments and expiry against the service's policy, and that what is to be written later
/// overwrites nothing; then seals, to `addressees` or, with `from`, to a citizen. A generated
/// password is shown on the console, and that there is an escrow key. Fails with `too_large`,
/// `exists`, `invalid_argument`, `file_unreadable`, `expired` (no usable key), `link_not_allowed`,
/// `canceled`.
[[nodiscard]] Result<PreparedTransfer>
prepare_transfer(const Options& options, const Authority& authority, const Addressees& addressees,
                 const BodySource& source, const std::string& server, Console& console,
                 const DepartmentSender* from = nullptr);

/// Four groups of four easily told apart characters, 80 bits: for when there is no word list.
[[nodiscard]] SecretText generate_plain_password();

} // namespace plankurier::cli
