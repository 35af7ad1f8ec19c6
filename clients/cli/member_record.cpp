#include <clients/cli/member_record.hpp>

#include <plankurier/json.hpp>

namespace plankurier::cli {

namespace {
constexpr std::string_view member_format = "plankurier-member-1";
} // namespace

std::string encode_member(const RecipientPublicKey& key) {
    return Json{{"format", member_format},
                {"type", static_cast<unsigned>(key.type)},
                {"pk", to_base64url(key.bytes)}}
               .dump() +
           "\n";
}

Result<RecipientPublicKey> decode_member(std::string_view json) {
    try {
        const auto in = parse_json(json);
        if (in.at("format").get<std::string>() != member_format) {
            return fail(Errc::malformed, "member format");
        }
        const auto type = static_cast<StanzaType>(in.at("type").get<std::uint16_t>());
        if (public_key_bytes(type) == 0) return fail(Errc::unsupported, "member key");
        auto bytes = from_base64url(in.at("pk").get<std::string>());
        if (!bytes || bytes->size() != public_key_bytes(type)) {
            return fail(Errc::malformed, "member key");
        }
        return RecipientPublicKey{type, std::move(*bytes)};
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "member");
    }
}

std::string spoken_id(const KeyId& id) {
    const auto digits = to_hex(id);
    std::string out;
    for (std::size_t at = 0; at < digits.size(); ++at) {
        if (at > 0 && at % 4 == 0) out += ' ';
        out += digits[at];
    }
    return out;
}

} // namespace plankurier::cli
