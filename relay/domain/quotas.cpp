// How much one address may send, and which departments take what from whom.
#include "relay/domain/days.hpp"
#include "relay/domain/relay.hpp"

#include <algorithm>

namespace plankurier::relay {

namespace {

bool matches(std::string_view address, std::string_view pattern) {
    return pattern == "*" || matches_pattern(address, pattern);
}

} // namespace

DepartmentLimits limits_of(const Policy& policy, std::string_view department) {
    const auto found = policy.departments.find(std::string{department});
    if (found != policy.departments.end()) return found->second;
    return {policy.types, policy.limits.transfer_bytes_max, policy.limits.expiry_days_min,
            policy.limits.expiry_days_default, policy.limits.expiry_days_max};
}

bool may_write(const Policy& policy, std::string_view sender, std::string_view department,
               std::string_view recipient) {
    bool is_ruled = false;
    for (const Rule& rule : policy.rules) {
        const bool about = rule.to == department || matches_pattern(recipient, rule.to);
        if (about && matches(sender, rule.from)) return true;
        is_ruled = is_ruled || about;
    }
    return !is_ruled;
}

Result<Quota> Relay::quota_for(const Sender& sender, std::uint64_t bytes) {
    const Limits& limits = policy_.limits;
    const std::int64_t now = ports_.clock.now();
    Quota quota;
    quota.open_max = limits.open_transfers_per_address;
    if (!sender.department.empty()) { // many people at one key
        quota.open_left = quota.open_max;
        return quota;
    }
    const std::string hash = sender_hash(sender.email);
    const std::size_t open = ports_.store.count_uploading(hash);
    if (open >= quota.open_max) return fail(Errc::quota_exceeded, "open transfers");
    quota.open_left = quota.open_max - open - 1;
    const std::int64_t sent = tally_.sum(Tally::Kind::body_bytes, tally_hash(hash), now - day_s);
    if (static_cast<std::uint64_t>(sent) + bytes > limits.bytes_per_address_day)
        return fail(Errc::quota_exceeded, "bytes a day");
    return quota;
}

/// Not what stands in rows, so that nothing of a purged transfer is left in what is counted.
std::string Relay::tally_hash(const std::string& sender_hash) const {
    return keyed_hash(pepper_, "tally", sender_hash);
}

std::string Relay::sender_hash(std::string_view email) const {
    return keyed_hash(pepper_, "sender", comparable_address(email));
}

} // namespace plankurier::relay
