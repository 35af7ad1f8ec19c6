#include "engine/typing.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>

namespace plankurier::typing {

namespace {

struct Sign {
    utf8proc_int32_t value{};
    std::size_t length{1}; ///< bytes
};

/// The next sign of UTF-8. A byte that begins none counts as one, and is kept as it is.
Sign sign_at(std::string_view text) noexcept {
    utf8proc_int32_t value = 0;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                         static_cast<utf8proc_ssize_t>(text.size()), &value);
    if (length <= 0) return {0xfffd, 1};
    return {value, static_cast<std::size_t>(length)};
}

struct Range {
    utf8proc_int32_t first, last;
};
template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, utf8proc_int32_t value) noexcept {
    return std::ranges::any_of(
        ranges, [&](const Range& one) { return value >= one.first && value <= one.last; });
}

constexpr std::array unseen = {Range{0, 0x20},        Range{0x7f, 0xa0},     Range{0xad, 0xad},
                               Range{0x1680, 0x1680}, Range{0x180e, 0x180e}, Range{0x2000, 0x200f},
                               Range{0x2028, 0x202f}, Range{0x205f, 0x206f}, Range{0x3000, 0x3000},
                               Range{0xfe00, 0xfe0f}, Range{0xfeff, 0xfeff}};
constexpr std::array dashes = {Range{0x2010, 0x2015}, Range{0x2043, 0x2043}, Range{0x2212, 0x2212},
                               Range{0xfe58, 0xfe58}, Range{0xfe63, 0xfe63}, Range{0xff0d, 0xff0d}};
constexpr std::array quotes = {Range{0x22, 0x22}, Range{0xab, 0xab}, Range{0xbb, 0xbb},
                               Range{0x2018, 0x201f}, Range{0x2039, 0x203a}};

} // namespace

void clean(std::string& text) {
    std::size_t kept = 0;
    for (std::size_t at = 0; at < text.size();) {
        const Sign sign = sign_at(std::string_view{text}.substr(at));
        if (is_in(dashes, sign.value)) {
            text[kept++] = '-';
        } else if (is_in(quotes, sign.value)) {
            text[kept++] = '"';
        } else if (!is_in(unseen, sign.value)) {
            for (std::size_t byte = 0; byte < sign.length; ++byte) text[kept++] = text[at + byte];
        }
        at += sign.length;
    }
    text.resize(kept);
}

} // namespace plankurier::typing
