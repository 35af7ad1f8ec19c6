#include "engine/crypto.hpp"

#include <plankurier/history.hpp>

#include <algorithm>

namespace plankurier {

namespace {

constexpr std::string_view magic = "PKH1";
constexpr std::size_t entry_bytes = 32 + 1 + 8 + 8;
constexpr std::size_t places_kept = 2;

Hash256 start_of(const TransferId& transfer) {
    return sha256(Writer{}.text("plankurier/1 history").u8(0).bytes(transfer.bytes).view());
}

Bytes encode(const HistoryEntry& entry) {
    Writer out;
    out.bytes(entry.previous).u8(static_cast<std::uint8_t>(entry.event));
    return out.u64(static_cast<std::uint64_t>(entry.time)).u64(entry.detail).take();
}

HistoryEntry read_entry(Reader& in) {
    HistoryEntry entry;
    entry.previous = in.array<32>();
    entry.event = static_cast<HistoryEvent>(in.u8());
    entry.time = static_cast<std::int64_t>(in.u64());
    entry.detail = in.u64();
    return entry;
}

Writer front(const History& history) {
    Writer out;
    out.text(magic).bytes(history.transfer.bytes);
    return std::move(out.u32(static_cast<std::uint32_t>(history.entries.size())));
}

/// What the signature covers; the head stands for all entries.
Bytes statement(const History& history) {
    return front(history).bytes(sha256(encode(history.entries.back()))).take();
}

Bytes signed_bytes(const History& history, const SigningSeed& key) {
    Writer out = front(history);
    for (const HistoryEntry& entry : history.entries) out.bytes(encode(entry));
    return out.bytes(sign(key, statement(history))).take();
}

bool is_end(HistoryEvent event) noexcept {
    return event == HistoryEvent::expired || event == HistoryEvent::revoked ||
           event == HistoryEvent::purged;
}

/// Known events, `accepted` first and only there, `purged` last, times that do not fall.
bool well_ordered(const std::vector<HistoryEntry>& entries) noexcept {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const HistoryEntry& entry = entries[i];
        const auto event = static_cast<std::uint8_t>(entry.event);
        if (event < 1 || event > 7) return false;
        if ((entry.event == HistoryEvent::accepted) != (i == 0)) return false;
        if (entry.event == HistoryEvent::purged && i + 1 != entries.size()) return false;
        if (i != 0 && entry.time < entries[i - 1].time) return false;
    }
    return true;
}

bool chained(const History& history) {
    Hash256 expected = start_of(history.transfer);
    for (const HistoryEntry& entry : history.entries) {
        if (entry.previous != expected) return false;
        expected = sha256(encode(entry));
    }
    return true;
}

} // namespace

Bytes begin_history(const TransferId& transfer, std::int64_t time, const SigningSeed& control_key) {
    return signed_bytes({transfer, {{start_of(transfer), HistoryEvent::accepted, time, 0}}},
                        control_key);
}

Result<Bytes> append_history(ByteView history, HistoryEvent event, std::int64_t time,
                             std::uint64_t detail, const SigningSeed& control_key) {
    auto checked = check_history(history, signing_public_key(control_key));
    if (!checked) return tl::unexpected(checked.error());
    auto& entries = checked->entries;
    if (event == HistoryEvent::accepted || entries.back().event == HistoryEvent::purged) {
        return fail(Errc::conflict, "history");
    }
    const std::size_t places = history_entries_max - (is_end(event) ? 0 : places_kept);
    if (entries.size() >= places) return fail(Errc::too_large, "history");
    const HistoryEntry& last = entries.back();
    entries.push_back({sha256(encode(last)), event, std::max(time, last.time), detail});
    return signed_bytes(*checked, control_key);
}

Result<History> check_history(ByteView bytes, const SigningPublicKey& control_key) {
    Reader in{bytes};
    if (as_text(in.bytes(4)) != magic) return fail(Errc::malformed, "history");
    History history;
    history.transfer.bytes = in.array<16>();
    const std::size_t count = in.u32();
    if (!in.ok() || count == 0 || count > history_entries_max ||
        in.left() != count * entry_bytes + sizeof(Signature)) {
        return fail(Errc::malformed, "history length");
    }
    for (std::size_t i = 0; i < count; ++i) history.entries.push_back(read_entry(in));
    const Signature signature = in.array<64>();
    if (!verify(control_key, statement(history), signature)) {
        return fail(Errc::bad_signature, "history");
    }
    if (!chained(history)) return fail(Errc::tampered, "history");
    if (!well_ordered(history.entries)) return fail(Errc::malformed, "history order");
    return history;
}

} // namespace plankurier
