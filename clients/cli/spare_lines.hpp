#pragma once
/// Lines to relays that connect while a fetch still waits for other things: for the key file that
/// opens, the envelope, the ticket. Each saves its TCP and TLS round trips later.

#include <clients/cli/http.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace plankurier::cli {

/// What nobody took ends with it. `begin` before all `take`, those from any thread.
class SpareLines {
public:
    explicit SpareLines(const HttpSettings& settings) : settings_(settings) {}
    ~SpareLines();
    SpareLines(const SpareLines&) = delete;
    SpareLines& operator=(const SpareLines&) = delete;

    /// Connects `count` lines in the background, to each of `urls` (of relays) in turn.
    void begin(const std::vector<std::string>& urls, unsigned count);

    /// A line for requests to `url`, with these settings: one that has connected, else a new one. A
    /// line that still connects is waited for, a second at most.
    [[nodiscard]] HttpLine take(const std::string& url, const HttpSettings& settings);

private:
    struct Spare {
        std::string url;
        HttpLine line;
        bool taken{};
        std::optional<bool> connected{}; ///< nothing: its thread still uses the line
        std::jthread thread{};           ///< last, so that it ends first
    };
    void connect(Spare& spare, const std::stop_token& stop);

    HttpSettings settings_;
    std::mutex mutex_; ///< guards `taken` and `connected` of all
    std::condition_variable changed_;
    std::deque<Spare> spares_;
};

} // namespace plankurier::cli
