#pragma once
/// Hashes that nobody can try out without the relay's pepper. Stateless; any thread.

#include <plankurier/secret.hpp>

#include <string>

namespace plankurier::relay {

/// Random, made by `init`, known to the control plane only.
using Pepper = Secret<32, struct PepperTag>;

/// SHA-256 over pepper, purpose, a zero byte and text, as hex. The purpose holds no zero byte, so
/// no two uses can meet. Outputs in full length are not handed out.
[[nodiscard]] std::string keyed_hash(const Pepper& pepper, std::string_view purpose,
                                     std::string_view text);
/// The address as addresses are compared: ASCII letters small.
[[nodiscard]] std::string comparable_address(std::string_view address);
/// What the block list says instead of an address: 32 hexadecimal digits.
[[nodiscard]] std::string never_hash(const Pepper& pepper, std::string_view address);

} // namespace plankurier::relay
