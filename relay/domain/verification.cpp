#include "relay/domain/days.hpp"
#include "relay/domain/pepper.hpp"
#include "relay/domain/relay.hpp"

#include <plankurier/code.hpp>
#include <plankurier/links.hpp>

#include <algorithm>

namespace plankurier::relay {

/// Keyed: a 40-bit code under a plain hash could be found by trying all. The key comes first and
/// all parts have fixed lengths, so no extension of a hash is of use to anybody.
std::string Relay::code_hash(const std::string& session, std::string_view code) const {
    Bytes input{pepper_.reveal().begin(), pepper_.reveal().end()};
    const auto session_bytes = as_bytes(session);
    const auto code_bytes = as_bytes(code);
    input.insert(input.end(), session_bytes.begin(), session_bytes.end());
    input.insert(input.end(), code_bytes.begin(), code_bytes.end());
    const auto digest = sha256(input);
    wipe(input);
    return to_hex(digest);
}

/// Counts by keyed hash: addresses that ask for codes are kept nowhere.
bool Relay::may_send_code(std::string_view email) {
    constexpr auto kind = Tally::Kind::code_mail;
    constexpr std::int64_t hour_s = 3'600;
    const std::int64_t now = ports_.clock.now();
    const std::string who = keyed_hash(pepper_, "address", comparable_address(email));
    const auto sent_since = [&](std::int64_t since) {
        return static_cast<std::size_t>(tally_.sum(kind, who, since));
    };
    const Limits& limits = policy_.limits;
    if (tally_.is_full(kind, who) ||
        sent_since(now - hour_s) >= limits.code_mails_per_address_hour ||
        sent_since(now - day_s) >= limits.code_mails_per_address_day) {
        return false;
    }
    tally_.add(kind, who, now);
    return true;
}

/// Out of the hash, which tells nothing of the code to anybody without the pepper: so nothing more
/// is kept, and a mail that was not sent cannot be told from one that was.
std::int64_t Relay::code_number(const VerificationRow& row) const {
    constexpr std::uint64_t first = 100, count = 900;
    if (row.code_hash.empty()) return 0;
    const auto digits = from_hex(keyed_hash(pepper_, "code number", row.code_hash)).value();
    std::uint64_t value = 0;
    for (std::size_t at = 0; at < 4; ++at)
        value = value << 8U | std::to_integer<std::uint64_t>(digits[at]);
    return static_cast<std::int64_t>(first + value % count);
}

void Relay::send_code(VerificationRow& row, const std::string& email) {
    const bool may_send = may_send_code(email);
    tally_.add(Tally::Kind::code_asked, {}, ports_.clock.now());
    row.sent = ports_.clock.now();
    if (!may_send && !row.code_hash.empty()) {
        // No further mail: the code that was sent holds on, with its own time and attempts.
        ports_.store.put(row);
        return;
    }
    const SecretText code = random_code();
    row.code_hash = code_hash(row.session, code.reveal());
    row.code_made = row.sent;
    row.attempts = 0;
    NoticeFacts facts;
    facts.authority = policy_.authority;
    facts.code = shown_code(code).reveal();
    facts.code_number = std::to_string(code_number(row));
    facts.link = make_code_link(policy_.link_base, code).reveal();
    facts.never_link = make_never_link(policy_.link_base, never_token(email)).reveal();
    facts.valid_minutes = policy_.limits.code_valid_s / 60;
    Mail mail = write_notice(Notice::code, row.language, facts);
    mail.to = email;
    ports_.store.put(row);
    queue_mail(row.session, row.slot, std::move(mail), MailKind::code, may_send);
}

/// Whoever knows the key of a request may say it again, and gets the same token: nothing of it is
/// kept. Hashed twice, so that the token says nothing about hashes of longer texts.
SessionToken Relay::session_token(std::string_view email, std::string_view request_key) const {
    if (request_key.empty()) return SessionToken::random();
    const std::string inner =
        keyed_hash(pepper_, "session", std::string{request_key} + "\n" + comparable_address(email));
    return SessionToken{ByteView{sha256(as_bytes(inner))}};
}

Result<VerificationBegun>
Relay::begin_verification(std::string_view email, std::string_view language, const CodeWish& wish) {
    if (auto ok = check_address(email); !ok) return tl::unexpected(ok.error());
    VerificationBegun begun{session_token(email, wish.request_key), policy_.limits.code_valid_s,
                            policy_.limits.code_resend_s};
    if (!wish.request_key.empty()) {
        if (const auto known = session_row(begun.session)) { // said again
            begun.number = code_number(*known);
            return begun;
        }
    }
    if (auto ok = may_ask_code(email, wish.work); !ok) return tl::unexpected(ok.error());
    VerificationRow row;
    row.session = to_hex(sha256(begun.session.reveal()));
    row.slot = ports_.vault.allocate();
    row.sealed_email = ports_.vault.seal(row.slot, "email", as_bytes(email));
    row.created = ports_.clock.now();
    row.language = language == "en" ? "en" : "de";
    ports_.store.transaction([&] { send_code(row, std::string{email}); });
    begun.number = code_number(row);
    return begun;
}

std::int64_t Relay::session_end(const VerificationRow& row) const {
    return std::max(row.created + policy_.limits.session_valid_s, row.remembered_until);
}

Result<VerificationRow> Relay::session_row(const SessionToken& session) {
    auto row = ports_.store.verification(to_hex(sha256(session.reveal())));
    if (!row) return fail(Errc::not_verified, "session");
    if (ports_.clock.now() >= session_end(*row)) {
        return fail(Errc::code_expired, "session");
    }
    return *row;
}

Result<std::int64_t> Relay::resend(const SessionToken& session,
                                   const std::optional<WorkDone>& work) {
    auto row = session_row(session);
    if (!row) return tl::unexpected(row.error());
    if (row->verified != 0) return 0;
    if (ports_.clock.now() < row->sent + policy_.limits.code_resend_s) {
        return fail(Errc::too_early, "resend");
    }
    const std::string email = opened_text(row->slot, "email", row->sealed_email);
    if (auto ok = may_ask_code(email, work); !ok) return tl::unexpected(ok.error());
    ports_.store.transaction([&] { send_code(*row, email); });
    return code_number(*row);
}

Result<void> Relay::check_code(const SessionToken& session, const SecretText& code,
                               std::int64_t& attempts_left, std::int64_t remember_days) {
    if (remember_days < 0 || remember_days > policy_.limits.remember_days_max) {
        return fail(Errc::invalid_argument, "days");
    }
    // What cannot be a code costs no attempt, whatever the session is.
    const auto typed = typed_code(code);
    if (!typed) return tl::unexpected(typed.error());
    auto row = session_row(session);
    // Gone a second after its end: for the person with the code in hand it is too old all the same.
    if (!row) return fail(Errc::code_expired, "session");
    attempts_left = policy_.limits.code_attempts_max - row->attempts;
    if (row->verified != 0) return {};
    if (ports_.clock.now() >= row->code_made + policy_.limits.code_valid_s) {
        return fail(Errc::code_expired, "code");
    }
    if (attempts_left <= 0) return fail(Errc::too_many_attempts, "code");
    const bool right = equal_constant_time(as_bytes(code_hash(row->session, typed->reveal())),
                                           as_bytes(row->code_hash));
    ports_.store.transaction([&] {
        ++row->attempts;
        if (right) {
            row->verified = ports_.clock.now();
            if (remember_days > 0) row->remembered_until = row->verified + remember_days * day_s;
            row->code_hash.clear();
        }
        ports_.store.put(*row);
        if (right) drop_mails(row->session);
    });
    --attempts_left;
    if (!right) return fail(Errc::wrong_code, "code");
    return {};
}

void Relay::drop_verification(const VerificationRow& row) {
    ports_.vault.erase(row.slot);
    drop_mails(row.session);
    ports_.store.transaction([&] { ports_.store.remove_verification(row.session); });
}

void Relay::drop_old_verifications(std::int64_t now) {
    for (const VerificationRow& row : ports_.store.verifications_before(now)) {
        const std::int64_t end =
            row.verified != 0 ? session_end(row) : row.sent + policy_.limits.code_valid_s;
        if (now < end) continue;
        drop_verification(row);
        scrub_due_ = true;
    }
}

} // namespace plankurier::relay
