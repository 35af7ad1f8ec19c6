// What waits for a department or for a citizen's return key, by session instead of by link.
#include "relay/domain/relay.hpp"

#include <algorithm>
#include <stdexcept>

namespace plankurier::relay {

/// Keyed, so that an id in a receipt cannot be looked for in a stolen database.
std::string Relay::inbox_hash(const InboxId& inbox) const {
    return keyed_hash(pepper_, "inbox", inbox.hex());
}

Result<std::vector<InboxEntry>> Relay::inbox(const SessionToken& session) {
    constexpr std::size_t entries_max = 500;
    const KeyHolder* const holder = key_holder(session);
    if (holder == nullptr) return fail(Errc::not_verified, "session");
    const std::string hash = holder->department.empty() ? inbox_hash(holder->inbox) : std::string{};
    std::vector<InboxEntry> out;
    for (const TransferRow& row : ports_.store.readable_transfers(
             holder->department, hash, ports_.clock.latest(), entries_max)) {
        out.push_back({row.transfer, row.state, row.created, row.ends, row.body_len});
    }
    return out;
}

/// One of those that `inbox` lists.
Result<TransferRow> Relay::listed(const SessionToken& session, const TransferId& transfer) {
    const KeyHolder* const holder = key_holder(session);
    if (holder == nullptr) return fail(Errc::not_verified, "session");
    auto row = ports_.store.transfer(transfer);
    const auto goes_to = [&](const TransferRow& one) {
        return one.department == holder->department ||
               std::ranges::find(one.also, holder->department) != one.also.end();
    };
    const bool is_theirs =
        row &&
        (holder->department.empty() ? row->inbox_hash == inbox_hash(holder->inbox) : goes_to(*row));
    if (!is_theirs || !is_readable(row->state) || ports_.clock.latest() >= row->ends) {
        return fail(Errc::not_found, "transfer");
    }
    return *row;
}

Result<Bytes> Relay::envelope_of(const Result<TransferRow>& row) {
    if (!row) return tl::unexpected(row.error());
    const auto sealed = ports_.envelopes.get(row->transfer);
    if (!sealed) throw std::runtime_error("an envelope is missing");
    return ports_.vault.open(row->slot, "envelope", *sealed);
}

Result<Bytes> Relay::record_of(const Result<TransferRow>& row) {
    if (!row) return tl::unexpected(row.error());
    VerifiedRecord record;
    record.transfer = row->transfer;
    const auto hash = from_hex(row->envelope_hash);
    if (!hash) return tl::unexpected(hash.error());
    std::copy(hash->begin(), hash->end(), record.envelope_sha256.begin());
    record.email = opened_text(row->slot, "sender", row->sealed_sender);
    record.time = row->verified;
    return sign_verified(record, control_key_);
}

Result<Bytes> Relay::envelope(const LinkId& link) { return envelope_of(linked(link)); }
Result<Bytes> Relay::verified_record(const LinkId& link) { return record_of(linked(link)); }
Result<Bytes> Relay::envelope(const SessionToken& session, const TransferId& transfer) {
    return envelope_of(listed(session, transfer));
}
Result<Bytes> Relay::verified_record(const SessionToken& session, const TransferId& transfer) {
    return record_of(listed(session, transfer));
}

} // namespace plankurier::relay
