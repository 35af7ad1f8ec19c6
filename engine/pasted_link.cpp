// What mail programs, filters and people do to a link, undone. The steps are those of
// docs/protocol.md, "What people paste"; the vectors of kind pasted_link hold both to each other.
#include <plankurier/links.hpp>

#include "engine/typing.hpp"

#include <algorithm>
#include <optional>

namespace plankurier {

namespace {

constexpr std::size_t pasted_bytes_max = 16'384;
constexpr unsigned wraps_max = 6;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t find_folded(std::string_view text, std::string_view small_letters) noexcept {
    const auto found =
        std::search(text.begin(), text.end(), small_letters.begin(), small_letters.end(),
                    [](char one, char other) { return lower(one) == other; });
    return found == text.end() ? text.npos : static_cast<std::size_t>(found - text.begin());
}

std::size_t begin_of_address(std::string_view text) noexcept {
    return std::min(find_folded(text, "https://"), find_folded(text, "http://"));
}

std::optional<char> digit_value(char c) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto at = digits.find(lower(c));
    if (at == digits.npos) return std::nullopt;
    return static_cast<char>(at);
}

/// Signs that no link holds end it; some that stand behind a link in a sentence are no part of it.
void cut_out(std::string& text) {
    constexpr std::string_view ends = "<>\"'`{}()|\\^", no_end_of_link = ".,;:!?*]$";
    if (const auto begin = begin_of_address(text); begin != text.npos) text.erase(0, begin);
    text.erase(0, std::min(text.find_first_not_of("<\"'`{([*#"), text.size()));
    text.resize(std::min(text.find_first_of(ends), text.size()));
    while (!text.empty() && no_end_of_link.find(text.back()) != no_end_of_link.npos) {
        text.pop_back();
    }
}

/// `%23` and the like, once. False when there is nothing to decode.
bool decode_percent(std::string& text) {
    std::size_t kept = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        char sign = text[at];
        if (sign == '%' && at + 2 < text.size()) {
            const auto high = digit_value(text[at + 1]), low = digit_value(text[at + 2]);
            if (high && low) {
                sign = static_cast<char>(*high * 16 + *low);
                at += 2;
            }
        }
        text[kept++] = sign;
    }
    const bool any = kept < text.size();
    text.resize(kept);
    return any;
}

/// Keeps of a text what stands between two places.
void keep(std::string& text, std::size_t begin, std::size_t end) {
    text.resize(std::min(end, text.size()));
    text.erase(0, begin);
}

/// Proofpoint 2: `…/v2/url?u=https-3A__host_t-23v1…&d=…`, with `-` for `%` and `_` for `/`.
bool unwrap_proofpoint_2(std::string& text) {
    constexpr std::string_view mark = "/v2/url?u=";
    const auto at = text.find(mark);
    if (at == text.npos) return false;
    keep(text, at + mark.size(), text.find('&', at));
    std::ranges::replace(text, '-', '%');
    std::ranges::replace(text, '_', '/');
    decode_percent(text);
    return true;
}

/// Bytes of a UTF-8 sign by its first.
std::size_t sign_length(char first) noexcept {
    const auto byte = static_cast<unsigned char>(first);
    return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// Takes `count` signs off the front of `signs`.
std::string_view take_signs(std::string_view& signs, std::size_t count) noexcept {
    std::size_t length = 0;
    for (; count > 0 && length < signs.size(); --count) length += sign_length(signs[length]);
    const auto taken = signs.substr(0, length);
    signs.remove_prefix(taken.size());
    return taken;
}

/// Each `*` stands for the next of `signs`, `**` and a letter for a run of them.
void fill_stars(std::string_view url, std::string_view signs, std::string& out) {
    constexpr std::string_view runs =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    constexpr std::size_t shortest_run = 2;
    for (std::size_t at = 0; at < url.size(); ++at) {
        if (url[at] != '*') {
            out += url[at];
        } else if (at + 2 < url.size() && url[at + 1] == '*') {
            const auto run = runs.find(url[at + 2]);
            out += take_signs(signs, run == runs.npos ? 0 : run + shortest_run);
            at += 2;
        } else {
            out += take_signs(signs, 1);
        }
    }
}

/// Proofpoint 3: `…/v3/__https://host/t*v1…__;Iw!!…$`, where `Iw` holds the signs that stars
/// replace, base64url.
bool unwrap_proofpoint_3(std::string& text) {
    constexpr std::string_view mark = "/v3/__", end_mark = "__;";
    const auto at = text.find(mark);
    const auto end = text.find(end_mark, at == text.npos ? at : at + mark.size());
    if (end == text.npos) return false;
    const auto behind = end + end_mark.size();
    typing::Draft signs{{}, 0};
    const auto raw = from_base64url(std::string_view{text}.substr(
        behind, std::min(text.find('!', behind), text.size()) - behind));
    if (raw) signs.text = as_text(*raw);
    typing::Draft url{{}, text.size()};
    url.text = std::string_view{text}.substr(at + mark.size(), end - at - mark.size());
    decode_percent(url.text);
    typing::Draft filled{{}, url.text.size() + signs.text.size()};
    fill_stars(url.text, signs.text, filled.text);
    const auto slash = filled.text.find(":/"); // some filters join the two slashes
    if (slash != filled.text.npos && filled.text.substr(slash, 3) != "://") {
        filled.text.insert(slash + 1, "/");
    }
    text = filled.text;
    return true;
}

/// SafeLinks, Proofpoint 1 and their like: the link is a parameter of the filter's page.
bool unwrap_parameter(std::string& text) {
    for (auto at = text.find_first_of("?&"); at != text.npos; at = text.find('&', at + 1)) {
        const auto value = text.find('=', at);
        if (value == text.npos) return false;
        const auto end = std::min(text.find('&', value), text.size());
        typing::Draft decoded{std::string_view{text}.substr(value + 1, end - value - 1),
                              text.size()};
        decode_percent(decoded.text);
        if (begin_of_address(decoded.text) != 0) continue;
        text = decoded.text;
        return true;
    }
    return false;
}

/// One layer less. False when there is none.
bool unwrap(std::string& text) {
    if (unwrap_proofpoint_3(text)) return true;
    if (text.find('#') == text.npos && (unwrap_proofpoint_2(text) || unwrap_parameter(text))) {
        return true;
    }
    return decode_percent(text);
}

/// Scheme and host in small letters, no query: filters and trackers add to it. A scheme that was
/// left out is the usual one.
void settle_base(std::string& text) {
    const auto hash = text.find('#');
    if (hash == text.npos || hash == 0) return;
    if (const auto query = text.find('?'); query < hash) text.erase(query, hash - query);
    if (text.front() != '/' && text.find("://") == text.npos) text.insert(0, "https://");
    const auto scheme = text.find("://");
    const auto host_end = scheme == text.npos ? 0 : text.find_first_of("/#", scheme + 3);
    std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(host_end), text.begin(),
                   lower);
}

} // namespace

SecretText tidy_link(const SecretText& pasted) {
    if (pasted.reveal().size() > pasted_bytes_max) return {};
    typing::Draft draft{pasted.reveal(), 2 * pasted.reveal().size() + 16};
    auto& text = draft.text;
    typing::clean(text);
    cut_out(text);
    for (unsigned wraps = 0; wraps < wraps_max && unwrap(text); ++wraps) {
        typing::clean(text);
        cut_out(text);
    }
    settle_base(text);
    return SecretText{text};
}

} // namespace plankurier
