#pragma once
/// Authenticated encryption of small values at rest: nonce 12 | AES-256-GCM ciphertext | tag 16,
/// `purpose` as additional data. Random nonces: a key seals far fewer than 2^32 values.
/// Stateless; any thread.

#include <plankurier/bytes.hpp>

namespace plankurier::relay::adapters {

[[nodiscard]] Bytes box_seal(ByteView key, std::string_view purpose, ByteView plain);
/// Fails with `tampered`.
[[nodiscard]] Result<Bytes> box_open(ByteView key, std::string_view purpose, ByteView sealed);

} // namespace plankurier::relay::adapters
