#pragma once
/// Where the code of a verification comes from: a person at the terminal, standard input or a file.
/// What cannot be a code is never sent, so that it costs no attempt. One thread.

#include <clients/cli/console.hpp>
#include <clients/cli/control_client.hpp>
#include <clients/cli/options.hpp>

namespace plankurier::cli {

class CodePrompt {
public:
    CodePrompt(const Options& options, Console& console, ControlClient& control) noexcept
        : options_(options), console_(console), control_(control) {}

    /// The number of the mail that was sent last; 0: not known.
    void sent(unsigned number) noexcept { number_ = number; }
    /// The next try: from standard input as long as it has lines, if that is no terminal, else from
    /// the person at the terminal, where an empty line has the code sent again. Fails with
    /// `not_verified` (nothing to read), `wrong_code` (it cannot be one), `file_unreadable` (it
    /// will not become readable by waiting), `canceled`.
    [[nodiscard]] Result<SecretText> read(const std::string& session);

private:
    [[nodiscard]] Result<SecretText> ask(const std::string& session);
    [[nodiscard]] Result<SecretText> checked(const SecretText& typed);

    const Options& options_;
    Console& console_;
    ControlClient& control_;
    unsigned number_{};
};

} // namespace plankurier::cli
