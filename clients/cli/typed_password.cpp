#include <clients/cli/typed_password.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

constexpr std::string_view blank_signs[] = {" ",      "\t",     "\r",    "\u00a0",
                                            "\u2007", "\u2009", "\u202f"};
constexpr std::string_view dash_signs[] = {"-",      "\u00ad", "\u2010", "\u2011", "\u2012",
                                           "\u2013", "\u2014", "\u2015", "\u2212"};
constexpr std::pair<std::string_view, std::string_view> capitals[] = {
    {"Ä", "ä"}, {"Ö", "ö"}, {"Ü", "ü"}};

/// Bytes of the sign of the list that the text begins with, else 0.
template <std::size_t N>
std::size_t first_of(const std::string_view (&signs)[N], std::string_view text) noexcept {
    for (const auto sign : signs) {
        if (text.starts_with(sign)) return sign.size();
    }
    return 0;
}

std::string_view trimmed(std::string_view text) noexcept {
    while (const auto bytes = first_of(blank_signs, text)) text.remove_prefix(bytes);
    for (bool again = true; again;) {
        again = false;
        for (const auto blank : blank_signs) {
            if (!text.ends_with(blank)) continue;
            text.remove_suffix(blank.size());
            again = true;
        }
    }
    return text;
}

/// Never longer than the text, so that no copy of it is left behind.
SecretText as_generated(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    bool parted = false;
    while (!text.empty()) {
        const auto gap = std::max(first_of(blank_signs, text), first_of(dash_signs, text));
        if (gap > 0) {
            parted = true;
            text.remove_prefix(gap);
            continue;
        }
        if (parted && !out.empty()) out += '-';
        parted = false;
        const auto* const capital = std::ranges::find_if(
            capitals, [&](const auto& pair) { return text.starts_with(pair.first); });
        if (capital != std::end(capitals)) {
            out += capital->second;
            text.remove_prefix(capital->first.size());
            continue;
        }
        const char sign = text.front();
        out += sign >= 'A' && sign <= 'Z' ? static_cast<char>(sign - 'A' + 'a') : sign;
        text.remove_prefix(1);
    }
    SecretText secret{out};
    wipe(std::as_writable_bytes(std::span{out}));
    return secret;
}

} // namespace

std::vector<SecretText> meant_passwords(const SecretText& typed) {
    std::vector<SecretText> out;
    out.reserve(3);
    out.emplace_back(typed.reveal());
    const auto inner = trimmed(typed.reveal());
    if (inner.empty()) return out;
    if (inner != typed.reveal()) out.emplace_back(inner);
    auto generated = as_generated(inner);
    if (!generated.empty() && generated.reveal() != inner) out.push_back(std::move(generated));
    return out;
}

} // namespace plankurier::cli
