#include "relay/adapters/bounce_message.hpp"

#include <algorithm>

namespace plankurier::relay::adapters {

namespace {

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

/// Cuts off the first line, without its end.
std::string_view next_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// Cuts off the next field, in small letters, with folded lines joined; "" at the end of a header.
std::string next_field(std::string_view& rest) {
    std::string field = lower(next_line(rest));
    while (!field.empty() && (rest.starts_with(' ') || rest.starts_with('\t'))) {
        field += lower(next_line(rest));
    }
    return field;
}

/// What stands behind "name:", without blanks around it; "" for another field.
std::string_view value(const std::string& field, std::string_view name) {
    if (!field.starts_with(name) || field.size() == name.size() || field[name.size()] != ':') {
        return {};
    }
    std::string_view out = std::string_view{field}.substr(name.size() + 1);
    while (!out.empty() && (out.front() == ' ' || out.front() == '\t')) out.remove_prefix(1);
    while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) out.remove_suffix(1);
    return out;
}

/// The digits in "bounce+DIGITS@host", if they stand in the text.
std::optional<std::string> digits_in(std::string_view text, std::string_view bounce) {
    constexpr std::size_t digits = 16;
    const std::size_t at = bounce.find('@');
    const std::string start = lower(bounce.substr(0, at)) + "+";
    const std::string end = lower(bounce.substr(at));
    const std::size_t found = text.find(start);
    if (found == text.npos || text.size() < found + start.size() + digits) return std::nullopt;
    const std::string_view id = text.substr(found + start.size(), digits);
    if (id.find_first_not_of("0123456789abcdef") != id.npos ||
        !text.substr(found + start.size() + digits).starts_with(end)) {
        return std::nullopt;
    }
    return std::string{id};
}

/// RFC 3464, 2.3: one group of fields for each recipient.
bool says_failed(std::string_view rest) {
    bool in_status = false, failed = false, for_good = true;
    while (!rest.empty()) {
        const std::string field = next_field(rest);
        if (value(field, "content-type").starts_with("message/delivery-status")) in_status = true;
        if (in_status && field.starts_with("--")) in_status = false;
        if (!in_status) continue;
        if (field.empty()) {
            if (failed && for_good) return true;
            failed = false;
            for_good = true;
        }
        if (value(field, "action") == "failed") failed = true;
        if (const auto status = value(field, "status"); !status.empty()) {
            for_good = status.starts_with('5');
        }
    }
    return failed && for_good;
}

} // namespace

std::optional<std::string> failed_mail(std::string_view message, std::string_view bounce) {
    std::optional<std::string> id;
    bool is_report = false;
    std::string_view rest = message;
    for (std::string field = next_field(rest); !field.empty(); field = next_field(rest)) {
        for (const char* name : {"to", "delivered-to", "x-original-to", "envelope-to"}) {
            if (!id) id = digits_in(value(field, name), bounce);
        }
        const auto type = value(field, "content-type");
        is_report = is_report || (type.starts_with("multipart/report") &&
                                  type.find("delivery-status") != type.npos);
    }
    return is_report && says_failed(rest) ? id : std::nullopt;
}

} // namespace plankurier::relay::adapters
