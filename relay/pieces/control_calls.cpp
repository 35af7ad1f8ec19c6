#include "relay/pieces/control_calls.hpp"

#include <plankurier/json.hpp>
#include <plankurier/keys.hpp>

namespace plankurier::relay::pieces {

namespace {
/// Tombstones of a long absence may be many: a hundred thousand of them are 3.5 MB.
constexpr std::size_t answer_bytes_max = std::size_t{8} << 20;
} // namespace

ControlCalls::ControlCalls(ControlPlace place, RelayId relay, SigningSeed seed)
    : place_(std::move(place)), relay_(relay), seed_(std::move(seed)), client_(place_.ca_file) {}

Result<std::string> ControlCalls::post(const std::string& path, const std::string& topic,
                                       const std::string& request) {
    std::string statement = "plankurier/1 " + topic;
    statement += '\0';
    statement += request;
    HttpCall call;
    if (place_.url.empty()) {
        call.unix_socket = place_.socket;
        call.url = "http://localhost" + path;
    } else {
        call.url = place_.url + path;
    }
    call.answer_bytes_max = answer_bytes_max;
    call.body = Json{{"relay", relay_.hex()},
                     {"request", request},
                     {"signature", to_base64url(sign(seed_, as_bytes(statement)))}}
                    .dump();
    const std::scoped_lock lock{mutex_};
    auto answer = client_.call(call);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status != 200) {
        return fail(Errc::unavailable, "status " + std::to_string(answer->status));
    }
    return std::move(answer->body);
}

} // namespace plankurier::relay::pieces
