// A mail to a recipient that did not arrive: its sender hears of it, once.
#include "relay/domain/relay.hpp"

namespace plankurier::relay {

void Relay::undeliverable(TransferRow& row) {
    if (row.undeliverable || !is_readable(row.state)) return;
    row.undeliverable = true;
    tell_sender(row, Notice::undeliverable);
    ports_.store.put(row);
}

void Relay::notice_failed(const OutboxRow& mail) {
    const auto transfer = TransferId::from_hex(mail.owner); // a session's hash is longer
    auto row = transfer ? ports_.store.transfer(*transfer) : std::nullopt;
    if (mail.is_notice && row) undeliverable(*row);
}

void Relay::bounced(std::string_view mail_start) {
    constexpr std::size_t digits = 16;
    if (mail_start.size() != digits ||
        mail_start.find_first_not_of("0123456789abcdef") != mail_start.npos) {
        return;
    }
    ports_.store.transaction([&] {
        if (const auto mail = ports_.store.mail_that_begins(std::string{mail_start})) {
            notice_failed(*mail);
        }
    });
}

} // namespace plankurier::relay
