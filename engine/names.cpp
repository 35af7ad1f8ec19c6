#include <plankurier/receiving.hpp>

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>

namespace plankurier {

namespace {

struct FreeText {
    void operator()(utf8proc_uint8_t* text) const noexcept { std::free(text); }
};

const utf8proc_uint8_t* octets(std::string_view text) noexcept {
    return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

/// Calls `visit(code point, its bytes)` for each code point; a bad byte is visited as -1.
template <typename Visit>
void for_each_code_point(std::string_view text, Visit visit) {
    while (!text.empty()) {
        utf8proc_int32_t point = -1;
        const auto length =
            utf8proc_iterate(octets(text), static_cast<utf8proc_ssize_t>(text.size()), &point);
        const std::size_t used = length > 0 ? static_cast<std::size_t>(length) : 1;
        visit(length > 0 ? point : -1, text.substr(0, used));
        text.remove_prefix(used);
    }
}

/// Control, format (bidi overrides, zero width, BOM), surrogate, private use, unassigned, line and
/// paragraph separators: nothing a file name or a terminal line should hold (UAX 44, UTR 36).
bool is_invisible(std::int32_t point) {
    if (point < 0) return true;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return true;
    default: return false;
    }
}

bool is_reserved_sign(std::int32_t point) {
    static constexpr std::u32string_view signs = U"<>:\"|?*/\\%";
    return signs.find(static_cast<char32_t>(point)) != std::u32string_view::npos;
}

/// Device names of Windows, with or without an extension.
bool is_device_name(std::string_view name) {
    std::string stem{name.substr(0, name.find('.'))};
    while (!stem.empty() && stem.back() == ' ') stem.pop_back();
    std::ranges::transform(stem, stem.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    static constexpr std::array<std::string_view, 7> fixed = {"CON",    "PRN",    "AUX",    "NUL",
                                                              "CLOCK$", "CONIN$", "CONOUT$"};
    if (std::ranges::find(fixed, stem) != fixed.end()) return true;
    if (!stem.starts_with("COM") && !stem.starts_with("LPT")) return false;
    const std::string_view rest = std::string_view{stem}.substr(3);
    return (rest.size() == 1 && rest[0] >= '0' && rest[0] <= '9') || rest == "\xC2\xB9" ||
           rest == "\xC2\xB2" || rest == "\xC2\xB3"; // superscript 1, 2, 3
}

/// The longest prefix of at most `bytes` bytes that ends between code points.
std::string_view cut(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
    return text.substr(0, bytes);
}

/// A name before and from its last dot.
struct NameParts {
    std::string_view stem, extension;
};
NameParts split_name(std::string_view name) {
    const std::size_t dot = std::min(name.find_last_of('.'), name.size());
    return {name.substr(0, dot), name.substr(dot)};
}

/// At most `file_name_bytes_safe` bytes with `suffix` before the extension, which is kept when it
/// is a usual one.
std::string fitted(std::string_view name, std::string_view suffix = {}) {
    constexpr std::size_t extension_bytes_max = 16;
    auto [stem, extension] = split_name(name);
    if (extension.size() > extension_bytes_max) {
        stem = name;
        extension = {};
    }
    std::string out{cut(stem, file_name_bytes_safe - extension.size() - suffix.size())};
    return out.append(suffix).append(extension);
}

/// Nothing that Windows drops at the end, nothing that hides a file or looks like an option in
/// front, and always something before the extension.
std::string trimmed(std::string_view name) {
    while (!name.empty() && (name.back() == '.' || name.back() == ' ')) name.remove_suffix(1);
    auto [stem, extension] = split_name(name);
    stem.remove_prefix(std::min(stem.find_first_not_of(". -~"), stem.size()));
    return std::string{stem.empty() ? "datei" : stem}.append(extension);
}

/// One pass. Repeated until nothing changes, which makes the whole idempotent by construction.
std::string clean_once(std::string_view name) {
    name = name.substr(name.find_last_of("/\\") + 1); // npos + 1 == 0
    std::string kept;
    for_each_code_point(name, [&](std::int32_t point, std::string_view bytes) {
        if (is_invisible(point)) return;
        if (is_reserved_sign(point)) {
            kept += '_';
        } else if (utf8proc_category(point) == UTF8PROC_CATEGORY_ZS) {
            kept += ' ';
        } else {
            kept += bytes;
        }
    });
    auto normal = trimmed(fitted(trimmed(to_nfc(kept).value_or(""))));
    if (is_device_name(normal)) normal.insert(0, "_");
    return normal;
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
    bool good = true;
    for_each_code_point(text,
                        [&](std::int32_t point, std::string_view) { good = good && point >= 0; });
    return good;
}

namespace {

/// NFC of the text, after what `options` asks for.
Result<std::string> mapped(std::string_view text, int options) {
    if (!is_utf8(text)) return fail(Errc::malformed, "not UTF-8");
    utf8proc_uint8_t* raw_text = nullptr;
    const auto length =
        utf8proc_map(octets(text), static_cast<utf8proc_ssize_t>(text.size()), &raw_text,
                     static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | options));
    const std::unique_ptr<utf8proc_uint8_t, FreeText> owner{raw_text};
    if (length < 0) return fail(Errc::malformed, "not UTF-8");
    std::string out{reinterpret_cast<const char*>(raw_text), static_cast<std::size_t>(length)};
    // The text may be a password: leave no copy in freed memory.
    std::fill_n(static_cast<volatile utf8proc_uint8_t*>(raw_text), length, utf8proc_uint8_t{0});
    return out;
}

} // namespace

Result<std::string> to_nfc(std::string_view text) { return mapped(text, 0); }

std::string printable(std::string_view text) {
    std::string out;
    for_each_code_point(text, [&](std::int32_t point, std::string_view bytes) {
        if (point == '\n' || point == '\t') {
            out += bytes;
        } else if (is_invisible(point)) {
            out += '?';
        } else {
            out += bytes;
        }
    });
    return out;
}

std::string clean_file_name(std::string_view name) {
    std::string clean{name};
    for (std::string next = clean_once(clean); next != clean; next = clean_once(clean)) {
        clean = std::move(next);
    }
    return clean;
}

std::string name_key(std::string_view name) {
    return mapped(name, UTF8PROC_CASEFOLD).value_or(std::string{name});
}

std::vector<std::string>
distinct_names(const std::vector<std::string>& names,
               const std::function<bool(const std::string& candidate)>& taken) {
    std::vector<std::string> out;
    std::set<std::string> used;
    std::map<std::string, unsigned>
        numbers; // the last one given, so that many equal names are quick
    for (const auto& name : names) {
        const auto clean = clean_file_name(name);
        auto candidate = clean;
        auto& number = numbers.try_emplace(name_key(clean), 1).first->second;
        while (used.contains(name_key(candidate)) || (taken && taken(candidate))) {
            candidate = fitted(clean, " (" + std::to_string(++number) + ")");
        }
        used.insert(name_key(candidate));
        out.push_back(std::move(candidate));
    }
    return out;
}

} // namespace plankurier
