#include <plankurier/code.hpp>

#include <plankurier/links.hpp>

#include "engine/typing.hpp"

#include <algorithm>

namespace plankurier {

namespace {

constexpr std::string_view code_signs = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t code_length = 8;
constexpr std::size_t typed_bytes_max = 4'096;

/// What stands around or in a code without belonging to it.
constexpr std::string_view passed_over = "-_\"'`<>()[]{}.,;:!*";

char code_sign(char c) noexcept {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') return '0';
    return c == 'I' || c == 'L' ? '1' : c;
}

} // namespace

SecretText random_code() {
    std::array<std::byte, code_length> random{};
    fill_random(random);
    typing::Draft code{{}, code_length};
    for (const std::byte value : random) {
        code.text += code_signs[std::to_integer<std::size_t>(value) % code_signs.size()];
    }
    wipe(random);
    return SecretText{code.text};
}

SecretText shown_code(const SecretText& code) {
    typing::Draft shown{code.reveal().substr(0, code_length / 2), code_length + 1};
    shown.text.append("-").append(code.reveal().substr(code_length / 2));
    return SecretText{shown.text};
}

Result<SecretText> typed_code(const SecretText& typed) {
    if (typed.reveal().size() > typed_bytes_max) return fail(Errc::malformed, "code");
    if (typed.reveal().find("v1.") != std::string_view::npos) {
        return parse_code_link(tidy_link(typed)).map([](CodeLink link) {
            return std::move(link.code);
        });
    }
    typing::Draft code{typed.reveal(), typed.reveal().size()};
    typing::clean(code.text);
    std::erase_if(code.text, [](char c) { return passed_over.find(c) != passed_over.npos; });
    std::ranges::transform(code.text, code.text.begin(), code_sign);
    const bool is_code = code.text.size() == code_length &&
                         code.text.find_first_not_of(code_signs) == std::string::npos;
    if (!is_code) return fail(Errc::malformed, "code");
    return SecretText{code.text};
}

} // namespace plankurier
