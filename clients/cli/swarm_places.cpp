#include <clients/cli/swarm_places.hpp>

namespace plankurier::cli {

SwarmPlaces::SwarmPlaces(std::size_t relays, Call call, Listener listener)
    : call_(std::move(call)), listener_(std::move(listener)), relays_(relays) {
    for (std::size_t number = 0; number < relays; ++number) {
        auto& relay = relays_[number];
        relay.thread = std::jthread{
            [this, number, &relay](const std::stop_token& stop) { run(number, relay, stop); }};
    }
}

SwarmPlaces::~SwarmPlaces() {
    for (auto& relay : relays_) relay.thread.request_stop(); // all, before one is waited for
}

void SwarmPlaces::ask(std::size_t relay, std::uint32_t volume) {
    const std::lock_guard guard{relays_[relay].mutex};
    relays_[relay].volumes.push_back(volume);
    relays_[relay].more.notify_one();
}

void SwarmPlaces::run(std::size_t number, Relay& relay, const std::stop_token& stop) {
    for (;;) {
        std::uint32_t volume = 0;
        {
            std::unique_lock guard{relay.mutex};
            if (!relay.more.wait(guard, stop, [&] { return !relay.volumes.empty(); })) return;
            volume = relay.volumes.front();
            relay.volumes.pop_front();
        }
        Answer answer{number, volume, fail(Errc::network, "relay")};
        try {
            answer.peer = call_(number, volume, stop);
        } catch (const std::exception&) { // as if it had not answered
        }
        if (stop.stop_requested()) return;
        listener_(std::move(answer));
    }
}

} // namespace plankurier::cli
