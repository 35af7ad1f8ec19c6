#include <clients/cli/spare_lines.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {
constexpr std::chrono::seconds connecting_max{1};
}

SpareLines::~SpareLines() {
    for (auto& spare : spares_) spare.thread.request_stop(); // all, before one is waited for
}

void SpareLines::begin(const std::vector<std::string>& urls, unsigned count) {
    for (unsigned number = 0; number < count && !urls.empty(); ++number) {
        auto& spare = spares_.emplace_back(Spare{urls[number % urls.size()], HttpLine{settings_}});
        spare.thread =
            std::jthread{[this, &spare](const std::stop_token& stop) { connect(spare, stop); }};
    }
}

void SpareLines::connect(Spare& spare, const std::stop_token& stop) {
    bool connected = false;
    try {
        spare.line.watch([&](std::chrono::milliseconds) { return !stop.stop_requested(); });
        // Needs no ticket and does nothing, and the line stays.
        connected = spare.line.request("OPTIONS", spare.url + "/v1/", {}, {}).has_value();
        spare.line.watch({});
    } catch (const std::exception&) { // as if nobody had answered
    }
    const std::lock_guard guard{mutex_};
    spare.connected = connected;
    changed_.notify_all();
}

HttpLine SpareLines::take(const std::string& url, const HttpSettings& settings) {
    std::unique_lock guard{mutex_};
    const auto spare = std::ranges::find_if(
        spares_, [&](const Spare& one) { return one.url == url && !one.taken; });
    if (spare == spares_.end()) return HttpLine{settings};
    spare->taken = true;
    changed_.wait_for(guard, connecting_max, [&] { return spare->connected.has_value(); });
    if (!spare->connected.value_or(false)) return HttpLine{settings};
    spare->line.use(settings);
    return std::move(spare->line);
}

} // namespace plankurier::cli
