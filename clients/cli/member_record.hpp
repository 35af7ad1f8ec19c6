#pragma once
/// The public record of a member of a department: what a colleague needs to share the department's
/// key. Values; any thread.

#include <plankurier/keys.hpp>

namespace plankurier::cli {

/// A JSON text.
[[nodiscard]] std::string encode_member(const RecipientPublicKey& key);
/// Fails with `malformed`, `unsupported` (a type that is no kind of public key).
[[nodiscard]] Result<RecipientPublicKey> decode_member(std::string_view json);

/// A key id in groups, for people who compare it by phone.
[[nodiscard]] std::string spoken_id(const KeyId& id);

} // namespace plankurier::cli
