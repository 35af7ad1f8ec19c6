#include <clients/cli/code_prompt.hpp>

#include <clients/cli/files.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/signals.hpp>

#include <plankurier/code.hpp>
#include <plankurier/files.hpp>
#include <plankurier/receiving.hpp>

#include <unistd.h>

namespace plankurier::cli {

namespace {

/// Pasted with the word before it: "Code: K7QM-2RFX".
Result<SecretText> code_in(const SecretText& typed) {
    auto code = typed_code(typed);
    const auto colon = typed.reveal().rfind(':');
    if (code || colon == std::string_view::npos) return code;
    return typed_code(SecretText{typed.reveal().substr(colon + 1)});
}

} // namespace

Result<SecretText> CodePrompt::ask(const std::string& session) {
    for (;;) {
        auto line = number_ > 0 ? console_.ask(Text::ask_code_number, {std::to_string(number_)})
                                : console_.ask(Text::ask_code);
        if (!line) return tl::unexpected(line.error());
        if (line->empty()) {
            const auto resent = control_.resend_code(session);
            if (!resent) console_.tell(resent.error());
            if (resent) number_ = *resent;
        } else if (auto code = code_in(SecretText{*line})) {
            return code;
        } else {
            console_.warn(Mistake::code_form);
        }
    }
}

Result<SecretText> CodePrompt::checked(const SecretText& typed) {
    auto code = code_in(typed);
    if (!code) return console_.refuse(Mistake::code_form, {}, Errc::wrong_code);
    return code;
}

Result<SecretText> CodePrompt::read(const std::string& session) {
    const bool by_input = options_.code_from == "-";
    if (by_input || options_.code_from.empty()) {
        const bool at_keyboard = ::isatty(STDIN_FILENO) == 1 && console_.can_ask();
        // A message that came that way has used it up.
        if (by_input || (!at_keyboard && options_.message != "-")) {
            const auto code = read_secret_line("-");
            if (code) return checked(*code);
        }
        if (by_input || !console_.can_ask()) return fail(Errc::not_verified, "no code");
        return ask(session);
    }
    // The mail may take a while: wait for the file to have content.
    for (bool told = false;; told = true) {
        auto code = read_secret_line(options_.code_from);
        if (code && !code->empty()) return checked(*code);
        // It may be there later, but nobody waits for rights.
        if (!code && code.error().detail != file_reason::missing) {
            return naming(console_, {"--code-from", options_.code_from}, std::move(code));
        }
        if (!told) console_.say(Text::waiting_for_code, {printable(options_.code_from)});
        if (!pause_for(std::chrono::milliseconds{200})) return fail(Errc::canceled, "code");
    }
}

} // namespace plankurier::cli
