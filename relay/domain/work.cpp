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
    std::erase_if(codes_asked_, [&](std::int64_t time) { return time < now - hour_s; });
    CodeBudget budget{policy_.limits.code_mails_hour, 0, 0};
    budget.left = budget.max - std::min(budget.max, codes_asked_.size());
    if (!codes_asked_.empty()) budget.reset_s = codes_asked_.front() + hour_s + 1 - now;
    return budget;
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
    std::erase_if(work_taken_, [&](const auto& one) { return one.second <= oldest; });
    std::int64_t made = 0;
    if (work.salt.size() != time_digits + proof_digits) return false;
    const char* const time_end = work.salt.data() + time_digits;
    const auto read = std::from_chars(work.salt.data(), time_end, made, 16);
    if (read.ptr != time_end || made <= oldest || made > now ||
        !equal_constant_time(as_bytes(work.salt), as_bytes(work_salt(email, made)))) {
        return false;
    }
    return !work_taken_.contains(work.salt) && check_work(puzzle(work.salt), work.numbers) &&
           work_taken_.emplace(work.salt, now).second;
}

bool Relay::codes_are_out() {
    const CodeBudget budget = code_budget();
    return codes_asked_.size() >= paid_factor * budget.max;
}

Result<void> Relay::may_ask_code(std::string_view email, const std::optional<WorkDone>& work) {
    if (code_budget().left > 0) return {};
    if (codes_are_out() || !work || !take_work(email, *work)) {
        return fail(Errc::rate_limited, "codes");
    }
    return {};
}

} // namespace plankurier::relay
