#pragma once
/// The steps between a manifest and its bytes that an envelope takes one by one, because a
/// signature covers the JSON text as it stands. Internal.

#include <plankurier/manifest.hpp>

namespace plankurier::manifest_format {

/// Fails as `encode_manifest`, but for the length as a whole. The caller wipes the text.
[[nodiscard]] Result<std::string> encode_json(const Manifest& manifest);
/// The length of the plaintext, which does not depend on what a signature says. `too_large`.
[[nodiscard]] Result<std::size_t> framed_bytes(std::size_t json_bytes, bool has_signature);
/// The plaintext. `framed_length` is what `framed_bytes` gave.
[[nodiscard]] Bytes frame(std::string_view json_text, const Signature* signature,
                          std::size_t framed_length);

/// Views into a plaintext.
struct Frame {
    std::string_view json;
    std::optional<Signature> signature;
};
/// Fails with `malformed`, `too_large`.
[[nodiscard]] Result<Frame> unframe(ByteView plain);
/// Fails as `decode_manifest`.
[[nodiscard]] Result<Manifest> decode_json(std::string_view text);

/// What a department signs. `before_mac`: the envelope up to the end of its stanzas.
[[nodiscard]] Bytes statement(ByteView before_mac, std::string_view json_text);

} // namespace plankurier::manifest_format
