#pragma once
/// Offsets and small steps that the writer and the reader of an envelope share. Internal.

#include "engine/floe.hpp"

namespace plankurier::envelope_format {

inline constexpr std::size_t header_bytes = 184;
inline constexpr std::uint8_t flag_all_hybrid = 0x02;
inline constexpr std::uint8_t flag_is_reply = 0x04;
inline constexpr std::uint32_t manifest_segment_bytes = 65'536;
inline constexpr std::size_t stanza_head_bytes = 2 + 2 + 8;
inline constexpr std::size_t password_body_bytes = 16 + 4 + 4 + 32 + 48;
inline constexpr std::size_t link_body_bytes = 32 + 48;
/// Each wrapping key seals one transfer key and nothing else.
inline constexpr std::array<std::byte, 12> wrap_nonce{};

[[nodiscard]] Bytes manifest_aad(const TransferId& transfer);
/// The `info` of an HPKE stanza.
[[nodiscard]] Bytes stanza_info(StanzaType type, const TransferId& transfer, const KeyId& kid);
/// What a link's secret gives for a transfer.
struct LinkKeys {
    crypto::Key256 wrap;
    std::array<std::byte, 32> commit{};
};
[[nodiscard]] LinkKeys link_keys(const LinkSecret& secret, const TransferId& transfer);
/// HMAC-SHA-384(K("header"), everything before the MAC)[0..32).
[[nodiscard]] std::array<std::byte, 32> header_mac(const TransferKey& key,
                                                   const TransferId& transfer, ByteView before);

} // namespace plankurier::envelope_format
