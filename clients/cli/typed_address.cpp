#include <clients/cli/typed_address.hpp>

#include <plankurier/contact.hpp>

#include <idn2.h>
#include <algorithm>

namespace plankurier::cli {

namespace {

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Nothing when it is no name of a host in any script.
std::optional<std::string> ascii_host(const std::string& host) {
    if (is_ascii(host)) return host;
    std::uint8_t* found = nullptr;
    const auto* name = reinterpret_cast<const std::uint8_t*>(host.c_str());
    if (::idn2_lookup_u8(name, &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) {
        return std::nullopt;
    }
    std::string out{reinterpret_cast<const char*>(found)};
    ::idn2_free(found);
    return out;
}

void trim(std::string& text, std::string_view signs) {
    text.resize(text.find_last_not_of(signs) + 1);
    text.erase(0, std::min(text.find_first_not_of(signs), text.size()));
}

} // namespace

tl::expected<std::string, Mistake> settle_address(std::string typed) {
    constexpr std::string_view around = " \t\r\n<>,;\"'";
    trim(typed, around);
    if (typed.starts_with("mailto:")) typed.erase(0, 7);
    const auto at = typed.rfind('@');
    if (at == typed.npos || at == 0 || at + 1 == typed.size()) {
        return tl::unexpected(Mistake::address_form);
    }
    if (!is_ascii(std::string_view{typed}.substr(0, at))) {
        return tl::unexpected(Mistake::address_local_part);
    }
    const auto host = ascii_host(typed.substr(at + 1));
    if (!host) return tl::unexpected(Mistake::address_domain);
    auto address = typed.substr(0, at + 1) + *host;
    if (!check_address(address)) return tl::unexpected(Mistake::address_form);
    return address;
}

std::string settle_server(std::string typed) {
    trim(typed, " \t\r\n<>\"'");
    if (typed.empty()) return typed;
    std::string url = typed;
    if (url.find("://") == url.npos) url.insert(0, "https://");
    const auto begin = url.find("://") + 3;
    if (const auto mark = url.find_first_of("?#", begin); mark != url.npos) {
        url.resize(mark); // a link: the service is what stands before its last part
        if (const auto slash = url.find_last_of('/'); slash >= begin) url.resize(slash);
    }
    while (url.size() > begin && url.ends_with('/')) url.pop_back();
    if (url.size() == begin) return typed; // names no host
    const auto end = std::min(url.find_first_of("/:?#", begin), url.size());
    if (url[std::min(begin, url.size() - 1)] == '[') return url; // an IPv6 address
    auto host = ascii_host(url.substr(begin, end - begin));
    if (!host) return typed;
    url.replace(begin, end - begin, *host);
    std::transform(
        url.begin(), url.begin() + static_cast<std::ptrdiff_t>(begin + host->size()), url.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return url;
}

} // namespace plankurier::cli
