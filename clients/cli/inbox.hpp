#pragma once
/// What waits for a department or for the holder of a return link: sessions by key, and lists.
/// One thread.

#include <clients/cli/commands.hpp>
#include <clients/cli/lanes.hpp>
#include <clients/cli/outputs.hpp>

#include <plankurier/links.hpp>
#include <plankurier/members.hpp>

#include <future>

namespace plankurier::cli {

/// A key file, opened with the passphrase of `--passphrase-file` or of a person; an empty option:
/// it is an argument. Says which file a failure is about. Fails with `file_unreadable`,
/// `wrong_password`, `malformed`, `invalid_argument` (nobody to ask).
[[nodiscard]] Result<OpenedKeyFile> read_key_file(const NamedPath& file, const Options& options,
                                                  Console& console);
/// What came of a key file, and which files, with their options, a failure is about.
struct KeyAttempt {
    Result<OpenedKeyFile> key;
    std::string about{};
};
/// Begins to open the file of `--key`, unless it is unlocked (key_agent.hpp), on a thread of its
/// own when nobody has to be asked for the passphrase, so that the network can be asked meanwhile:
/// Argon2id takes half a second. `get` it once; what is referred to outlives it. Fails as
/// `read_key_file`.
[[nodiscard]] std::future<KeyAttempt> begin_key_file(const Options& options, Console& console);
/// The key of a department: the file of `--key`, or with `--wrap` what a colleague wrapped for that
/// file's owner, which counts only when a department of the directory lists it. Fails like
/// `read_key_file`, and with `wrong_key`, `tampered`, `unsupported`.
[[nodiscard]] Result<OpenedKeyFile> read_department_key(const Options& options, Console& console,
                                                        const Directory& directory);
/// The same with a file that was begun.
[[nodiscard]] Result<OpenedKeyFile> read_department_key(std::future<KeyAttempt> begun,
                                                        const Options& options, Console& console,
                                                        const Directory& directory);
/// A wrap in a file (members.hpp). Fails with `file_unreadable`, `malformed`, `unsupported`.
[[nodiscard]] Result<MemberWrap> read_member_wrap(const std::string& path);
/// The return link of `--return-link-file`: in a file, in a receipt, or on standard input ("-").
/// Says which file a failure is about. Fails with `file_unreadable`, `malformed`, `not_found` (a
/// receipt without such a link).
[[nodiscard]] Result<ReturnLink> read_return_link(const Options& options, Console& console);

/// The department or clerk that lists a key, also one of an earlier epoch; nullptr when there is
/// none.
[[nodiscard]] const Department* department_with(const Directory& directory,
                                                const KeyId& kid) noexcept;
/// The department or clerk whose key this is: the one named by id or address, or the one that lists
/// it. Fails with `unknown_department`, `wrong_key`.
[[nodiscard]] Result<const Department*>
department_of(const Directory& directory, const std::string& named, const OpenedKeyFile& key);

/// Proves possession of a key and gives the session for it. Each fails as its calls, and with
/// `wrong_key` (the challenge is for another key).
[[nodiscard]] Result<std::string> open_department_session(ControlClient& control,
                                                          const std::string& department,
                                                          const OpenedKeyFile& key,
                                                          const RetryRule& retry);
[[nodiscard]] Result<std::string> open_inbox_session(ControlClient& control, const ReturnLink& link,
                                                     const RetryRule& retry);

/// One line and one event an entry; a sentence when there is none.
void show_inbox(const std::vector<InboxEntry>& entries, Console& console);

} // namespace plankurier::cli
