// What a sender may change later, and what a recipient may refuse.
#include "relay/domain/days.hpp"
#include "relay/domain/relay.hpp"

#include <algorithm>

namespace plankurier::relay {

namespace {

constexpr std::int64_t resend_wait_s = 600;

} // namespace

Result<std::int64_t> Relay::change_expiry(const TransferId& transfer, const ManageToken& token,
                                          std::int64_t days_from_now) {
    auto row = managed(transfer, token);
    if (!row) return tl::unexpected(row.error());
    if (!is_readable(row->state)) return fail(Errc::conflict, "state");
    const DepartmentLimits limits = limits_of(policy_, departments_of(*row));
    if (days_from_now < 1 || days_from_now > limits.expiry_days_max) {
        return fail(Errc::invalid_argument, "days");
    }
    const std::int64_t ends = ports_.clock.now() + days_from_now * day_s;
    const std::int64_t latest =
        policy_.limits.expiry_extend ? row->available + limits.expiry_days_max * day_s : row->ends;
    if (ends > std::max(latest, row->ends)) return fail(Errc::invalid_argument, "longer");
    row->ends = ends;
    ports_.store.transaction([&] { ports_.store.put(*row); });
    return row->ends;
}

Result<std::int64_t> Relay::resend_notice(const TransferId& transfer, const ManageToken& token) {
    auto row = managed(transfer, token);
    if (!row) return tl::unexpected(row.error());
    if (!is_readable(row->state) || row->sealed_link.empty()) {
        return fail(Errc::conflict, "state");
    }
    const std::int64_t now = ports_.clock.now();
    if (row->resends >= resends_max) return fail(Errc::too_many_attempts, "resend");
    if (now < std::max(row->available, row->resent) + resend_wait_s) {
        return fail(Errc::too_early, "resend");
    }
    ++row->resends;
    row->resent = now;
    ports_.store.transaction([&] {
        ports_.store.put(*row);
        queue_notice(*row);
    });
    return resends_max - row->resends;
}

Result<void> Relay::report(const TransferId& transfer, const FetchToken& token) {
    auto row = fetchable(transfer, token, true);
    if (!row) return tl::unexpected(row.error());
    if (row->state == TransferState::quarantined) return {};
    row->state = TransferState::quarantined;
    row->reported = ports_.clock.now();
    ports_.store.transaction([&] {
        ports_.store.put(*row);
        drop_mails(transfer.hex()); // a notice that waits would lead nowhere
    });
    return {};
}

void Relay::send_reminders() {
    constexpr std::int64_t recipient_before_s = 3 * day_s, sender_before_s = 2 * day_s;
    constexpr std::size_t rows_max = 200; // the others come with the next tick
    const std::int64_t now = ports_.clock.now();
    for (TransferRow& row : ports_.store.transfers_to_remind(
             {now, now + recipient_before_s, now + sender_before_s, now - day_s, rows_max})) {
        ports_.store.transaction([&] {
            if (row.remind_recipient && row.ends <= now + recipient_before_s) {
                row.remind_recipient = false;
                queue_reminder(row);
            }
            if (row.notify_unfetched && row.ends <= now + sender_before_s) {
                row.notify_unfetched = false;
                tell_sender(row, Notice::not_yet_fetched);
            }
            ports_.store.put(row);
        });
    }
}

} // namespace plankurier::relay
