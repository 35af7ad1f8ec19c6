#include "relay/domain/tally.hpp"

#include <algorithm>

namespace plankurier::relay {

namespace {

constexpr std::int64_t step_s = 300;

/// Rounded up: nothing is forgotten early.
std::int64_t coarse(std::int64_t at) { return (at + step_s - 1) / step_s * step_s; }

} // namespace

Tally::Tally(Store& store) : store_(store) {
    for (const CountRow& row : store_.count_rows()) {
        kinds_[static_cast<Kind>(row.kind)][row.who].push_back({row.at, row.amount});
    }
}

void Tally::add(Kind kind, const std::string& who, std::int64_t now, std::int64_t amount) {
    kinds_[kind][who].push_back({now, amount});
    store_.add_count({static_cast<std::int64_t>(kind), who, coarse(now), amount});
}

std::int64_t Tally::sum(Kind kind, const std::string& who, std::int64_t since) const {
    const auto of_kind = kinds_.find(kind);
    if (of_kind == kinds_.end()) return 0;
    const auto entries = of_kind->second.find(who);
    if (entries == of_kind->second.end()) return 0;
    std::int64_t sum = 0;
    for (const Entry& entry : entries->second) sum += entry.at > since ? entry.amount : 0;
    return sum;
}

std::int64_t Tally::first(Kind kind, const std::string& who, std::int64_t since) const {
    const auto of_kind = kinds_.find(kind);
    if (of_kind == kinds_.end()) return 0;
    const auto entries = of_kind->second.find(who);
    if (entries == of_kind->second.end()) return 0;
    const auto found =
        std::ranges::find_if(entries->second, [&](const Entry& entry) { return entry.at > since; });
    return found == entries->second.end() ? 0 : found->at;
}

bool Tally::is_full(Kind kind, const std::string& who) const {
    const auto of_kind = kinds_.find(kind);
    return of_kind != kinds_.end() && of_kind->second.size() >= entries_max &&
           !of_kind->second.contains(who);
}

bool Tally::forget_old(std::int64_t now) {
    if (now >= forgot_ && now < forgot_ + step_s) return false;
    forgot_ = now;
    const auto is_old = [&](const Entry& entry) {
        return entry.at <= now - kept_s || entry.at > now + kept_s;
    };
    for (auto& [kind, all] : kinds_) {
        for (auto one = all.begin(); one != all.end();) {
            std::erase_if(one->second, is_old);
            one = one->second.empty() ? all.erase(one) : std::next(one);
        }
    }
    return store_.keep_counts(now - kept_s, now + kept_s);
}

} // namespace plankurier::relay
