#include <clients/cli/hedge.hpp>

#include <algorithm>

namespace plankurier::cli {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {
/// So long one question may take; the next may be asked then.
constexpr unsigned question_seconds = 2;
} // namespace

Hedge::Hedge(const std::vector<std::string>& urls, const HttpSettings& settings,
             const HedgeTimes& times)
    : settings_(settings), times_(times) {
    settings_.silence_seconds = question_seconds;
    settings_.busy_patience = {};
    for (const auto& url : urls) relays_.push_back({url});
}

Hedge::~Hedge() {
    for (auto& relay : relays_) relay.thread.request_stop(); // all, before one is waited for
    for (auto& relay : relays_) relay.thread = {};
}

Hedge::Relay* Hedge::find(const std::string& url) {
    const auto found = std::ranges::find(relays_, url, &Relay::url);
    return found == relays_.end() ? nullptr : &*found;
}

bool Hedge::is_stuck(const std::string& url) {
    const std::lock_guard guard{mutex_};
    const auto* relay = find(url);
    return relay != nullptr && relay->stuck &&
           steady_clock::now() - *relay->stuck < times_.remembered;
}

bool Hedge::give_up(const std::string& url, milliseconds silent) {
    if (silent < times_.ask) return false;
    const std::lock_guard guard{mutex_};
    auto* const waited_for = find(url);
    if (waited_for == nullptr) return false;
    const auto now = steady_clock::now();
    const auto since = now - silent;
    for (auto& relay : relays_) {
        const bool old = relay.asked < since || now - relay.asked >= milliseconds{1'000};
        if (relay.answered < since && old && !relay.asking) ask(relay, now);
    }
    if (waited_for->answered >= since) return silent >= times_.dead;
    const bool others =
        std::ranges::any_of(relays_, [&](const Relay& relay) { return relay.answered >= since; });
    if (!others || silent < times_.stuck) return false;
    waited_for->stuck = now;
    return true;
}

void Hedge::ask(Relay& relay, Time now) {
    relay.asking = true;
    relay.asked = now;
    relay.thread = std::jthread{[this, &relay](const std::stop_token& stop) {
        bool answered = false;
        try {
            HttpLine line{settings_};
            line.watch([&](milliseconds) { return !stop.stop_requested(); });
            // Needs no ticket and does nothing.
            answered = line.request("OPTIONS", relay.url + "/v1/", {}, {}).has_value();
        } catch (const std::exception&) { // as if nobody had answered
        }
        const std::lock_guard guard{mutex_};
        relay.asking = false;
        if (answered) {
            relay.answered = steady_clock::now();
            relay.stuck.reset();
        }
    }};
}

} // namespace plankurier::cli
