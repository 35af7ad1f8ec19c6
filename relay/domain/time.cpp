// What time causes: mails, expiry, purge.
#include "relay/domain/relay.hpp"

#include <plankurier/fault.hpp>
#include <plankurier/layout.hpp>
#include <plankurier/links.hpp>

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace plankurier::relay {

namespace {

/// to, reply_to and subject hold no line ends, so four fields need no further escaping.
Bytes packed(const Mail& mail) {
    const std::string text =
        mail.to + "\n" + mail.reply_to + "\n" + mail.subject + "\n" + mail.text;
    const auto bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

Mail unpacked(std::string id, std::string_view text) {
    Mail mail;
    mail.id = std::move(id);
    for (std::string* field : {&mail.to, &mail.reply_to, &mail.subject}) {
        const std::size_t end = text.find('\n');
        expects(end != text.npos, "packed mail");
        *field = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    mail.text = text;
    return mail;
}

} // namespace

/// What may not be sent is written and sealed all the same, so that nobody can tell by the time it
/// takes who wants no mail. Gives false for it.
bool Relay::queue_mail(const std::string& owner, Slot slot, Mail mail, MailKind kind,
                       bool is_wanted) {
    const bool may_send = may_mail(mail.to, kind) && is_wanted;
    OutboxRow row;
    row.id = Id128<struct MailIdTag>::random().hex();
    row.owner = owner;
    row.slot = slot;
    row.sealed = ports_.vault.seal(slot, "mail", packed(mail));
    row.is_notice = kind == MailKind::notice;
    row.next = ports_.clock.now();
    if (!may_send) {
        row.next = 0;
        row.sealed.clear();
    }
    ports_.store.put(row);
    return may_send;
}

NoticeFacts Relay::recipients_facts(const TransferRow& row) {
    NoticeFacts facts;
    facts.authority = policy_.authority;
    const auto link = ports_.vault.open(row.slot, "link", row.sealed_link);
    if (!link || link->size() != LinkId{}.bytes.size())
        throw std::runtime_error("a sealed column does not open");
    LinkId id;
    std::ranges::copy(*link, id.bytes.begin());
    facts.link = make_transfer_link(policy_.link_base, id).reveal();
    facts.expires = row.ends;
    return facts;
}

void Relay::tell_sender(const TransferRow& row, Notice notice) {
    NoticeFacts facts;
    facts.authority = policy_.authority;
    facts.created = row.created;
    facts.expires = row.ends;
    facts.receipt_number = row.receipt_number;
    Mail mail = write_notice(notice, senders_language(row), facts);
    mail.to = opened_text(row.slot, "sender", row.sealed_sender);
    queue_mail(row.transfer.hex(), row.slot, std::move(mail), MailKind::other);
}

void Relay::queue_reminder(TransferRow& row) {
    if (row.sealed_link.empty()) return; // from before links were kept
    Mail mail =
        write_notice(Notice::reminder, row.to_citizen ? row.language : "de", recipients_facts(row));
    for (std::string& address : notice_addresses(row)) {
        mail.to = std::move(address);
        queue_mail(row.transfer.hex(), row.slot, mail, MailKind::notice);
    }
}

void Relay::queue_notice(TransferRow& row) {
    NoticeFacts facts = recipients_facts(row);
    facts.sender_email = opened_text(row.slot, "sender", row.sealed_sender);
    facts.sender_phone = opened_text(row.slot, "phone", row.sealed_phone);
    const Notice notice = row.by_link                                 ? Notice::by_link
                          : row.to_citizen && !row.inbox_hash.empty() ? Notice::answer
                          : row.to_citizen                            ? Notice::message
                          : row.department.empty()                    ? Notice::password
                                                                      : Notice::department;
    Mail mail = write_notice(notice, row.to_citizen ? row.language : "de", facts);
    if (notice == Notice::password) mail.reply_to = facts.sender_email;
    const std::string owner = row.transfer.hex();
    for (std::string& address : notice_addresses(row)) {
        mail.to = std::move(address);
        if (!queue_mail(owner, row.slot, mail, MailKind::notice)) undeliverable(row);
    }
}

std::vector<DueMail> Relay::due_mails() {
    constexpr std::size_t mails_per_tick = 50;
    std::vector<DueMail> due = std::exchange(last_notices_, {});
    for (OutboxRow& row : ports_.store.due_mails(ports_.clock.now(), mails_per_tick)) {
        if (const auto opened = ports_.vault.open(row.slot, "mail", row.sealed)) {
            Mail mail = unpacked(row.id, as_text(*opened));
            due.push_back({std::move(row), std::move(mail)});
        } else {
            ports_.store.remove_mail(row.id); // its key is gone, and so is its text
        }
    }
    return due;
}

void Relay::mail_done(DueMail due, Delivery delivery) {
    constexpr std::int64_t attempts_max = 40;
    PK_FAULT("control.after_mail_before_commit");
    OutboxRow& row = due.row;
    const auto rows = ports_.store.mails_of(row.owner);
    const bool wanted =
        std::ranges::any_of(rows, [&](const OutboxRow& one) { return one.id == row.id; });
    if (!wanted) {
        ports_.mailer.forget(due.mail.id);
        return;
    }
    ++row.attempts;
    const bool again = delivery == Delivery::later && row.attempts < attempts_max;
    if (again) {
        const std::int64_t wait = policy_.limits.mail_retry_first_s
                                  << std::min<std::int64_t>(row.attempts - 1, 10);
        row.next = ports_.clock.now() + std::min(wait, policy_.limits.mail_retry_max_s);
    } else {
        row.next = 0;
        row.sealed.clear();
    }
    ports_.store.transaction([&] {
        ports_.store.put(row);
        if (!again && delivery != Delivery::done) notice_failed(row);
    });
}

void Relay::drop_mails(const std::string& owner) {
    for (const OutboxRow& mail : ports_.store.mails_of(owner)) {
        ports_.mailer.forget(mail.id);
        ports_.store.remove_mail(mail.id);
    }
}

void Relay::purge(TransferRow row) {
    if (row.state != TransferState::revoked && row.state != TransferState::expired) {
        const auto sender = ports_.vault.open(row.slot, "sender", row.sealed_sender);
        if (sender && row.state == TransferState::available && row.notify_fetch) {
            NoticeFacts facts;
            facts.authority = policy_.authority;
            facts.created = row.created;
            facts.receipt_number = row.receipt_number;
            Mail mail = write_notice(Notice::not_fetched, senders_language(row), facts);
            mail.id = row.transfer.hex();
            mail.to = as_text(*sender);
            // Not by the outbox: its row would have to outlive the key that it is sealed with.
            if (may_mail(mail.to, MailKind::other)) last_notices_.push_back({{}, std::move(mail)});
        }
        row.state = TransferState::expired;
        note(row, HistoryEvent::expired);
        ports_.store.transaction([&] { ports_.store.put(row); });
    }
    PK_FAULT("purge.after_expired");
    ports_.vault.erase(row.slot);
    PK_FAULT("purge.after_vault_erase");
    ports_.store.transaction([&] {
        ports_.store.add_tombstone(row.transfer, ports_.clock.now(),
                                   tombstone_manage(row.manage_hash));
    });
    PK_FAULT("purge.after_tombstone");
    ports_.envelopes.remove(row.transfer);
    ports_.mailer.forget(row.transfer.hex());
    PK_FAULT("purge.after_envelope");
    ports_.store.transaction([&] {
        drop_mails(row.transfer.hex());
        ports_.store.remove_transfer(row.transfer);
    });
    scrub_due_ = true;
    // The audit outlives the transfer, so it names no person, not even by a clerk's id.
    not_audited_.push_back({ports_.clock.now(), is_clerk_id(row.department) ? "" : row.department,
                            static_cast<unsigned>(std::bit_width(row.body_len))});
    PK_FAULT("purge.after_rows");
}

/// The last steps for all purged so far; what fails here is done at the next tick.
void Relay::finish_purges() {
    if (scrub_due_) {
        ports_.store.scrub();
        ports_.vault.keep_only(ports_.store.used_slots());
        scrub_due_ = false;
    }
    PK_FAULT("purge.after_scrub");
    while (!not_audited_.empty()) {
        const Purged& one = not_audited_.back();
        ports_.audit.record(one.at, "purged", one.department, one.size_log2);
        not_audited_.pop_back();
    }
}

void Relay::tick() {
    tick_expiry();
    for (DueMail& due : due_mails()) {
        const Delivery delivery = ports_.mailer.deliver(due.mail);
        mail_done(std::move(due), delivery);
    }
}

void Relay::tick_expiry() {
    // Before every end: then only what somebody has ended is due.
    constexpr std::int64_t before_all = 0;
    ports_.clock.look(relays_.clocks(ports_.clock.monotonic()));
    const bool is_trusted = ports_.clock.is_trusted();
    const std::int64_t now = ports_.clock.now();
    if (is_trusted) drop_old_verifications(now);
    if (is_trusted && tally_.forget_old(now)) scrub_due_ = true;
    for (const TransferRow& row : ports_.store.ended_transfers(is_trusted ? now : before_all)) {
        purge(row);
    }
    finish_purges();
    if (!is_trusted) return;
    send_reminders();
    look_for_lost();
}

void Relay::purge_now(bool all) {
    constexpr std::int64_t forever = std::int64_t{1} << 60;
    const std::int64_t until = all ? forever : ports_.clock.now();
    for (TransferRow row : ports_.store.ended_transfers(until)) {
        row.state = TransferState::expired; // no notice: the administrator ended it
        ports_.store.transaction([&] { ports_.store.put(row); });
        purge(std::move(row));
    }
    finish_purges();
}

} // namespace plankurier::relay
