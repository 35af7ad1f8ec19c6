#include <clients/cli/option_rules.hpp>

#include <algorithm>
#include <array>

namespace plankurier::cli {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::pair<std::string_view, Command> commands[] = {
    {"trust", Command::trust},
    {"departments", Command::departments},
    {"send", Command::send},
    {"fetch", Command::fetch},
    {"status", Command::status},
    {"revoke", Command::revoke},
    {"expire", Command::expire},
    {"resend", Command::resend},
    {"report", Command::report},
    {"verify", Command::verify},
    {"inbox", Command::inbox},
    {"reply", Command::reply},
    {"keygen", Command::keygen},
    {"members", Command::members},
    {"passphrase", Command::passphrase},
    {"unlock", Command::unlock},
    {"lock", Command::lock},
    {"completion", Command::completion},
    {"version", Command::version},
    {"help", Command::help},
};

/// What people call a command elsewhere.
constexpr std::pair<std::string_view, std::string_view> other_words[] = {
    {"senden", "send"},         {"upload", "send"},
    {"hochladen", "send"},      {"abholen", "fetch"},
    {"holen", "fetch"},         {"empfangen", "fetch"},
    {"receive", "fetch"},       {"download", "fetch"},
    {"get", "fetch"},           {"open", "fetch"},
    {"hilfe", "help"},          {"vertrauen", "trust"},
    {"antworten", "reply"},     {"answer", "reply"},
    {"stand", "status"},        {"delete", "revoke"},
    {"cancel", "revoke"},       {"löschen", "revoke"},
    {"zurückziehen", "revoke"}, {"prüfen", "verify"},
    {"check", "verify"},        {"sachgebiete", "departments"},
    {"list", "departments"},    {"key", "keygen"},
};

constexpr std::string_view globals[] = {"help",        "version", "quiet",  "verbose", "json",
                                        "no-progress", "yes",     "config", "server",  "ca",
                                        "retries",     "timeout", "lang"};
constexpr std::string_view of_trust[] = {"root", "fingerprint"};
constexpr std::string_view of_send[] = {"to",
                                        "name",
                                        "email",
                                        "phone",
                                        "reference",
                                        "clerk",
                                        "institution",
                                        "subject",
                                        "message",
                                        "message-file",
                                        "expires",
                                        "notify",
                                        "password",
                                        "password-file",
                                        "word-list",
                                        "code-from",
                                        "receipt",
                                        "share-phone",
                                        "by-link",
                                        "link-file",
                                        "lanes",
                                        "resume",
                                        "as-department",
                                        "to-citizen",
                                        "key",
                                        "passphrase-file",
                                        "wrap",
                                        "notify-unfetched",
                                        "remind-recipient",
                                        "remember-days"};
constexpr std::string_view of_fetch[] = {
    "output",     "key",        "link-file", "passphrase-file",  "password-file",
    "lanes",      "via",        "save",      "return-link-file", "transfer",
    "from-inbox", "department", "wrap"};
constexpr std::string_view of_reply[] = {"to-transfer",     "link-file",  "key",
                                         "passphrase-file", "department", "name",
                                         "email",           "phone",      "reference",
                                         "subject",         "message",    "message-file",
                                         "expires",         "notify",     "receipt",
                                         "lanes",           "wrap",       "notify-unfetched",
                                         "remind-recipient"};
constexpr std::string_view of_status[] = {"save", "html"};
constexpr std::string_view of_report[] = {
    "key",        "wrap",      "link-file", "passphrase-file", "password-file", "return-link-file",
    "from-inbox", "department"};
constexpr std::string_view of_expire[] = {"days"};
constexpr std::string_view of_verify[] = {"directory", "return-link-file", "link-file",    "key",
                                          "wrap",      "passphrase-file",  "password-file"};
constexpr std::string_view of_inbox[] = {"department", "key", "wrap", "passphrase-file"};
constexpr std::string_view of_keygen[] = {"department", "clerk",           "escrow",
                                          "type",       "output",          "record",
                                          "name",       "passphrase-file", "epoch"};
constexpr std::string_view of_members[] = {
    "key",      "member",     "output",          "record",
    "type",     "department", "passphrase-file", "new-passphrase-file",
    "directory"};
constexpr std::string_view of_unlock[] = {"key", "for", "passphrase-file"};
constexpr std::string_view of_passphrase[] = {"passphrase-file", "new-passphrase-file"};

/// How many signs were left out, added, changed or swapped.
std::size_t distance(std::string_view typed, std::string_view meant) noexcept {
    constexpr std::size_t length_max = 24;
    if (typed.size() > length_max || meant.size() > length_max) return length_max;
    std::array<std::array<std::size_t, length_max + 1>, length_max + 1> cost{};
    for (std::size_t i = 0; i <= typed.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= meant.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= typed.size(); ++i) {
        for (std::size_t j = 1; j <= meant.size(); ++j) {
            const std::size_t change = typed[i - 1] == meant[j - 1] ? 0 : 1;
            cost[i][j] =
                std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
            const bool swapped =
                i > 1 && j > 1 && typed[i - 1] == meant[j - 2] && typed[i - 2] == meant[j - 1];
            if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[typed.size()][meant.size()];
}

/// Two mistakes in a long word, one in a short one; or its beginning.
bool is_near(std::string_view typed, std::string_view meant) noexcept {
    const bool begins = typed.size() >= 3 && meant.starts_with(typed);
    return begins || distance(typed, meant) <= (meant.size() > 4 ? 2U : 1U);
}

template <typename Range, typename Name>
std::string_view nearest(std::string_view typed, const Range& candidates, Name name_of_one) {
    std::string_view found;
    std::size_t least = std::string_view::npos;
    for (const auto& one : candidates) {
        const std::string_view meant = name_of_one(one);
        const auto far = distance(typed, meant);
        if (!is_near(typed, meant) || far >= least) continue;
        found = meant;
        least = far;
    }
    return found;
}

} // namespace

std::span<const std::pair<std::string_view, Command>> all_commands() noexcept { return commands; }

std::optional<Command> command_named(std::string_view word) noexcept {
    for (const auto& [command_word, command] : commands) {
        if (word == command_word) return command;
    }
    return std::nullopt;
}

std::string_view name_of(Command command) noexcept {
    for (const auto& [command_word, one] : commands) {
        if (one == command) return command_word;
    }
    return {};
}

Names options_of(Command command) noexcept {
    switch (command) {
    case Command::trust: return of_trust;
    case Command::send: return of_send;
    case Command::fetch: return of_fetch;
    case Command::reply: return of_reply;
    case Command::status: return of_status;
    case Command::report: return of_report;
    case Command::expire: return of_expire;
    case Command::verify: return of_verify;
    case Command::inbox: return of_inbox;
    case Command::keygen: return of_keygen;
    case Command::members: return of_members;
    case Command::unlock: return of_unlock;
    case Command::passphrase: return of_passphrase;
    default: return {};
    }
}

Names global_options() noexcept { return globals; }

std::string commands_with(std::string_view option) {
    std::string out;
    for (const auto& [word, command] : commands) {
        const auto taken = options_of(command);
        if (std::ranges::find(taken, option) == taken.end()) continue;
        if (!out.empty()) out += ", ";
        out += word;
    }
    return out;
}

std::string_view nearest_command(std::string_view typed) noexcept {
    for (const auto& [word, meant] : other_words) {
        if (typed == word) return meant;
    }
    return nearest(typed, commands, [](const auto& one) { return one.first; });
}

std::string nearest_option(std::string_view typed, Command command) {
    typed.remove_prefix(std::min(typed.find_first_not_of('-'), typed.size()));
    const auto itself = [](std::string_view one) { return one; };
    auto found = nearest(typed, options_of(command), itself);
    if (found.empty()) found = nearest(typed, global_options(), itself);
    return found.empty() ? std::string{} : "--" + std::string{found};
}

std::string_view nearest_word(std::string_view typed, std::span<const std::string> words) noexcept {
    return nearest(typed, words, [](const std::string& one) { return std::string_view{one}; });
}

} // namespace plankurier::cli
