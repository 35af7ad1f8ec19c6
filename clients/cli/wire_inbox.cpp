#include <clients/cli/wire_inbox.hpp>

#include <plankurier/json.hpp>

namespace plankurier::cli {

std::string encode_department_challenge(std::string_view department, const KeyId& kid) {
    return Json{{"department", department}, {"kid", to_hex(kid)}}.dump();
}

std::string encode_department_answer(std::string_view department, const Hash256& answer) {
    return Json{{"department", department}, {"answer", to_base64url(answer)}}.dump();
}

std::string encode_inbox_challenge(const RecipientPublicKey& key) {
    return Json{{"inbox", inbox_id(key).hex()},
                {"type", static_cast<unsigned>(key.type)},
                {"public_key", to_base64url(key.bytes)}}
        .dump();
}

std::string encode_inbox_answer(const InboxId& inbox, const Hash256& answer) {
    return Json{{"inbox", inbox.hex()}, {"answer", to_base64url(answer)}}.dump();
}

Result<Bytes> parse_challenge(std::string_view json) {
    const auto in = try_parse_json(json);
    const auto found = in.is_object() ? in.find("challenge") : in.end();
    if (found == in.end() || !found->is_string()) return fail(Errc::malformed, "challenge");
    return from_base64url(found->get<std::string>());
}

Result<std::string> parse_session(std::string_view json) {
    const auto in = try_parse_json(json);
    const auto found = in.is_object() ? in.find("session") : in.end();
    if (found == in.end() || !found->is_string()) return fail(Errc::malformed, "session");
    return found->get<std::string>();
}

Result<std::vector<InboxEntry>> parse_inbox(std::string_view json) {
    try {
        const auto in = parse_json(json);
        std::vector<InboxEntry> entries;
        for (const auto& one : in.at("transfers")) {
            auto id = TransferId::from_hex(one.at("tid").get<std::string>());
            if (!id) return tl::unexpected(id.error());
            entries.push_back(
                {*id, one.at("created").get<std::int64_t>(), one.at("expires").get<std::int64_t>(),
                 one.at("body_len").get<std::uint64_t>(), one.at("fetched").get<bool>()});
        }
        return entries;
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "inbox");
    }
}

} // namespace plankurier::cli
