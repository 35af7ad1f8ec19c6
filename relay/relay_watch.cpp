#include "relay/relay_watch.hpp"

#include <algorithm>

namespace plankurier::relay {

std::vector<std::string> RelayWatch::news(const std::vector<RelayReport>& reports,
                                          const Store::Counts& counts) {
    std::vector<std::string> out;
    for (const RelayReport& one : reports) {
        const auto [at, is_new] = seen_.try_emplace(one.word.relay);
        Seen& seen = at->second;
        const auto add = [&](std::int64_t& before, std::int64_t now, const std::string& what) {
            if (!is_new && now > before) {
                out.push_back("relay " + one.word.relay.hex() + " " + std::to_string(now - before) +
                              " " + what);
            }
            before = now;
        };
        add(seen.copies_lost, one.word.copies_lost,
            "copies are missing that it had signed for (an empty or old disk?); they are made "
            "again");
        add(seen.damaged_pieces, one.health.damaged_pieces,
            "pieces damaged or missing on its disk; they are copied again");
        add(seen.lies, one.word.lies,
            "receipts for other content than the sender's; they do not count");
    }
    const auto add = [&](std::int64_t& before, std::int64_t now, const std::string& what) {
        if (now > before) out.push_back(std::to_string(now) + " " + what);
        before = now;
    };
    add(without_copy_, counts.without_copy,
        "transfers that no relay has all of: bring a relay back with its disk, or they are lost");
    add(lost_, counts.lost, "transfers are lost; their senders are asked to send again");
    return out;
}

std::string relay_status(const std::vector<RelayReport>& reports,
                         const std::vector<RelayRoom>& rooms, const Store::Counts& counts) {
    std::int64_t damaged = 0, copies_lost = 0, lies = 0, scrubbed_s = 0;
    for (const RelayReport& one : reports) {
        damaged += one.health.damaged_pieces;
        copies_lost += one.word.copies_lost;
        lies += one.word.lies;
        scrubbed_s = std::max(scrubbed_s, one.health.scrubbed_s);
    }
    std::size_t wanted = 0;
    for (const RelayRoom& room : rooms) wanted += room.copies_wanted;
    constexpr std::int64_t day_s = 86'400;
    return "copies_wanted " + std::to_string(wanted) + "\ncopies_lost " +
           std::to_string(copies_lost) + "\ndamaged_found " + std::to_string(damaged) +
           "\nscrub_oldest_days " + std::to_string(scrubbed_s / day_s) + "\nrelays_lied " +
           std::to_string(lies) + "\ntransfers_without_copy " +
           std::to_string(counts.without_copy) + "\ntransfers_lost " + std::to_string(counts.lost) +
           "\n";
}

} // namespace plankurier::relay
