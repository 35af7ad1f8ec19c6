#include "engine/crypto.hpp"

#include <plankurier/directory.hpp>
#include <plankurier/receiving.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace plankurier {

namespace {

using nlohmann::json;

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t signer_days_max = 400;
constexpr std::int64_t directory_days_max = 35;
constexpr std::size_t departments_max = 1'000;

template <std::size_t N>
std::optional<std::array<std::byte, N>> fixed(const Result<Bytes>& raw) {
    if (!raw || raw->size() != N) return std::nullopt;
    std::array<std::byte, N> out{};
    std::copy(raw->begin(), raw->end(), out.begin());
    return out;
}

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

json to_json(const Department& department) {
    json keys = json::array();
    for (const DepartmentKey& key : department.keys) {
        keys.push_back({{"kid", to_hex(key.kid)},
                        {"type", static_cast<unsigned>(key.key.type)},
                        {"pk", to_base64url(key.key.bytes)},
                        {"from", key.from},
                        {"until", key.until}});
    }
    json signing = json::array();
    for (const DepartmentSigningKey& key : department.signing_keys) {
        signing.push_back({{"kid", to_hex(key.kid)},
                           {"pk", to_base64url(key.key)},
                           {"from", key.from},
                           {"until", key.until}});
    }
    return {{"id", department.id},
            {"name", department.name},
            {"group", department.group},
            {"hint", department.hint},
            {"keys", keys},
            {"sign", signing}};
}

Result<DepartmentKey> key_from(const json& value) {
    DepartmentKey key;
    key.key.type = static_cast<StanzaType>(value.at("type").get<std::uint16_t>());
    auto raw = from_base64url(value.at("pk").get<std::string>());
    if (!raw) return tl::unexpected(raw.error());
    key.key.bytes = std::move(*raw);
    key.kid = key_id(key.key);
    key.from = value.at("from").get<std::int64_t>();
    key.until = value.at("until").get<std::int64_t>();
    if (to_hex(key.kid) != value.at("kid").get<std::string>()) {
        return fail(Errc::malformed, "key id");
    }
    return key;
}

Result<DepartmentSigningKey> signing_key_from(const json& value) {
    DepartmentSigningKey key;
    const auto kid = fixed<8>(from_hex(value.at("kid").get<std::string>()));
    const auto raw = fixed<32>(from_base64url(value.at("pk").get<std::string>()));
    if (!kid || !raw) return fail(Errc::malformed, "signing key");
    key.kid = *kid;
    key.key = *raw;
    key.from = value.at("from").get<std::int64_t>();
    key.until = value.at("until").get<std::int64_t>();
    return key;
}

Result<Department> department_from(const json& value) {
    Department department;
    department.id = value.at("id").get<std::string>();
    department.name = value.value("name", department.id);
    department.group = value.value("group", std::string{});
    department.hint = value.value("hint", std::string{});
    if (department.id.empty() || department.id.size() > 64) {
        return fail(Errc::malformed, "department id");
    }
    for (const json& one : value.at("keys")) {
        auto key = key_from(one);
        if (!key) return tl::unexpected(key.error());
        department.keys.push_back(std::move(*key));
    }
    for (const json& one : value.value("sign", json::array())) {
        const auto key = signing_key_from(one);
        if (!key) return tl::unexpected(key.error());
        department.signing_keys.push_back(*key);
    }
    return department;
}

Result<Directory> directory_from(const json& value) {
    if (value.at("v") != 1) return fail(Errc::unsupported, "directory version");
    Directory directory;
    directory.authority = value.at("authority").get<std::string>();
    directory.serial = value.at("serial").get<std::uint64_t>();
    directory.issued = value.at("issued").get<std::int64_t>();
    directory.expires = value.at("expires").get<std::int64_t>();
    const auto record_key =
        fixed<32>(from_base64url(value.at("control").at("record_key").get<std::string>()));
    if (!record_key) return fail(Errc::malformed, "record key");
    directory.record_key = *record_key;
    if (value.at("depts").size() > departments_max) return fail(Errc::too_large, "departments");
    for (const json& one : value.at("depts")) {
        auto department = department_from(one);
        if (!department) return tl::unexpected(department.error());
        directory.departments.push_back(std::move(*department));
    }
    for (const json& one : value.value("revoked", json::array())) {
        const auto kid = fixed<8>(from_hex(one.get<std::string>()));
        if (!kid) return fail(Errc::malformed, "revoked");
        directory.revoked.push_back(*kid);
    }
    return directory;
}

} // namespace

const Department* Directory::find(std::string_view department_id) const noexcept {
    const auto found = std::ranges::find(departments, department_id, &Department::id);
    return found == departments.end() ? nullptr : &*found;
}

Result<Directory> parse_directory(std::string_view text) {
    try {
        return directory_from(json::parse(text));
    } catch (const json::exception&) {
        return fail(Errc::malformed, "directory JSON");
    }
}

std::string encode_directory(const Directory& directory) {
    json departments = json::array();
    for (const Department& department : directory.departments) {
        departments.push_back(to_json(department));
    }
    json revoked = json::array();
    for (const KeyId& kid : directory.revoked) revoked.push_back(to_hex(kid));
    return json{{"v", 1},
                {"authority", directory.authority},
                {"serial", directory.serial},
                {"issued", directory.issued},
                {"expires", directory.expires},
                {"control", {{"record_key", to_base64url(directory.record_key)}}},
                {"depts", departments},
                {"revoked", revoked}}
        .dump(1);
}

std::string encode_department(const Department& department) {
    return to_json(department).dump() + "\n";
}

Result<Department> parse_department(std::string_view text) {
    try {
        return department_from(json::parse(text));
    } catch (const json::exception&) {
        return fail(Errc::malformed, "department record");
    }
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
    const DepartmentKey* best = nullptr;
    for (const DepartmentKey& key : department.keys) {
        const bool revoked =
            std::ranges::find(directory.revoked, key.kid) != directory.revoked.end();
        if (revoked || now < key.from || now >= key.until) continue;
        if (best == nullptr ||
            std::pair{key.from, key.until} > std::pair{best->from, best->until}) {
            best = &key;
        }
    }
    if (best == nullptr) return fail(Errc::expired, "department key");
    return *best;
}

} // namespace plankurier
