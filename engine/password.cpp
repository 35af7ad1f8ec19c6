#include <plankurier/keys.hpp>

#include <sodium.h>

namespace plankurier {

Result<SecretText> generate_password(std::string_view word_list, unsigned words) {
    std::vector<std::string_view> list;
    while (!word_list.empty()) {
        const std::size_t end = word_list.find('\n');
        std::string_view line = word_list.substr(0, end);
        word_list.remove_prefix(end == std::string_view::npos ? word_list.size() : end + 1);
        if (const std::size_t tab = line.find_last_of("\t "); tab != std::string_view::npos) {
            line.remove_prefix(tab + 1);
        }
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (!line.empty() && line.front() != '#') list.push_back(line);
    }
    constexpr std::size_t list_words_min = 8'192;
    if (list.size() < list_words_min) return fail(Errc::invalid_argument, "word list");
    std::string password;
    for (unsigned i = 0; i < words; ++i) {
        if (i != 0) password += '-';
        password += list[randombytes_uniform(static_cast<std::uint32_t>(list.size()))];
    }
    SecretText secret{password};
    wipe(std::as_writable_bytes(std::span{password}));
    return secret;
}

} // namespace plankurier
