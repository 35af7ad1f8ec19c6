#pragma once
/// The command line as a value. Precedence: option, environment, configuration file.

#include <clients/cli/texts_mistakes.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plankurier::cli {

enum class Command {
    help,
    trust,
    departments,
    send,
    fetch,
    inbox,
    reply,
    status,
    revoke,
    expire,
    resend,
    report,
    verify,
    keygen,
    members,
    passphrase,
    unlock,
    lock,
    completion,
    version
};

/// Everything a command line can say; what was not given is empty.
struct Options {
    Command command{Command::help};
    std::vector<std::string> arguments; ///< after the command

    // global
    bool quiet{}, verbose{}, json{}, no_progress{}, yes{};
    std::string server, ca;
    unsigned retries{10}, timeout_s{60};
    Language language{Language::de};

    // trust
    std::string root, fingerprint;
    // send, reply
    std::string as_department, to_citizen, to_transfer;
    std::vector<std::string> to; ///< departments and clerks, or one address
    std::string name, email, phone, reference, clerk, institution, subject, message;
    std::string message_file, notify{"on-fetch"}, word_list, code_from, receipt;
    std::optional<std::uint32_t> expires_days;
    std::optional<unsigned> remember_days; ///< 0: forget
    bool share_phone{}, by_link{}, resume{}, notify_unfetched{}, remind_recipient{};
    bool password{}; ///< also for an address that has a key
    std::string resume_id;
    unsigned lanes{4};
    // send, fetch, keygen; `link_file`: written by send, read by all others
    std::string password_file, passphrase_file, output, key, link_file;
    std::string via{"auto"}; ///< fetch: auto, https or swarm
    std::string return_link_file, transfer, from_inbox;
    // status, fetch, expire, verify
    std::string save, html, directory;
    std::optional<std::uint32_t> days;
    // inbox, fetch, keygen
    std::string department, type{"p256"}, record, epoch;
    bool escrow{};                               ///< keygen; there `clerk` is an address
    std::chrono::seconds unlock_time{8 * 3'600}; ///< unlock
    // members, passphrase
    std::string member, new_passphrase_file, wrap;
};

/// "14d", "2w" or "14" as days. Fails with `invalid_argument`.
[[nodiscard]] Result<std::uint32_t> parse_days(std::string_view text);

/// A command line that cannot be carried out, with a sentence about why. Its `code` is
/// `invalid_argument` or `file_unreadable`; its `detail` names the option, never a value.
struct CommandLineError : Error {
    Mistake mistake{};
    std::vector<std::string> values; ///< of the sentence
};

/// "8h", "90m" or "8h30m": from a minute to a day. Fails with `invalid_argument`.
[[nodiscard]] Result<std::chrono::seconds> parse_hours(std::string_view text);

/// Reads the command line. `server_env` and `config_env` are the values of PLANKURIER_SERVER and
/// PLANKURIER_CONFIG (empty when not set). Texts are UTF-8 and addresses in ASCII afterwards.
[[nodiscard]] tl::expected<Options, CommandLineError>
parse_options(const std::vector<std::string>& arguments, const std::string& server_env,
              const std::string& config_env, const LocaleVariables& locale);
/// In which language to speak about a command line, even when it cannot be read.
[[nodiscard]] Language language_for(const std::vector<std::string>& arguments,
                                    const LocaleVariables& locale);

/// The completion script of a shell ("bash", "zsh", "fish"). Fails with `invalid_argument`.
[[nodiscard]] Result<std::string> completion_script(std::string_view shell);

} // namespace plankurier::cli
