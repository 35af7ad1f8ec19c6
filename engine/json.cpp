#include <plankurier/json.hpp>

#include <set>
#include <string>
#include <vector>

namespace plankurier {

Json parse_json(std::string_view text) {
    std::vector<std::set<std::string>> members; // of the objects that are open
    const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
        switch (event) {
        case Json::parse_event_t::object_start: members.emplace_back(); [[fallthrough]];
        case Json::parse_event_t::array_start:
            if (depth >= json_depth_max) {
                throw Json::type_error::create(302, "nested too deeply", nullptr);
            }
            break;
        case Json::parse_event_t::key:
            if (!members.back().insert(value.get<std::string>()).second) {
                throw Json::type_error::create(302, "a member stands twice", nullptr);
            }
            break;
        case Json::parse_event_t::object_end: members.pop_back(); break;
        default: break;
        }
        return true;
    };
    return Json::parse(text, check);
}

Json try_parse_json(std::string_view text) noexcept {
    try {
        return parse_json(text);
    } catch (const Json::exception&) {
        return Json(Json::value_t::discarded);
    }
}

} // namespace plankurier
