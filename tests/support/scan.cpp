#include "tests/support/scan.hpp"

#include "relay/adapters/files.hpp"

#include <algorithm>
#include <cstring>

namespace plankurier::test {

namespace {

std::string changed(std::string_view text, char first, char last, int distance) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [&](char c) {
        return c >= first && c <= last ? static_cast<char>(c + distance) : c;
    });
    return out;
}

std::string escaped(std::string_view text, char mark) {
    std::string out;
    for (const char c : text) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || c == '.' || c == '-') {
            out += c;
        } else {
            out += mark + changed(to_hex(as_bytes({&c, 1})), 'a', 'f', 'A' - 'a');
        }
    }
    return out;
}

/// Not `find`, which calls memchr anew after each byte that is the first one of the text: in a file
/// of zeros that is each byte, and under TSan half of the time of a purge test.
bool holds(std::string_view content, std::string_view text) {
    if (content.empty()) return false; // memmem takes no null
    return ::memmem(content.data(), content.size(), text.data(), text.size()) != nullptr;
}

} // namespace

std::set<std::string> encodings(std::string_view text) {
    const std::string hex = to_hex(as_bytes(text));
    std::set<std::string> out{std::string{text},
                              changed(text, 'a', 'z', 'A' - 'a'),
                              changed(text, 'A', 'Z', 'a' - 'A'),
                              {text.rbegin(), text.rend()},
                              hex,
                              changed(hex, 'a', 'f', 'A' - 'a'),
                              escaped(text, '%'),
                              escaped(text, '=')};
    std::string little, big;
    for (const char c : text) {
        little += {c, '\0'};
        big += {'\0', c};
    }
    out.insert({little, big});
    // Base64 looks different at each of three alignments; its ends depend on the neighbours.
    for (std::size_t shift = 0; shift < 3; ++shift) {
        const std::string shifted = std::string(shift, 'x') + std::string{text};
        for (const std::string& one :
             {to_base64(as_bytes(shifted)), to_base64url(as_bytes(shifted))}) {
            if (one.size() > 14) out.insert(one.substr(4, one.size() - 8));
        }
    }
    return out;
}

std::set<std::string> files_with(const std::filesystem::path& folder, std::string_view text) {
    const auto forms = encodings(text);
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
        if (!entry.is_regular_file()) continue;
        const auto bytes = relay::adapters::read_file(entry.path());
        if (!bytes) continue;
        const std::string_view content = as_text(*bytes);
        const bool found = std::ranges::any_of(
            forms, [&](const std::string& form) { return holds(content, form); });
        if (found) out.insert(entry.path().filename().string());
    }
    return out;
}

} // namespace plankurier::test
