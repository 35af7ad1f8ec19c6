#include "relay/domain/policy.hpp"

#include <algorithm>
#include <set>

namespace plankurier::relay {

namespace {

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

} // namespace

bool matches_pattern(std::string_view address, std::string_view pattern) {
    const std::string one = lower(address);
    const std::string other = lower(pattern);
    if (other.starts_with('@')) return one.ends_with(other);
    return one == other;
}

std::vector<std::string> staff_domains(const Policy& policy) {
    std::set<std::string> domains;
    for (const auto& pattern : policy.staff_patterns) {
        domains.insert(lower(pattern.substr(pattern.rfind('@') + 1)));
    }
    return {domains.begin(), domains.end()};
}

bool is_staff(const Policy& policy, std::string_view address) {
    return std::ranges::any_of(policy.staff_patterns, [&](const std::string& pattern) {
        return matches_pattern(address, pattern);
    });
}

} // namespace plankurier::relay
