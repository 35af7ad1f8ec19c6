#pragma once
/// What the routes share: reading headers of ours, writing JSON. Stateless functions; any thread.

#include "relay/domain/ports.hpp"
#include "relay/http/message.hpp"

#include <plankurier/ids.hpp>
#include <plankurier/json.hpp>
#include <plankurier/secret.hpp>

namespace plankurier::relay::http {

[[nodiscard]] inline Response ok(const Json& value, int status = 200) {
    return {status, value.dump()};
}
/// The problem document of a failure.
template <typename T>
[[nodiscard]] Response from(const Result<T>& result) {
    return problem(result.error().code);
}

/// Empty when it is absent. `name` in lower case.
[[nodiscard]] inline std::string header(const Request& request, const std::string& name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string{} : found->second;
}
/// A 32-byte secret from a header. `missing` is the answer when it is absent or malformed.
template <typename SecretType>
[[nodiscard]] Result<SecretType> secret(const Request& request, const std::string& name,
                                        Errc missing) {
    auto raw = from_base64url(header(request, name));
    if (!raw || raw->size() != SecretType::size) return fail(missing, "header");
    SecretType out{ByteView{*raw}};
    wipe(*raw);
    return out;
}
/// The object that a call's body is. No body at all is the same as {}: for calls whose members may
/// all be left out. Throws Json::exception for all else.
[[nodiscard]] inline Json body_or_nothing(const Request& request) {
    if (request.body.empty()) return Json::object();
    Json body = parse_json(request.body);
    if (!body.is_object()) throw Json::type_error::create(302, "an object is wanted", nullptr);
    return body;
}
/// A list, which a loop over any other JSON value would make of it. Throws Json::exception.
[[nodiscard]] inline const Json& list(const Json& value) {
    if (!value.is_array()) throw Json::type_error::create(302, "a list is wanted", nullptr);
    return value;
}
/// 32 bytes as base64url. Fails with `malformed`.
[[nodiscard]] Result<Hash256> hash(const Json& value);
/// The wire name of a state (docs/protocol.md, section 2).
[[nodiscard]] std::string_view state_name(TransferState state);
/// The transfer that a call is about. Fails with `malformed`.
[[nodiscard]] inline Result<TransferId> transfer(const Request& request) {
    return TransferId::from_hex(header(request, "plankurier-transfer"));
}

} // namespace plankurier::relay::http
