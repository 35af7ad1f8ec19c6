#include <plankurier/error.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace plankurier {

namespace {
constexpr std::array errc_names = std::to_array<std::pair<Errc, std::string_view>>({
    {Errc::invalid_argument, "invalid_argument"},
    {Errc::malformed, "malformed"},
    {Errc::unsupported, "unsupported"},
    {Errc::not_found, "not_found"},
    {Errc::wrong_code, "wrong_code"},
    {Errc::code_expired, "code_expired"},
    {Errc::too_many_attempts, "too_many_attempts"},
    {Errc::too_early, "too_early"},
    {Errc::not_verified, "not_verified"},
    {Errc::unknown_department, "unknown_department"},
    {Errc::address_not_allowed, "address_not_allowed"},
    {Errc::type_not_allowed, "type_not_allowed"},
    {Errc::link_not_allowed, "link_not_allowed"},
    {Errc::too_large, "too_large"},
    {Errc::too_many_files, "too_many_files"},
    {Errc::quota_exceeded, "quota_exceeded"},
    {Errc::rate_limited, "rate_limited"},
    {Errc::conflict, "conflict"},
    {Errc::expired, "expired"},
    {Errc::revoked, "revoked"},
    {Errc::purged, "purged"},
    {Errc::wrong_password, "wrong_password"},
    {Errc::wrong_key, "wrong_key"},
    {Errc::untrusted_root, "untrusted_root"},
    {Errc::rolled_back, "rolled_back"},
    {Errc::bad_signature, "bad_signature"},
    {Errc::tampered, "tampered"},
    {Errc::file_changed, "file_changed"},
    {Errc::file_unreadable, "file_unreadable"},
    {Errc::exists, "exists"},
    {Errc::no_space, "no_space"},
    {Errc::network, "network"},
    {Errc::tls, "tls"},
    {Errc::unavailable, "unavailable"},
    {Errc::busy, "busy"},
    {Errc::canceled, "canceled"},
    {Errc::lost, "lost"},
});
static_assert(errc_names.size() == static_cast<std::size_t>(Errc::lost) + 1);
} // namespace

std::string_view name(Errc code) noexcept {
    for (const auto& [errc, text] : errc_names) {
        if (errc == code) return text;
    }
    return "unsupported";
}

Errc errc_from_name(std::string_view wire_name) noexcept {
    for (const auto& [errc, text] : errc_names) {
        if (text == wire_name) return errc;
    }
    return Errc::unsupported;
}

void expects(bool condition, const char* what, std::source_location where) noexcept {
    if (condition) return;
    std::fprintf(stderr, "plankurier: broken expectation: %s (%s:%u)\n", what, where.file_name(),
                 where.line());
    std::abort();
}

} // namespace plankurier
