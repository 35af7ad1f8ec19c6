#include <clients/cli/text_encoding.hpp>

#include <plankurier/receiving.hpp>
#include <plankurier/secret.hpp>

#include <iconv.h>
#include <algorithm>
#include <cstdlib>
#include <optional>

namespace plankurier::cli {

namespace {

constexpr std::string_view utf8_mark = "\xef\xbb\xbf", utf16_le_mark = "\xff\xfe",
                           utf16_be_mark = "\xfe\xff";

void wipe_text(std::string& text) { wipe(std::as_writable_bytes(std::span{text})); }

/// Nothing when a byte of `text` is no sign of `charset`, or there is no such thing.
std::optional<std::string> converted(std::string_view text, const char* charset) {
    const iconv_t with = ::iconv_open("UTF-8", charset);
    if (with == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
    std::string out(4 * text.size() + 4, '\0');
    std::string in{text};
    char *from = in.data(), *to = out.data();
    std::size_t from_left = in.size(), to_left = out.size();
    const bool good =
        ::iconv(with, &from, &from_left, &to, &to_left) != static_cast<std::size_t>(-1);
    ::iconv_close(with);
    out.resize(out.size() - to_left);
    wipe_text(in);
    if (!good || from_left != 0 || !is_utf8(out)) return std::nullopt;
    return out;
}

/// Every second byte of most texts in UTF-16 is zero.
bool looks_like_utf16(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\0')) * 4 > text.size();
}

std::string environment(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr ? value : "";
}

} // namespace

std::string locale_charset() {
    std::string locale;
    for (const auto* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        locale = environment(variable);
        if (!locale.empty()) break;
    }
    if (locale.ends_with("@euro")) return "ISO-8859-15";
    const auto dot = locale.find('.');
    if (dot == locale.npos) return {};
    std::string charset = locale.substr(dot + 1);
    charset.resize(std::min(charset.find('@'), charset.size()));
    std::string plain;
    for (const char c : charset) {
        if (c != '-') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return plain == "utf8" ? std::string{} : charset;
}

Result<std::string> to_utf8(std::string text, const std::string& charset) {
    std::optional<std::string> out;
    const std::string_view view = text;
    const bool is_little = view.starts_with(utf16_le_mark);
    if (is_little || view.starts_with(utf16_be_mark)) {
        // The last line end may have been cut in two.
        const auto length = (view.size() - utf16_le_mark.size()) / 2 * 2;
        out = converted(view.substr(utf16_le_mark.size(), length),
                        is_little ? "UTF-16LE" : "UTF-16BE");
    } else if (looks_like_utf16(view)) {
        wipe_text(text);
        return fail(Errc::invalid_argument, "encoding utf-16");
    } else if (is_utf8(view)) {
        if (!view.starts_with(utf8_mark)) return text;
        out = std::string{view.substr(utf8_mark.size())};
    } else if (!charset.empty()) {
        out = converted(view, charset.c_str());
    }
    wipe_text(text);
    if (!out) return fail(Errc::invalid_argument, "encoding");
    return std::move(*out);
}

std::string_view guessed_encoding(const Error& error) noexcept {
    return error.detail == "encoding utf-16" ? "UTF-16" : "Latin-1 (ISO 8859-1, Windows-1252)";
}

} // namespace plankurier::cli
