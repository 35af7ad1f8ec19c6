#pragma once
/// What happened to a transfer, as the control plane states it: a chain of events, each holding the
/// hash of the one before, signed at its head. It names no person: event, time and one number.
/// Stateless functions; any thread. Times are Unix seconds.

#include <plankurier/keys.hpp>

#include <vector>

namespace plankurier {

/// Wire values; an entry is never renumbered.
enum class HistoryEvent : std::uint8_t {
    accepted = 1,  ///< the control plane took the transfer; always the first, and only the first
    stored = 2,    ///< `detail` relays hold every piece, verified and durable
    available = 3, ///< the recipient can fetch
    fetched = 4,   ///< the recipient has verified the last piece; `detail` 1 when that is signed
    expired = 5,   ///< the promised day has come
    purged = 6,    ///< keys, rows and pieces are gone; nothing follows
    revoked = 7    ///< withdrawn by the sender
};

struct HistoryEntry {
    Hash256 previous{}; ///< SHA-256 of the encoded entry before; of the start for the first
    HistoryEvent event{HistoryEvent::accepted};
    std::int64_t time{};    ///< never before that of the entry before
    std::uint64_t detail{}; ///< 0 where the event has none
    friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

struct History {
    TransferId transfer;
    std::vector<HistoryEntry> entries; ///< at least one
    friend bool operator==(const History&, const History&) = default;
};

/// Entries of one history. The last two places are kept for its end (expired or revoked, purged),
/// so that no number of other events can keep a purge from being stated.
inline constexpr std::size_t history_entries_max = 256;

/// A history with the one event `accepted`: "PKH1" | tid | u32 n | n x entry (previous 32 |
/// event u8 | time u64 | detail u64) | signature 64. The signature is Ed25519 over "PKH1" | tid |
/// u32 n | head, head being SHA-256 of the last entry. The first entry's `previous` is
/// SHA-256("plankurier/1 history" 00 tid).
[[nodiscard]] Bytes begin_history(const TransferId& transfer, std::int64_t time,
                                  const SigningSeed& control_key);
/// The same history with one event more, signed anew. Checks what is there first, so a chain that
/// was changed at rest is never signed. A clock that was set back does not turn the order round:
/// `time` counts as at least the last entry's. Fails with `conflict` (after `purged`, or a second
/// `accepted`), `too_large`, and as check_history.
[[nodiscard]] Result<Bytes> append_history(ByteView history, HistoryEvent event, std::int64_t time,
                                           std::uint64_t detail, const SigningSeed& control_key);
/// Fails with `malformed` (form, order, an unknown event), `tampered` (an entry does not follow
/// from the one before), `bad_signature`. An earlier state of the same history holds too: what it
/// states did happen, but it does not prove that nothing followed.
[[nodiscard]] Result<History> check_history(ByteView bytes, const SigningPublicKey& control_key);

} // namespace plankurier
