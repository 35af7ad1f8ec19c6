#pragma once
/// A reader's way to one transfer, as `fetch` and `report` go it. One thread.

#include <clients/cli/fetch_open.hpp>
#include <clients/cli/spare_lines.hpp>

namespace plankurier::cli {

/// A transfer that was opened, and by what.
struct FoundTransfer {
    ControlClient control;
    Authority authority;
    std::optional<OpenedKeyFile> key; ///< nothing: by link or password
    bool by_return_key{};             ///< `key` is a citizen's
    bool of_recipient{};              ///< `key` is listed as a department's or clerk's
    OpenedTransfer transfer;
    /// The seed to sign with that it was fetched. Whoever holds another key, as an escrow key, is
    /// no recipient, and reports it unsigned: so the sender learns of it, and is not told that a
    /// department has read it.
    [[nodiscard]] const KeySeed* department() const noexcept {
        return key && of_recipient ? &key->seed : nullptr;
    }
};

/// Behind a link (opened with its secret, the department's key, a return key, or the password),
/// or in the department's inbox with `--from-inbox`. Begins `spare_lines`, if any, as soon as the
/// relays are known. Fails as all of these do.
[[nodiscard]] Result<FoundTransfer> find_transfer(const Options& options, Console& console,
                                                  SpareLines* spare_lines);

} // namespace plankurier::cli
