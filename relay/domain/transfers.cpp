#include "relay/domain/days.hpp"
#include "relay/domain/relay.hpp"

#include <plankurier/envelope.hpp>

#include <algorithm>
#include <stdexcept>

namespace plankurier::relay {

namespace {

/// Eight digits in two groups: for people on the phone, grants nothing.
std::string new_receipt_number() {
    std::array<std::byte, 4> random{};
    fill_random(random);
    std::uint32_t value = 0;
    for (const std::byte b : random) value = value << 8 | std::to_integer<std::uint32_t>(b);
    std::string digits = std::to_string(100'000'000 + value % 100'000'000).substr(1);
    return digits.substr(0, 4) + "-" + digits.substr(4);
}

/// A link opens what was announced like that, and nothing else does: whoever reads the notice has
/// to know what the transfer opens with.
Result<void> check_stanzas(const EnvelopeView& envelope, bool by_link, bool link_allowed) {
    const auto links = std::ranges::count(
        envelope.stanzas, static_cast<std::uint16_t>(StanzaType::link), &StanzaView::type);
    if (links > 0 && !(by_link && link_allowed)) return fail(Errc::link_not_allowed, "stanza");
    if (by_link && !(links == 1 && envelope.stanzas.size() == 1)) {
        return fail(Errc::conflict, "stanzas");
    }
    return {};
}

} // namespace

Relay::Relay(Ports ports, Policy policy, SigningSeed control_key,
             Secret<32, struct PepperTag> pepper, std::vector<KnownRelay> relays)
    : ports_(ports), policy_(std::move(policy)), control_key_(std::move(control_key)),
      pepper_(std::move(pepper)), relays_(std::move(relays), ports_.clock.monotonic()),
      tally_(ports_.store) {
    forget_strangers();
}

/// A crash between "slot allocated" and "row committed" leaves a key that nobody refers to, one
/// between "delivered" and "committed" a copy of a mail.
void Relay::forget_strangers() {
    constexpr std::int64_t forever = std::int64_t{1} << 60;
    ports_.vault.keep_only(ports_.store.used_slots());
    std::vector<std::string> mails;
    const auto add_mails_of = [&](const std::string& owner) {
        for (OutboxRow& mail : ports_.store.mails_of(owner)) mails.push_back(std::move(mail.id));
    };
    for (const auto& row : ports_.store.verifications_before(forever)) add_mails_of(row.session);
    for (const auto& row : ports_.store.ended_transfers(forever)) {
        add_mails_of(row.transfer.hex());
    }
    ports_.mailer.keep_only(mails);
}

void Relay::set_directory(Directory directory) { directory_ = std::move(directory); }

std::string Relay::opened_text(Slot slot, std::string_view purpose, const Bytes& sealed) {
    if (sealed.empty()) return {};
    const auto opened = ports_.vault.open(slot, purpose, sealed);
    if (!opened) throw std::runtime_error("a sealed column does not open");
    return std::string{as_text(*opened)};
}

Result<void> Relay::check_wishes(const TransferRequest& request) const {
    const bool to_one = request.department.empty() && request.also.empty() && !request.inbox;
    if (request.by_link && !to_one) return fail(Errc::invalid_argument, "by_link");
    if (request.by_link && !policy_.link_allowed) return fail(Errc::link_not_allowed, "policy");
    auto departments = request.also;
    if (request.staff.empty()) departments.push_back(request.department);
    const DepartmentLimits limits = limits_of(policy_, departments);
    const auto layout = BodyLayout::from_body_len(request.body_len);
    if (!layout) return tl::unexpected(layout.error());
    if (layout->sealed_bytes() > limits.transfer_bytes_max) return fail(Errc::too_large, "body");
    if (request.expiry_days < limits.expiry_days_min ||
        request.expiry_days > limits.expiry_days_max) {
        return fail(Errc::invalid_argument, "expiry");
    }
    return check_phone(request.phone);
}

TransferRow Relay::new_row(const Sender& sender, const Addressee& addressee,
                           const TransferRequest& request) {
    TransferRow row;
    row.transfer = request.transfer;
    row.slot = ports_.vault.allocate();
    row.department = addressee.department;
    row.also = request.also;
    row.sender_department = sender.department;
    row.to_citizen = !request.citizen.empty();
    if (request.inbox) row.inbox_hash = inbox_hash(*request.inbox);
    if (sender.department.empty()) row.sender_hash = sender_hash(sender.email);
    row.sealed_sender = ports_.vault.seal(row.slot, "sender", as_bytes(sender.email));
    row.sealed_recipient = ports_.vault.seal(row.slot, "recipient", as_bytes(addressee.email));
    row.by_link = request.by_link;
    if (!request.phone.empty() && !request.staff.empty() && !request.by_link) {
        row.sealed_phone = ports_.vault.seal(row.slot, "phone", as_bytes(request.phone));
    }
    row.body_len = request.body_len;
    row.expiry_days = request.expiry_days;
    row.notify_fetch = request.notify_fetch;
    row.notify_unfetched = request.notify_unfetched;
    row.remind_recipient = request.remind_recipient;
    row.language = request.language == "en" ? "en" : "de";
    row.fetch_hash = to_hex(request.fetch_hash);
    row.manage_hash = to_hex(request.manage_hash);
    row.created = ports_.clock.now();
    row.verified = sender.verified;
    row.ends = row.created + policy_.limits.upload_idle_s;
    note(row, HistoryEvent::accepted);
    return row;
}

Result<TransferCreated> Relay::create_transfer(const SessionToken& session,
                                               const TransferRequest& request) {
    const auto sender = sender_of(session);
    if (!sender) return tl::unexpected(sender.error());
    const auto addressee = addressee_of(*sender, request);
    if (!addressee) return tl::unexpected(addressee.error());
    if (auto ok = check_wishes(request); !ok) return tl::unexpected(ok.error());
    if (ports_.store.is_tombstoned(request.transfer)) return fail(Errc::conflict, "id");
    if (const auto known = ports_.store.transfer(request.transfer)) {
        const bool same = known->manage_hash == to_hex(request.manage_hash) &&
                          known->body_len == request.body_len && is_open(known->state) &&
                          known->by_link == request.by_link;
        if (!same) return fail(Errc::conflict, "id");
        return TransferCreated{known->ends};
    }
    const auto quota = quota_for(*sender, request.body_len);
    if (!quota) return tl::unexpected(quota.error());
    if (auto ok = room_for(request.transfer, request.body_len); !ok) {
        return tl::unexpected(ok.error());
    }
    const TransferRow row = new_row(*sender, *addressee, request);
    ports_.store.transaction([&] {
        ports_.store.put(row);
        if (row.sender_hash.empty()) return;
        tally_.add(Tally::Kind::body_bytes, tally_hash(row.sender_hash), row.created,
                   static_cast<std::int64_t>(row.body_len));
    });
    return TransferCreated{row.ends, *quota};
}

/// Keyed, so that a stolen list of tombstones confirms no token.
std::string Relay::tombstone_manage(const std::string& manage_hash) const {
    return keyed_hash(pepper_, "tombstone", manage_hash);
}

Result<TransferRow> Relay::managed(const TransferId& transfer, const ManageToken& token) {
    auto row = ports_.store.transfer(transfer);
    const std::string given = hash_text(token.reveal());
    const std::string wanted = row ? row->manage_hash : ports_.store.tombstone_manage(transfer);
    // Whoever has not got the token learns nothing of a transfer in any state.
    const bool is_theirs =
        equal_constant_time(as_bytes(row ? given : tombstone_manage(given)), as_bytes(wanted));
    if (!is_theirs) return fail(Errc::not_found, "transfer");
    if (!row) return fail(Errc::purged, "transfer");
    if (row->state == TransferState::revoked) return fail(Errc::revoked, "transfer");
    if (row->state == TransferState::expired || ports_.clock.now() >= row->ends) {
        return fail(Errc::expired, "transfer");
    }
    return *row;
}

Result<TransferRow> Relay::linked(const LinkId& link) {
    auto row = ports_.store.transfer_by_link(hash_text(link.bytes));
    if (!row || !is_readable(row->state) || ports_.clock.latest() >= row->ends) {
        return fail(Errc::not_found, "link");
    }
    return *row;
}

Result<TransferRow> Relay::fetchable(const TransferId& transfer, const FetchToken& token,
                                     bool also_quarantined) {
    auto row = ports_.store.transfer(transfer);
    const std::string given = hash_text(token.reveal());
    const bool open = row && (is_readable(row->state) ||
                              (also_quarantined && row->state == TransferState::quarantined));
    if (!open || !equal_constant_time(as_bytes(given), as_bytes(row->fetch_hash)) ||
        ports_.clock.latest() >= row->ends) {
        return fail(Errc::not_found, "transfer");
    }
    return *row;
}

Result<void> Relay::put_envelope(const TransferId& transfer, const ManageToken& token,
                                 ByteView envelope) {
    auto row = managed(transfer, token);
    if (!row) return tl::unexpected(row.error());
    const auto view = parse_envelope(envelope);
    if (!view) return tl::unexpected(view.error());
    if (view->transfer != transfer || view->body_len != row->body_len) {
        return fail(Errc::conflict, "envelope of another transfer");
    }
    const std::string hash = to_hex(sha256(envelope));
    if (row->envelope_hash == hash) return {};
    if (!row->envelope_hash.empty() || row->state != TransferState::uploading) {
        return fail(Errc::conflict, "another envelope");
    }
    if (auto ok = check_stanzas(*view, row->by_link, policy_.link_allowed); !ok) return ok;
    ports_.envelopes.put(transfer, ports_.vault.seal(row->slot, "envelope", envelope));
    row->envelope_hash = hash;
    ports_.store.transaction([&] { ports_.store.put(*row); });
    return {};
}

Finished Relay::finished(const TransferRow& row) {
    Finished out{row.ends, row.receipt_number, std::nullopt};
    if (row.by_link) {
        LinkId link;
        const std::string opened = opened_text(row.slot, "link", row.sealed_link);
        expects(opened.size() == link.bytes.size(), "a sealed link");
        std::ranges::copy(as_bytes(opened), link.bytes.begin());
        out.link = link;
    }
    return out;
}

Result<Finished> Relay::finish(const TransferId& transfer, const ManageToken& token,
                               const std::vector<Bytes>& receipts, const Hash256& content_root) {
    auto row = managed(transfer, token);
    if (!row) return tl::unexpected(row.error());
    if (row->state != TransferState::uploading) return finished(*row);
    if (row->envelope_hash.empty()) return fail(Errc::conflict, "no envelope");
    row->content_root = to_hex(content_root);
    if (auto ok = enough_copies(*row, receipts); !ok) return tl::unexpected(ok.error());
    const LinkId link = LinkId::random();
    row->state = TransferState::available;
    row->available = ports_.clock.now();
    row->link_hash = hash_text(link.bytes);
    row->sealed_link = ports_.vault.seal(row->slot, "link", link.bytes);
    row->receipt_number = new_receipt_number();
    row->ends = row->available + row->expiry_days * day_s;
    note(*row, HistoryEvent::stored, holders(transfer).size());
    note(*row, HistoryEvent::available);
    ports_.store.transaction([&] {
        ports_.store.put(*row);
        queue_notice(*row);
    });
    return finished(*row);
}

Result<TransferStatus> Relay::status(const TransferId& transfer, const ManageToken& token) {
    const auto row = managed(transfer, token);
    if (!row) return tl::unexpected(row.error());
    TransferStatus out{row->state,   row->ends,         row->created,
                       row->fetched, row->fetch_signed, row->undeliverable};
    out.body_len = row->body_len;
    out.copies = static_cast<std::int64_t>(ports_.store.copies_of(transfer).size());
    out.resends_left = resends_max - row->resends;
    out.lost = row->lost != 0;
    return out;
}

Result<Bytes> Relay::revoke(const TransferId& transfer, const ManageToken& token) {
    auto row = managed(transfer, token);
    if (!row) {
        const Errc code = row.error().code;
        if (code == Errc::revoked || code == Errc::purged) return Bytes{}; // said twice
        return tl::unexpected(row.error());
    }
    row->state = TransferState::revoked;
    note(*row, HistoryEvent::revoked);
    Bytes history = history_of(*row); // nobody can open it afterwards
    ports_.store.transaction([&] { ports_.store.put(*row); });
    purge(*row);
    finish_purges();
    return history;
}

Result<void> Relay::fetched(const TransferId& transfer, const FetchToken& token,
                            const Bytes& report) {
    auto row = fetchable(transfer, token);
    if (!row) return tl::unexpected(row.error());
    bool signed_by_department = false;
    if (!report.empty()) {
        signed_by_department = is_signed_fetch(*row, report);
        if (!signed_by_department) return fail(Errc::bad_signature, "fetched report");
    }
    const bool first = row->state != TransferState::fetched;
    const bool news = first || (signed_by_department && !row->fetch_signed);
    row->state = TransferState::fetched;
    if (first) row->fetched = ports_.clock.now();
    if (news) note(*row, HistoryEvent::fetched, signed_by_department ? 1 : 0);
    row->fetch_signed = row->fetch_signed || signed_by_department;
    ports_.store.transaction([&] {
        ports_.store.put(*row);
        if (first && row->notify_fetch) tell_sender(*row, Notice::fetched);
    });
    return {};
}

} // namespace plankurier::relay
