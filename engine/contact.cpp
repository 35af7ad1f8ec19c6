#include <plankurier/contact.hpp>

#include <algorithm>

namespace plankurier {

namespace {

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Atoms joined by single dots, each made of the given signs.
template <typename Allowed>
bool is_dotted(std::string_view text, Allowed allowed) {
    if (text.empty() || text.front() == '.' || text.back() == '.') return false;
    return text.find("..") == std::string_view::npos &&
           std::ranges::all_of(text, [&](char c) { return c == '.' || allowed(c); });
}

} // namespace

Result<void> check_address(std::string_view address) {
    constexpr std::string_view atom_signs = "!#$%&'*+-/=?^_`{|}~"; // RFC 5322, 3.2.3
    const std::size_t at = address.find('@');
    const bool one_at = at != std::string_view::npos && address.find('@', at + 1) == address.npos;
    if (!one_at || address.size() > 254 || at == 0 || at > 64) {
        return fail(Errc::invalid_argument, "address");
    }
    const std::string_view domain = address.substr(at + 1);
    const bool good =
        is_dotted(address.substr(0, at),
                  [&](char c) {
                      return is_letter_or_digit(c) || atom_signs.find(c) != atom_signs.npos;
                  }) &&
        address.front() != '-' &&
        is_dotted(domain, [](char c) { return is_letter_or_digit(c) || c == '-'; }) &&
        domain.find(".-") == domain.npos && domain.find("-.") == domain.npos &&
        domain.front() != '-' && domain.back() != '-';
    if (!good) return fail(Errc::invalid_argument, "address");
    return {};
}

Result<void> check_phone(std::string_view phone) {
    constexpr std::string_view signs = "0123456789 +-/.()";
    if (phone.size() > 64 || phone.find_first_not_of(signs) != phone.npos) {
        return fail(Errc::invalid_argument, "phone");
    }
    return {};
}

} // namespace plankurier
