#include <clients/cli/console.hpp>

#include <clients/cli/echo_off.hpp>
#include <clients/cli/signals.hpp>
#include <clients/cli/text_encoding.hpp>

#include <plankurier/files.hpp>
#include <plankurier/json.hpp>

#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <optional>

namespace plankurier::cli {

namespace {

/// A failure that was told already.
constexpr std::string_view told_already = "told";

/// Why nobody can be asked, and what to do instead.
Mistake nobody_asks(Text question) noexcept {
    switch (question) {
    case Text::ask_password: return Mistake::nobody_asks_password;
    case Text::ask_passphrase: return Mistake::nobody_asks_passphrase;
    case Text::ask_new_passphrase: return Mistake::nobody_asks_new_passphrase;
    default: return Mistake::nobody_to_ask;
    }
}

void show(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

void to_stderr(std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fputc('\n', stderr);
}

/// A line from the terminal; ends early when the user stops the program.
Result<std::string> read_line(std::string_view question) {
    const TypingTerminal terminal;
    std::string line;
    while (!interrupted()) {
        if (EchoOff::has_resumed()) show(question);
        pollfd waiting{terminal.get(), POLLIN, 0};
        const auto ready = ::poll(&waiting, 1, 200);
        if (ready <= 0) continue;
        char letter = 0;
        const auto got = ::read(terminal.get(), &letter, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return fail(Errc::canceled, "end of input");
        if (letter == '\n') return to_utf8(std::move(line));
        if (letter != '\r') line += letter;
    }
    return fail(Errc::canceled, "interrupted");
}

/// The reason that the system gave, where a person can do something about it.
std::optional<Text> reason_text(const Error& error) {
    if (error.code != Errc::file_unreadable) return std::nullopt;
    static constexpr std::pair<std::string_view, Text> reasons[] = {
        {file_reason::rights, Text::reason_rights},
        {file_reason::read_only, Text::reason_read_only},
        {file_reason::missing, Text::reason_missing},
        {file_reason::not_a_folder, Text::reason_not_a_folder},
        {file_reason::a_folder, Text::reason_a_folder},
        {"no regular file", Text::reason_no_file},
        {"not a regular file", Text::reason_no_file},
        {file_reason::open_files, Text::reason_open_files},
        {file_reason::too_large, Text::reason_too_large},
        {file_reason::device, Text::reason_device},
        {file_reason::long_name, Text::reason_long_name}};
    for (const auto& [words, reason] : reasons) {
        if (words == error.detail) return reason;
    }
    return std::nullopt;
}

} // namespace

Console::Console(Language language, bool quiet, bool json, bool no_progress)
    : language_(language), quiet_(quiet), json_(json), progress_wanted_(!quiet && !no_progress),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

bool Console::can_ask() const noexcept { return terminal_ && TypingTerminal{}.can_ask(); }

void Console::say(Text which, std::initializer_list<std::string_view> values) {
    if (!quiet_) warn(which, values);
}

void Console::warn(Text which, std::initializer_list<std::string_view> values) {
    end_progress();
    to_stderr(fill(text(language_, which), values));
}

bool Console::show_secret(Text which, std::initializer_list<std::string_view> values) {
    if (!terminal_) return false;
    end_progress();
    auto line = fill(text(language_, which), values);
    to_stderr(line);
    wipe(std::as_writable_bytes(std::span{line.data(), line.size()}));
    return true;
}

void Console::warn(Mistake which, std::initializer_list<std::string_view> values) {
    end_progress();
    to_stderr(fill(text(language_, which), values));
}

tl::unexpected<Error> Console::refuse(Mistake which, std::initializer_list<std::string_view> values,
                                      Errc code) {
    warn(which, values);
    return fail(code, std::string{told_already});
}

bool Console::is_told(const Error& error) noexcept { return error.detail == told_already; }

void Console::tell(const Error& error) {
    if (is_told(error)) return;
    end_progress();
    const auto mistake = mistake_of(error);
    to_stderr(mistake ? text(language_, *mistake) : text(language_, error.code));
    if (const auto reason = reason_text(error)) to_stderr(text(language_, *reason));
}

void Console::wrong_clock(std::int64_t own, std::int64_t theirs) {
    wrong_clock_ = true;
    warn(Text::clock_wrong, {time_text(language_, own), time_text(language_, theirs)});
    event("clock", {{"own", own}, {"service", theirs}});
}

void Console::failure(const Error& error, Exit exit) {
    end_progress();
    // What the service itself answered is no matter of this computer's clock.
    const bool is_own = !error.detail.starts_with("status ");
    const bool by_clock = error.code == Errc::tls || error.code == Errc::expired;
    if (wrong_clock_ && is_own && by_clock) {
        to_stderr(text(language_, Text::clock_first));
    } else {
        tell(error);
    }
    event("error", {{"code", std::string{name(error.code)}},
                    {"exit", std::int64_t{static_cast<int>(exit)}}});
}

void Console::print(std::string_view line) {
    if (json_) return;
    end_progress();
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

void Console::event(std::string_view event, const JsonFields& fields) {
    if (!json_) return;
    Json out{{"event", event}};
    for (const auto& [key, value] : fields) {
        std::visit([&](const auto& held) { out[key] = held; }, value);
    }
    const auto line = out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
}

void Console::progress(Text which, std::uint64_t done_bytes, std::uint64_t total_bytes) {
    const auto now = std::chrono::steady_clock::now();
    if (begun_ == Time{}) {
        begun_ = now;
        begun_bytes_ = done_bytes;
    }
    const bool finished = done_bytes >= total_bytes;
    const auto pause = json_ ? std::chrono::milliseconds{500} : std::chrono::milliseconds{200};
    if (!progress_wanted_ || finished_shown_ || (!finished && now - shown_ < pause)) return;
    finished_shown_ = finished;
    shown_ = now;
    event("progress", {{"done", static_cast<std::int64_t>(done_bytes)},
                       {"total", static_cast<std::int64_t>(total_bytes)}});
    if (!terminal_ || json_) return;
    const auto seconds = std::chrono::duration<double>(now - begun_).count();
    const auto speed =
        seconds > 0.2 ? static_cast<double>(done_bytes - begun_bytes_) / seconds : 0.0;
    const auto left = speed > 1 ? static_cast<double>(total_bytes - done_bytes) / speed : 0.0;
    const auto percent = total_bytes == 0 ? 100 : done_bytes * 100 / total_bytes;
    const auto line = fill(
        text(language_, Text::progress_line),
        {text(language_, which), std::to_string(percent), size_text(language_, done_bytes),
         size_text(language_, total_bytes), size_text(language_, static_cast<std::uint64_t>(speed)),
         speed > 1 ? duration_text(static_cast<std::uint64_t>(left)) : std::string{"?"}});
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    line_open_ = true;
}

void Console::end_progress() {
    if (line_open_) std::fputc('\n', stderr);
    line_open_ = false;
}

Result<std::string> Console::ask(Text question, std::initializer_list<std::string_view> values) {
    if (!can_ask()) return refuse(nobody_asks(question));
    end_progress();
    const auto line = fill(text(language_, question), values);
    show(line);
    return read_line(line);
}

Result<SecretText> Console::ask_secret(Text question) {
    if (!can_ask()) return refuse(nobody_asks(question));
    const EchoOff silent;
    auto line = ask(question);
    std::fputc('\n', stderr);
    if (!line) return tl::unexpected(line.error());
    SecretText secret{*line};
    wipe(std::as_writable_bytes(std::span{line->data(), line->size()}));
    return secret;
}

Result<SecretText> Console::ask_new_secret(Text question, Text again) {
    for (;;) {
        auto first = ask_secret(question);
        if (!first) return first;
        auto second = ask_secret(again);
        if (!second) return second;
        if (equal_constant_time(as_bytes(first->reveal()), as_bytes(second->reveal())) &&
            !first->empty()) {
            return first;
        }
        warn(Text::password_differs);
    }
}

bool Console::ask_yes(Text question, std::initializer_list<std::string_view> values) {
    const auto answer = ask(question, values);
    return answer && (*answer == "ja" || *answer == "yes" || *answer == "j" || *answer == "y");
}

std::string size_text(Language language, std::uint64_t bytes) {
    constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1'024 && unit < 4) {
        value /= 1'024;
        ++unit;
    }
    std::array<char, 32> out{};
    std::snprintf(out.data(), out.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    std::string text{out.data()};
    if (language == Language::de) std::replace(text.begin(), text.end(), '.', ',');
    return text;
}

std::string duration_text(std::uint64_t seconds) {
    if (seconds < 90) return std::to_string(seconds) + " s";
    if (seconds < 90 * 60) return std::to_string((seconds + 30) / 60) + " min";
    return std::to_string((seconds + 1'800) / 3'600) + " h";
}

std::string time_text(Language language, std::int64_t unix_seconds) {
    const std::time_t when = unix_seconds;
    std::tm local{};
    ::localtime_r(&when, &local);
    std::array<char, 64> out{};
    const char* pattern = language == Language::de ? "%d.%m.%Y %H:%M" : "%Y-%m-%d %H:%M";
    std::strftime(out.data(), out.size(), pattern, &local);
    return out.data();
}

} // namespace plankurier::cli
