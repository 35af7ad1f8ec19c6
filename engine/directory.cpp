#include <plankurier/directory.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace plankurier {

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t signer_days_max = 400;
constexpr std::int64_t directory_days_max = 35;

/// The text behind `name:` in a trusted comment, up to the next blank.
std::optional<std::string_view> field(std::string_view comment, std::string_view name) {
    std::size_t at = 0;
    while (at < comment.size()) {
        const std::size_t end = std::min(comment.find(' ', at), comment.size());
        const std::string_view word = comment.substr(at, end - at);
        if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == ':') {
            return word.substr(name.size() + 1);
        }
        at = end + 1;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// The end of the day YYYY-MM-DD, UTC.
std::optional<std::int64_t> end_of_day(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = number(text.substr(0, 4));
    const auto month = number(text.substr(5, 2));
    const auto day = number(text.substr(8, 2));
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date}.time_since_epoch().count() * day_s + day_s;
}

/// The end from a trusted comment, within the allowed life. `malformed` or `expired`.
Result<std::int64_t> checked_end(std::string_view comment, std::int64_t now,
                                 std::int64_t days_max) {
    const auto text = field(comment, "expires");
    const auto end = text ? end_of_day(*text) : std::nullopt;
    if (!end) return fail(Errc::malformed, "trusted comment");
    if (now >= *end) return fail(Errc::expired, "signature");
    if (*end - now > (days_max + 1) * day_s) return fail(Errc::malformed, "life too long");
    return *end;
}

char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_same_address(std::string_view one, std::string_view other) noexcept {
    return std::ranges::equal(one, other, {}, lower, lower);
}

/// Of those that count now, and that this program can seal to, the newest epoch.
Result<DepartmentKey> newest(const std::vector<DepartmentKey>& keys,
                             const std::vector<KeyId>& revoked, std::int64_t now) {
    const DepartmentKey* best = nullptr;
    bool has_later_kind = false;
    for (const DepartmentKey& key : keys) {
        const bool is_revoked = std::ranges::find(revoked, key.kid) != revoked.end();
        if (is_revoked || now < key.from || now >= key.until) continue;
        if (public_key_bytes(key.key.type) == 0) {
            has_later_kind = true;
        } else if (best == nullptr ||
                   std::pair{key.from, key.until} > std::pair{best->from, best->until}) {
            best = &key;
        }
    }
    if (best == nullptr) return fail(has_later_kind ? Errc::unsupported : Errc::expired, "key");
    return *best;
}

} // namespace

const Department* Directory::find(std::string_view id) const noexcept {
    const auto& list = is_clerk_id(id) ? clerks : departments;
    const auto found = std::ranges::find(list, id, &Department::id);
    return found == list.end() ? nullptr : &*found;
}

const Department* Directory::find_clerk(std::string_view address) const noexcept {
    const auto found = std::ranges::find_if(
        clerks, [&](const Department& one) { return is_same_address(one.address, address); });
    return found == clerks.end() ? nullptr : &*found;
}

Result<Directory> open_directory(const SignedDirectory& bundle, const TrustAnchor& trust,
                                 std::int64_t now) {
    const auto signer_comment =
        check_minisign(trust.root, as_bytes(bundle.signer_pub), bundle.signer_minisig);
    if (!signer_comment) {
        const bool foreign = signer_comment.error().code == Errc::bad_signature;
        return fail(foreign ? Errc::untrusted_root : signer_comment.error().code, "signer");
    }
    if (auto end = checked_end(*signer_comment, now, signer_days_max); !end) {
        return tl::unexpected(end.error());
    }
    const auto signer = parse_minisign_public_key(bundle.signer_pub);
    if (!signer) return tl::unexpected(signer.error());
    const auto comment =
        check_minisign(*signer, as_bytes(bundle.directory_json), bundle.directory_minisig);
    if (!comment) return tl::unexpected(comment.error());
    if (auto end = checked_end(*comment, now, directory_days_max); !end) {
        return tl::unexpected(end.error());
    }
    auto directory = parse_directory(bundle.directory_json);
    if (!directory) return directory;
    const auto serial_text = field(*comment, "serial");
    const auto serial = serial_text ? number(*serial_text) : std::nullopt;
    if (!serial || *serial != directory->serial) return fail(Errc::malformed, "serial");
    if (now >= directory->expires) return fail(Errc::expired, "directory");
    if (directory->serial < trust.highest_serial) return fail(Errc::rolled_back, "directory");
    return directory;
}

Result<DepartmentKey> usable_key(const Directory& directory, const Department& department,
                                 std::int64_t now) {
    return newest(department.keys, directory.revoked, now);
}

Result<DepartmentKey> usable_escrow_key(const Directory& directory, std::int64_t now) {
    if (!directory.escrow) return fail(Errc::not_found, "escrow key");
    return newest(directory.escrow->keys, directory.revoked, now);
}

bool is_escrow_key(const Directory& directory, const KeyId& kid) noexcept {
    return directory.escrow && std::ranges::any_of(directory.escrow->keys,
                                                   [&](const auto& key) { return key.kid == kid; });
}

} // namespace plankurier
