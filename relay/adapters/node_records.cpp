#include "relay/adapters/node_records.hpp"

#include "relay/adapters/files.hpp"

#include <plankurier/json.hpp>

#include <algorithm>

namespace plankurier::relay::adapters {

namespace {

bool is_url(std::string_view url) {
    constexpr std::string_view start = "https://";
    constexpr std::string_view signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789.-_~:/[]";
    return url.size() > start.size() && url.size() <= 255 && url.starts_with(start) &&
           url.find_first_not_of(signs) == url.npos && url.back() != '/';
}

} // namespace

std::string encode_node(const KnownRelay& relay) {
    return Json{{"v", 1},
                {"id", relay.id.hex()},
                {"key", to_base64url(relay.key)},
                {"url", relay.url}}
               .dump(2) +
           "\n";
}

Result<KnownRelay> parse_node(std::string_view text) {
    const Json record = try_parse_json(text);
    if (!record.is_object()) return fail(Errc::malformed, "node record");
    for (const char* member : {"id", "key", "url"}) {
        if (!record.contains(member) || !record[member].is_string()) {
            return fail(Errc::malformed, std::string{"node record without "} + member);
        }
    }
    if (record.value("v", Json{}) != 1) return fail(Errc::unsupported, "node record version");
    const auto id = RelayId::from_hex(record["id"].get<std::string>());
    const auto key = from_base64url(record["key"].get<std::string>());
    KnownRelay relay;
    if (!id || !key || key->size() != relay.key.size()) {
        return fail(Errc::malformed, "id or key of a node record");
    }
    relay.id = *id;
    std::ranges::copy(*key, relay.key.begin());
    relay.url = record["url"].get<std::string>();
    if (!is_url(relay.url)) return fail(Errc::invalid_argument, "url of a node record");
    return relay;
}

Nodes read_nodes(const std::filesystem::path& folder) {
    Nodes out;
    if (!std::filesystem::exists(folder)) return out;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.path().extension() != ".json") continue;
        const auto bytes = read_file(entry.path());
        auto relay = parse_node(bytes ? as_text(*bytes) : std::string_view{});
        if (relay && entry.path().stem() == relay->id.hex()) {
            out.relays.push_back(std::move(*relay));
        } else {
            out.damaged.push_back(entry.path());
        }
    }
    std::ranges::sort(out.relays, {}, &KnownRelay::id);
    return out;
}

} // namespace plankurier::relay::adapters
