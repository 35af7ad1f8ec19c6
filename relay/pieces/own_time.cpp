#include "relay/pieces/own_time.hpp"

#include "relay/adapters/files.hpp"

#include <algorithm>
#include <fstream>

namespace plankurier::relay::pieces {

OwnTime::OwnTime(const std::filesystem::path& data_dir, bool is_alone)
    : data_dir_(data_dir), is_alone_(is_alone), file_(data_dir / "trusted-time.relay"),
      time_(machine_, file_) {}

void OwnTime::look(std::optional<std::int64_t> told) {
    const auto request = data_dir_ / "request.clock.relay";
    if (std::filesystem::exists(request)) {
        time_.accept();
        adapters::remove_durably(request);
    }
    time_.look(told ? std::vector{*told} : std::vector<std::int64_t>{});
    // A report, not a promise: it need not survive a power cut.
    const auto half = data_dir_ / "status.relay.new";
    std::ofstream out{half, std::ios::trunc};
    out << "relay_clock_trusted " << static_cast<int>(time_.is_trusted())
        << "\nrelay_clock_ahead_s " << time_.ahead_s() << "\n";
    out.close();
    if (out) std::filesystem::rename(half, data_dir_ / "status.relay"); // never half of it
}

std::optional<std::int64_t> OwnTime::delete_time(std::optional<std::int64_t> told,
                                                 bool is_doubted) {
    if (is_doubted && !is_alone_) return std::nullopt; // the same clock, in other words
    if (!time_.is_trusted()) return told;
    return told ? std::min(*told, time_.now()) : time_.now();
}

std::optional<std::int64_t> OwnTime::for_others() {
    if (!is_alone_ || !time_.is_trusted()) return std::nullopt;
    return time_.now();
}

} // namespace plankurier::relay::pieces
