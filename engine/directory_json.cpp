// Directories and the records that they are made of, as JSON (format 3.9).
#include "engine/hpke.hpp"

#include <plankurier/directory.hpp>
#include <plankurier/json.hpp>
#include <plankurier/receiving.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace plankurier {

namespace {

constexpr std::size_t departments_max = 1'000, clerks_max = 10'000;
constexpr std::string_view clerk_id_start = "clerk-";
constexpr std::size_t clerk_id_digits = 16;

template <std::size_t N>
std::optional<std::array<std::byte, N>> fixed(const Result<Bytes>& raw) {
    if (!raw || raw->size() != N) return std::nullopt;
    std::array<std::byte, N> out{};
    std::copy(raw->begin(), raw->end(), out.begin());
    return out;
}

Json to_json(const std::vector<DepartmentKey>& keys) {
    Json out = Json::array();
    for (const DepartmentKey& key : keys) {
        out.push_back({{"kid", to_hex(key.kid)},
                       {"type", static_cast<unsigned>(key.key.type)},
                       {"pk", to_base64url(key.key.bytes)},
                       {"from", key.from},
                       {"until", key.until}});
    }
    return out;
}

Json to_json(const Department& department) {
    Json signing = Json::array();
    for (const DepartmentSigningKey& key : department.signing_keys) {
        signing.push_back({{"kid", to_hex(key.kid)},
                           {"pk", to_base64url(key.key)},
                           {"from", key.from},
                           {"until", key.until}});
    }
    Json out = {
        {"id", department.id},     {"name", department.name},          {"group", department.group},
        {"hint", department.hint}, {"keys", to_json(department.keys)}, {"sign", signing}};
    if (!department.address.empty()) out["address"] = department.address;
    return out;
}

Json to_json(const std::vector<Department>& list) {
    Json out = Json::array();
    for (const Department& one : list) out.push_back(to_json(one));
    return out;
}

Json to_json(const Escrow& escrow) {
    return {{"name", escrow.name}, {"hint", escrow.hint}, {"keys", to_json(escrow.keys)}};
}

Result<DepartmentKey> key_from(const Json& value) {
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
    // A later kind of key may stand beside those that this program knows.
    const bool is_known = public_key_bytes(key.key.type) != 0;
    if (is_known && !hpke::is_point(key.key.type, key.key.bytes)) {
        return fail(Errc::malformed, "public key");
    }
    return key;
}

Result<std::vector<DepartmentKey>> keys_from(const Json& list) {
    std::vector<DepartmentKey> out;
    for (const Json& one : list) {
        auto key = key_from(one);
        if (!key) return tl::unexpected(key.error());
        out.push_back(std::move(*key));
    }
    return out;
}

Result<DepartmentSigningKey> signing_key_from(const Json& value) {
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

/// Enough that an address is told from anything else; what the authority's are is its policy.
bool is_address(std::string_view text) noexcept {
    const std::size_t at = text.find('@');
    return at != text.npos && at > 0 && at + 1 < text.size() && text.size() <= 254 &&
           text.find('@', at + 1) == text.npos &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<Department> department_from(const Json& value) {
    Department department;
    department.id = value.at("id").get<std::string>();
    department.name = value.value("name", department.id);
    department.group = value.value("group", std::string{});
    department.hint = value.value("hint", std::string{});
    if (department.id.empty() || department.id.size() > 64) {
        return fail(Errc::malformed, "department id");
    }
    department.address = value.value("address", std::string{});
    const bool is_clerk = is_clerk_id(department.id);
    if (is_clerk != !department.address.empty() || (is_clerk && !is_address(department.address))) {
        return fail(Errc::malformed, "clerk");
    }
    auto keys = keys_from(value.at("keys"));
    if (!keys) return tl::unexpected(keys.error());
    department.keys = std::move(*keys);
    for (const Json& one : value.value("sign", Json::array())) {
        const auto key = signing_key_from(one);
        if (!key) return tl::unexpected(key.error());
        department.signing_keys.push_back(*key);
    }
    return department;
}

Result<Escrow> escrow_from(const Json& value) {
    auto keys = keys_from(value.at("keys"));
    if (!keys) return tl::unexpected(keys.error());
    Escrow escrow{value.at("name").get<std::string>(), value.value("hint", std::string{}),
                  std::move(*keys)};
    if (escrow.name.empty()) return fail(Errc::malformed, "escrow");
    return escrow;
}

/// Departments, or clerks. Ids and addresses that are there twice are refused, since it would be
/// left open whose key is meant.
Result<std::vector<Department>> list_from(const Json& list, bool of_clerks) {
    if (list.size() > (of_clerks ? clerks_max : departments_max)) {
        return fail(Errc::too_large, of_clerks ? "clerks" : "departments");
    }
    std::vector<Department> out;
    std::set<std::string> seen;
    for (const Json& one : list) {
        auto department = department_from(one);
        if (!department) return tl::unexpected(department.error());
        std::string address = department->address;
        std::ranges::transform(address, address.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        const bool is_new = seen.insert(department->id).second;
        const bool is_clerk = !address.empty(); // no id has an "@"
        if (is_clerk != of_clerks || !is_new || (is_clerk && !seen.insert(address).second)) {
            return fail(Errc::malformed, of_clerks ? "clerks" : "departments");
        }
        out.push_back(std::move(*department));
    }
    return out;
}

Result<Directory> directory_from(const Json& value) {
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
    auto departments = list_from(value.at("depts"), false);
    if (!departments) return tl::unexpected(departments.error());
    directory.departments = std::move(*departments);
    auto clerks = list_from(value.value("clerks", Json::array()), true);
    if (!clerks) return tl::unexpected(clerks.error());
    directory.clerks = std::move(*clerks);
    if (const auto escrow = value.find("escrow"); escrow != value.end()) {
        auto known = escrow_from(*escrow);
        if (!known) return tl::unexpected(known.error());
        directory.escrow = std::move(*known);
    }
    for (const Json& one : value.value("revoked", Json::array())) {
        const auto kid = fixed<8>(from_hex(one.get<std::string>()));
        if (!kid) return fail(Errc::malformed, "revoked");
        directory.revoked.push_back(*kid);
    }
    return directory;
}

/// What `parse` gives; what is missing in a text, or of another type, makes it malformed.
template <typename Parse>
auto read_json(const char* what, Parse parse) -> decltype(parse()) {
    try {
        return parse();
    } catch (const Json::exception&) {
        return fail(Errc::malformed, what);
    }
}

} // namespace

std::string random_clerk_id() {
    std::array<std::byte, clerk_id_digits / 2> random{};
    fill_random(random);
    return std::string{clerk_id_start} + to_hex(random);
}

bool is_clerk_id(std::string_view id) noexcept {
    return id.size() == clerk_id_start.size() + clerk_id_digits && id.starts_with(clerk_id_start) &&
           id.substr(clerk_id_start.size()).find_first_not_of("0123456789abcdef") == id.npos;
}

Result<Directory> parse_directory(std::string_view text) {
    return read_json("directory", [&] { return directory_from(parse_json(text)); });
}

std::string encode_directory(const Directory& directory) {
    Json revoked = Json::array();
    for (const KeyId& kid : directory.revoked) revoked.push_back(to_hex(kid));
    Json out = {{"v", 1},
                {"authority", directory.authority},
                {"serial", directory.serial},
                {"issued", directory.issued},
                {"expires", directory.expires},
                {"control", {{"record_key", to_base64url(directory.record_key)}}},
                {"depts", to_json(directory.departments)},
                {"revoked", revoked}};
    if (!directory.clerks.empty()) out["clerks"] = to_json(directory.clerks);
    if (directory.escrow) out["escrow"] = to_json(*directory.escrow);
    if (!directory.page_hashes.empty()) {
        Json hashes = Json::array();
        for (const Hash256& hash : directory.page_hashes) hashes.push_back(to_hex(hash));
        out["web"] = {{"sha256", hashes}};
    }
    return out.dump(1);
}

std::string encode_department(const Department& department) {
    return to_json(department).dump() + "\n";
}

Result<Department> parse_department(std::string_view text) {
    return read_json("department record", [&] { return department_from(parse_json(text)); });
}

std::string encode_escrow(const Escrow& escrow) {
    return Json{{"escrow", to_json(escrow)}}.dump() + "\n";
}

Result<Escrow> parse_escrow(std::string_view text) {
    return read_json("escrow record", [&] { return escrow_from(parse_json(text).at("escrow")); });
}

} // namespace plankurier
