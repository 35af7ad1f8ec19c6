#pragma once
/// What the kinds of vectors share: reading `in`, writing an outcome. Stateless; any thread.

#include "vectors/kinds.hpp"

#include <plankurier/envelope.hpp>

#include <map>
#include <stdexcept>

namespace plankurier::vectors {

using Kinds = std::map<std::string, Outcome (*)(const Json&)>;

inline Bytes hex(const Json& in, const char* member) {
    return from_hex(in.at(member).get<std::string>()).value();
}
template <std::size_t N>
std::array<std::byte, N> fixed(const Json& in, const char* member) {
    const Bytes raw = hex(in, member);
    std::array<std::byte, N> out{};
    if (raw.size() != N) throw std::runtime_error(std::string{"length of "} + member);
    std::copy(raw.begin(), raw.end(), out.begin());
    return out;
}
template <typename SecretType>
SecretType secret(const Json& in, const char* member) {
    return SecretType{ByteView{hex(in, member)}};
}
inline StanzaType key_type(const Json& in) {
    return in.at("type") == "p256" ? StanzaType::hpke_p256 : StanzaType::hpke_x25519;
}
inline std::string type_name(StanzaType type) {
    return type == StanzaType::hpke_p256 ? "p256" : "x25519";
}
template <typename T>
Outcome failed(const Result<T>& result) {
    return {std::string{name(result.error().code)}, Json::object()};
}
inline Outcome ok(Json out) { return {"ok", std::move(out)}; }

/// The members of a manifest that vectors state.
[[nodiscard]] Json shown(const Manifest& manifest);
/// Opens `bytes` with the `seed` and `type`, `password`, `link` or `key` of `in`.
[[nodiscard]] Result<OpenedEnvelope> open_as_told(const Json& in);

/// The kinds around answers of an authority.
[[nodiscard]] const Kinds& answer_kinds();
/// Links and codes as people paste and type them.
[[nodiscard]] const Kinds& pasted_kinds();

} // namespace plankurier::vectors
