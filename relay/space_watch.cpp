#include "relay/space_watch.hpp"

#include <algorithm>
#include <filesystem>

namespace plankurier::relay {

namespace {

constexpr const char* limit_names = "limits.free_gib_min and limits.free_percent_min";

std::string gib(std::uint64_t bytes) {
    const std::uint64_t tenths = (bytes >> 20) * 10 / 1'024;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

} // namespace

std::vector<std::string> SpaceWatch::news(const std::vector<RelayRoom>& rooms) {
    std::vector<std::string> out;
    for (const RelayRoom& room : rooms) {
        const bool was_full = full_.contains(room.relay);
        if (room.is_full == was_full) continue;
        if (room.is_full) {
            full_.insert(room.relay);
            out.push_back("relay " + room.relay.hex() + " takes nothing new: " +
                          gib(room.free_bytes) + " free, " + gib(room.promised_bytes) +
                          " of it promised, and less left than " + limit_names + " keep free");
        } else {
            full_.erase(room.relay);
            out.push_back("relay " + room.relay.hex() + " has room again");
        }
    }
    return out;
}

std::string space_status(const std::vector<RelayRoom>& rooms) {
    const auto full = std::ranges::count_if(rooms, &RelayRoom::is_full);
    std::string out = "relays_full " + std::to_string(full) + "\n";
    const RelayRoom* least = nullptr;
    const auto free_of = [](const RelayRoom& room) {
        return static_cast<std::int64_t>(room.free_bytes) -
               static_cast<std::int64_t>(room.promised_bytes);
    };
    for (const RelayRoom& room : rooms) {
        if (!room.is_known) continue;
        if (least == nullptr || free_of(room) < free_of(*least)) least = &room;
    }
    if (least == nullptr) return out;
    return out + "space_free_bytes " + std::to_string(least->free_bytes) +
           "\nspace_promised_bytes " + std::to_string(least->promised_bytes) + "\n";
}

std::optional<std::string> space_warning(const Config& config) {
    if (!config.control_url.empty()) return std::nullopt;
    std::filesystem::path folder = config.data_dir;
    while (!std::filesystem::exists(folder) && folder.has_relative_path()) {
        folder = folder.parent_path();
    }
    const auto space = std::filesystem::space(folder);
    const std::uint64_t wanted = free_bytes_wanted(config.policy.limits, space.capacity);
    if (space.available >= wanted) return std::nullopt;
    return "the disk of the data folder has " + gib(space.available) + " free, and " + limit_names +
           " keep " + gib(wanted) +
           " free: every new transfer is refused as no_space. Make room, or set them lower";
}

} // namespace plankurier::relay
