#pragma once
/// Talking to the person or script at the terminal: sentences on stderr, results on stdout, and
/// with `--json` one JSON object a line on stdout. Progress is the only part used while lanes run;
/// an object belongs to one thread.

#include <clients/cli/texts_mistakes.hpp>

#include <plankurier/secret.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <variant>

namespace plankurier::cli {

/// Values of a JSON line.
using JsonValue = std::variant<std::string, std::int64_t, bool>;
using JsonFields = std::map<std::string, JsonValue>;

class Console {
public:
    Console(Language language, bool quiet, bool json, bool no_progress);

    [[nodiscard]] Language language() const noexcept { return language_; }
    [[nodiscard]] bool json() const noexcept { return json_; }
    /// True when a person can be asked: stderr is a terminal, and there is one to type at, also
    /// when standard input is something else, but then only in the foreground.
    [[nodiscard]] bool can_ask() const noexcept;

    /// A sentence on stderr; left out with --quiet.
    void say(Text which, std::initializer_list<std::string_view> values = {});
    /// A sentence that --quiet does not silence.
    void warn(Text which, std::initializer_list<std::string_view> values = {});
    /// A sentence with a secret in it: shown on a terminal, even with --quiet, and nowhere else, so
    /// that it does not end in a log. False when there is no terminal.
    bool show_secret(Text which, std::initializer_list<std::string_view> values);
    void warn(Mistake which, std::initializer_list<std::string_view> values = {});
    /// Says what is wrong with what was typed or handed over, and gives the failure that goes with
    /// it: nothing more is said about it by `tell` and `failure`.
    [[nodiscard]] tl::unexpected<Error> refuse(Mistake which,
                                               std::initializer_list<std::string_view> values = {},
                                               Errc code = Errc::invalid_argument);
    /// True for a failure of `refuse`.
    [[nodiscard]] static bool is_told(const Error& error) noexcept;
    /// What happened and what to do, without ending anything.
    void tell(const Error& error);
    /// One of these two times is wrong: said at once, and why what goes by the time failed.
    void wrong_clock(std::int64_t own, std::int64_t theirs);
    /// What happened and what to do; and a JSON line `error` with code and exit code.
    void failure(const Error& error, Exit exit);
    /// Result text on stdout; left out with --json.
    void print(std::string_view line);
    /// A JSON line {"event": event, …} on stdout; left out without --json.
    void event(std::string_view event, const JsonFields& fields = {});

    /// Progress, at most a few times a second. `which` is Text::sending or Text::fetching.
    void progress(Text which, std::uint64_t done_bytes, std::uint64_t total_bytes);
    /// Ends the progress line.
    void end_progress();

    /// Asks for a line of text; fails with `invalid_argument` when there is nobody to ask, with
    /// `canceled` at the end of input.
    [[nodiscard]] Result<std::string> ask(Text question,
                                          std::initializer_list<std::string_view> values = {});
    /// The same without echo.
    [[nodiscard]] Result<SecretText> ask_secret(Text question);
    /// Asks twice until both are the same.
    [[nodiscard]] Result<SecretText> ask_new_secret(Text question, Text again);
    /// True when the answer is yes (in either language).
    [[nodiscard]] bool ask_yes(Text question, std::initializer_list<std::string_view> values = {});

private:
    using Time = std::chrono::steady_clock::time_point;
    Language language_;
    bool quiet_, json_, progress_wanted_, terminal_;
    bool line_open_{};
    Time begun_{}, shown_{};
    std::uint64_t begun_bytes_{};
    bool finished_shown_{};
    bool wrong_clock_{}; ///< which was said
};

/// "1,2 GiB"-like size, with the language's decimal sign.
[[nodiscard]] std::string size_text(Language language, std::uint64_t bytes);
/// "12 s", "3 min", "2 h".
[[nodiscard]] std::string duration_text(std::uint64_t seconds);
/// Local date and time, "2026-11-24 13:05" (en) or "24.11.2026 13:05" (de).
[[nodiscard]] std::string time_text(Language language, std::int64_t unix_seconds);

} // namespace plankurier::cli
