#include <clients/cli/texts.hpp>

#include <algorithm>
#include <optional>

namespace plankurier::cli {

namespace {

/// Of "en", "en_GB.UTF-8", "de@euro"; nothing for a language that the program does not speak.
std::optional<Language> language_of(std::string_view locale) noexcept {
    const auto word = locale.substr(0, locale.find_first_of("_.@"));
    if (word == "de") return Language::de;
    if (word == "en") return Language::en;
    return std::nullopt;
}

} // namespace

Language choose_language(std::string_view option, const LocaleVariables& environment) {
    if (const auto wanted = language_of(option)) return *wanted;
    std::string_view locale;
    for (const auto* one : {&environment.lc_all, &environment.lc_messages, &environment.lang}) {
        if (locale.empty()) locale = *one;
    }
    std::string_view list = environment.language;
    while (locale != "C" && locale != "POSIX" && !list.empty()) {
        const auto end = std::min(list.find(':'), list.size());
        if (const auto found = language_of(list.substr(0, end))) return *found;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return language_of(locale).value_or(Language::de);
}

std::string_view tag(Language language) noexcept { return language == Language::de ? "de" : "en"; }

std::string_view text(Language language, Text which) noexcept {
    return language == Language::de ? text_de(which) : text_en(which);
}

std::string_view text(Language language, Errc code) noexcept {
    return language == Language::de ? text_de(code) : text_en(code);
}

std::string fill(std::string_view pattern, std::initializer_list<std::string_view> values) {
    std::string out;
    auto next = values.begin();
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] == '{' && at + 1 < pattern.size() && pattern[at + 1] == '}') {
            if (next != values.end()) out += *next++;
            ++at;
        } else {
            out += pattern[at];
        }
    }
    return out;
}

Exit exit_for(Errc code, bool state_kept) noexcept {
    switch (code) {
    case Errc::invalid_argument: return Exit::usage;
    case Errc::wrong_code:
    case Errc::code_expired:
    case Errc::too_many_attempts:
    case Errc::too_early:
    case Errc::not_verified: return Exit::code;
    case Errc::wrong_password:
    case Errc::wrong_key: return Exit::password;
    case Errc::not_found:
    case Errc::expired:
    case Errc::revoked:
    case Errc::purged:
    case Errc::lost: return Exit::gone;
    case Errc::network:
    case Errc::tls:
    case Errc::unavailable:
    case Errc::busy: return state_kept ? Exit::resumable : Exit::network;
    case Errc::no_space:
    case Errc::rate_limited: return state_kept ? Exit::resumable : Exit::policy;
    case Errc::malformed:
    case Errc::rolled_back:
    case Errc::bad_signature:
    case Errc::tampered:
    case Errc::file_changed: return Exit::integrity;
    case Errc::unknown_department:
    case Errc::address_not_allowed:
    case Errc::type_not_allowed:
    case Errc::link_not_allowed:
    case Errc::too_large:
    case Errc::too_many_files:
    case Errc::quota_exceeded:
    case Errc::untrusted_root: return Exit::policy;
    case Errc::canceled: return Exit::interrupted;
    case Errc::unsupported:
    case Errc::conflict:
    case Errc::file_unreadable:
    case Errc::exists: return Exit::general;
    }
    return Exit::general;
}

} // namespace plankurier::cli
