#include "relay/status_command.hpp"

#include "relay/adapters/data_lock.hpp"
#include "relay/pieces/piece_index.hpp"

#include <sys/stat.h>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <ostream>
#include <stdexcept>

namespace plankurier::relay {

namespace {

using Counts = std::map<std::string, std::int64_t>;

/// Prints the file as it is; false when there is none.
bool show(const std::filesystem::path& file, std::ostream& out, Counts& counts) {
    std::ifstream in{file};
    if (!in) return false;
    for (std::string line; std::getline(in, line);) {
        out << line << "\n";
        const std::size_t at = line.rfind(' ');
        if (at != line.npos) counts[line.substr(0, at)] = std::atoll(line.c_str() + at);
    }
    return true;
}

std::string span_text(std::int64_t seconds) {
    constexpr std::int64_t minute_s = 60, hour_s = 3'600, day_s = 86'400;
    seconds = std::abs(seconds);
    const auto rounded = [&](std::int64_t unit_s, const char* name) {
        return std::to_string((seconds + unit_s / 2) / unit_s) + name;
    };
    if (seconds >= 2 * day_s) return rounded(day_s, " days");
    if (seconds >= 2 * hour_s) return rounded(hour_s, " hours");
    return rounded(minute_s, " minutes");
}

bool is_trusted(const Counts& counts, const std::string& which, std::ostream& trouble) {
    const auto trusted = counts.find(which + "clock_trusted");
    if (trusted == counts.end() || trusted->second != 0) return true;
    const auto ahead = counts.find(which + "clock_ahead_s");
    const std::int64_t seconds = ahead == counts.end() ? 0 : ahead->second;
    trouble << "plankurier-relay: this machine's clock is not trusted ("
            << (seconds == 0 ? std::string{"other machines differ"}
                             : span_text(seconds) + (seconds > 0 ? " ahead of" : " behind") +
                                   " what was to be expected")
            << "): nothing is deleted because of the time, and nothing is read after its day by "
               "it.\nIf it is wrong, set it right (timedatectl). If it is right, say so: "
               "plankurier-relay purge --config C --clock-ok\n";
    return false;
}

bool has_copies(const Counts& counts, std::ostream& trouble) {
    const auto is_set = [&](const char* name) {
        const auto count = counts.find(name);
        return count != counts.end() && count->second != 0;
    };
    if (is_set("transfers_lost")) {
        trouble << "plankurier-relay: transfers are lost: no relay has all of them. Their senders "
                   "were asked to send again.\nIf a relay's disk can still be brought back, they "
                   "are found again by themselves.\n";
    } else if (is_set("transfers_without_copy")) {
        trouble << "plankurier-relay: no relay has all of some transfers. Bring back the relay or "
                   "the disk that had them: after limits.lost_minutes their senders are asked to "
                   "send again.\n";
    } else {
        return true;
    }
    return false;
}

/// The piece plane's index could be read, or somebody has seen that it could not.
bool has_index(const Config& config, std::ostream& out, std::ostream& trouble) {
    const auto aside = pieces::unreadable_index(config.pieces_dir);
    out << "piece_index_unreadable " << (aside ? 1 : 0) << "\n";
    if (!aside) return true;
    trouble << "plankurier-relay: the piece plane's index could not be read and was begun anew; "
               "the old one is "
            << aside->string()
            << ".\nIf other relays have copies, they are copied from there: remove that file once "
               "copies_missing is 0. If not, take its rows over into index.db first: "
               "docs/operations.md, \"Damaged or empty disks\".\n";
    return false;
}

/// When a file was written, in UTC.
std::string written_at(const std::filesystem::path& file) {
    struct stat status {};
    std::tm time{};
    if (::stat(file.c_str(), &status) != 0 || ::gmtime_r(&status.st_mtime, &time) == nullptr) {
        return "its end";
    }
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &time);
    return text.data();
}

} // namespace

int show_status(const Config& config, std::ostream& out, std::ostream& trouble) {
    Counts counts;
    const bool has_control = show(config.data_dir / "status", out, counts);
    const bool has_pieces = show(config.data_dir / "status.relay", out, counts);
    if (!has_control && (config.control_url.empty() || !has_pieces)) {
        throw std::runtime_error("no status yet: is the relay running?");
    }
    // One is enough: both processes of a machine have the same clock.
    const bool good = is_trusted(counts, "", trouble) && is_trusted(counts, "relay_", trouble);
    const bool has_all = has_copies(counts, trouble);
    const bool is_indexed = has_index(config, out, trouble);
    if (!adapters::DataLock::is_held(config.data_dir)) {
        trouble << "plankurier-relay: the relay does not run: these figures are from "
                << written_at(config.data_dir / (has_control ? "status" : "status.relay")) << "\n";
        return status_exit_stopped;
    }
    return good && has_all && is_indexed ? 0 : status_exit_clock;
}

} // namespace plankurier::relay
