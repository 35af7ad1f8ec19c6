// What happens when more codes are asked for than the whole site should send: who still wants one
// works for it, and nobody's mail box is flooded.
#include "relay/domain/relay.hpp"

#include <algorithm>
#include <charconv>

namespace plankurier::relay {

namespace {

constexpr std::int64_t hour_s = 3'600;
constexpr std::size_t time_digits = 16, proof_digits = 32, paid_factor = 10;

} // namespace

/// By what was asked for, not by what was sent: that would tell whether an address got its mail.
CodeBudget Relay::code_budget() {
    const std::int64_t now = ports_.clock.now();
    const std::int64_t since = now - hour_s - 1;
    CodeBudget budget{policy_.limits.code_mails_hour, 0, 0};
    budget.left = budget.max - std::min(budget.max, codes_asked());
    const std::int64_t first = tally_.first(Tally::Kind::code_asked, {}, since);
    if (first != 0) budget.reset_s = first + hour_s + 1 - now;
    return budget;
}

/// In the last hour, whoever asked.
std::size_t Relay::codes_asked() const {
    const std::int64_t since = ports_.clock.now() - hour_s - 1;
    return static_cast<std::size_t>(tally_.sum(Tally::Kind::code_asked, {}, since));
}

/// The salt is hex text: when it was made, and the proof that it was made here for this address.
std::string Relay::work_salt(std::string_view email, std::int64_t made) const {
    std::string time(time_digits, '0');
    for (auto digit = time.rbegin(); digit != time.rend(); ++digit, made >>= 4) {
        *digit = "0123456789abcdef"[made & 0xF];
    }
    return time +
           keyed_hash(pepper_, "work", time + comparable_address(email)).substr(0, proof_digits);
}

WorkPuzzle Relay::puzzle(std::string salt) const {
    return {std::move(salt), policy_.limits.work_bits, policy_.limits.work_count};
}

std::optional<WorkPuzzle> Relay::code_work(std::string_view email) {
    if (codes_are_out()) return std::nullopt;
    return puzzle(work_salt(email, ports_.clock.now()));
}

std::optional<WorkPuzzle> Relay::code_work(const SessionToken& session) {
    const auto row = session_row(session);
    if (!row) return std::nullopt;
    return code_work(opened_text(row->slot, "email", row->sealed_email));
}

/// True when somebody has worked for this address, lately and not for another code.
bool Relay::take_work(std::string_view email, const WorkDone& work) {
    const std::int64_t now = ports_.clock.now(), oldest = now - policy_.limits.work_valid_s;
    std::int64_t made = 0;
    if (work.salt.size() != time_digits + proof_digits) return false;
    const char* const time_end = work.salt.data() + time_digits;
    const auto read = std::from_chars(work.salt.data(), time_end, made, 16);
    if (read.ptr != time_end || made <= oldest || made > now ||
        !equal_constant_time(as_bytes(work.salt), as_bytes(work_salt(email, made)))) {
        return false;
    }
    const bool is_taken = tally_.sum(Tally::Kind::work_taken, work.salt, oldest) > 0 ||
                          tally_.is_full(Tally::Kind::work_taken, work.salt);
    if (is_taken || !check_work(puzzle(work.salt), work.numbers)) return false;
    ports_.store.transaction([&] { tally_.add(Tally::Kind::work_taken, work.salt, now); });
    return true;
}

bool Relay::codes_are_out() {
    const CodeBudget budget = code_budget();
    return codes_asked() >= paid_factor * budget.max;
}

Result<void> Relay::may_ask_code(std::string_view email, const std::optional<WorkDone>& work) {
    if (code_budget().left > 0) return {};
    if (codes_are_out() || !work || !take_work(email, *work)) {
        return fail(Errc::rate_limited, "codes");
    }
    return {};
}

} // namespace plankurier::relay
