#include "relay/pieces/relay_calls.hpp"

#include <plankurier/json.hpp>

namespace plankurier::relay::pieces {

namespace {

/// Nothing but a word: whoever is told next waits for it.
constexpr int tell_seconds = 2;
/// A map of ten thousand volumes.
constexpr std::size_t answer_bytes_max = std::size_t{1} << 20;

std::string path_of(const VolumeName& volume) {
    return "/v1/" + volume.transfer.hex() + "/" + std::to_string(volume.volume);
}

Errc code_of(const HttpAnswer& answer) {
    const Json problem = try_parse_json(answer.body);
    const auto code = problem.is_object() ? problem.find("code") : problem.end();
    if (code == problem.end() || !code->is_string()) return Errc::unavailable;
    return errc_from_name(code->get_ref<const std::string&>());
}

} // namespace

Result<HttpAnswer> RelayCalls::call(const OtherRelay& relay, const std::string& ticket,
                                    const std::string& method, const std::string& path,
                                    std::string body, int seconds_max) {
    HttpCall call;
    call.method = method;
    call.url = relay.url + path;
    call.authorization = "Plankurier " + ticket;
    call.body = std::move(body);
    call.seconds_max = seconds_max;
    call.answer_bytes_max = answer_bytes_max;
    auto answer = client_.call(call);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status / 100 != 2) return fail(code_of(*answer), "another relay");
    return answer;
}

Result<RelayCalls::Place> RelayCalls::swarm(const OtherRelay& relay, const std::string& ticket,
                                            const VolumeName& volume, bool plain) {
    const Json wish = plain ? Json{{"plain", true}} : Json::object();
    auto answer = call(relay, ticket, "POST", path_of(volume) + "/swarm", wish.dump());
    if (!answer) return tl::unexpected(answer.error());
    const Json told = try_parse_json(answer->body);
    if (!told.is_object() || !told.contains("port") || !told["port"].is_number_unsigned()) {
        return fail(Errc::malformed, "swarm");
    }
    const auto port = told["port"].get<std::uint64_t>();
    if (port == 0 || port > 65'535) return fail(Errc::malformed, "swarm");
    return Place{std::move(answer->address), static_cast<std::uint16_t>(port)};
}

Result<Bytes> RelayCalls::descriptor(const OtherRelay& relay, const std::string& ticket,
                                     const VolumeName& volume) {
    const auto answer = call(relay, ticket, "GET", path_of(volume), {});
    if (!answer) return tl::unexpected(answer.error());
    const ByteView bytes = as_bytes(answer->body);
    return Bytes{bytes.begin(), bytes.end()};
}

Result<std::vector<RelayCalls::Described>> RelayCalls::described(const OtherRelay& relay,
                                                                 const std::string& ticket,
                                                                 const TransferId& transfer) {
    const auto answer = call(relay, ticket, "GET", "/v1/" + transfer.hex(), {});
    if (!answer) return tl::unexpected(answer.error());
    std::vector<Described> out;
    try {
        const Json map = parse_json(answer->body);
        for (const Json& one : map.at("volumes")) {
            const bool is_whole = one.at("descriptor").get<bool>();
            if (!is_whole && !one.value("damaged", false)) continue;
            out.push_back({one.at("n").get<std::uint32_t>(), is_whole});
        }
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "map");
    }
    return out;
}

Result<void> RelayCalls::check(const OtherRelay& relay, const std::string& ticket,
                               const VolumeName& volume) {
    const auto answer = call(relay, ticket, "POST", path_of(volume) + "/check", "{}");
    if (!answer) return tl::unexpected(answer.error());
    return {};
}

Result<void> RelayCalls::copy(const OtherRelay& relay, const std::string& ticket,
                              const VolumeName& volume, const RelayId& from, ByteView descriptor) {
    const Json note{{"from", from.hex()}, {"descriptor", to_base64url(descriptor)}};
    const auto answer =
        call(relay, ticket, "POST", path_of(volume) + "/copy", note.dump(), tell_seconds);
    if (!answer) return tl::unexpected(answer.error());
    return {};
}

} // namespace plankurier::relay::pieces
