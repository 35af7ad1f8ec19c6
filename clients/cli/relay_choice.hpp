#pragma once
/// Which relay is asked next: those that failed rest for a while, those that delivered wrong bytes
/// are never asked again. Thread safe: one mutex.

#include <plankurier/error.hpp>

#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

namespace plankurier::cli {

/// True for trouble on this computer, which no other relay cures.
[[nodiscard]] constexpr bool is_local(Errc code) noexcept {
    return code == Errc::no_space || code == Errc::file_unreadable || code == Errc::canceled;
}

class RelayChoice {
public:
    using Time = std::chrono::steady_clock::time_point;
    explicit RelayChoice(std::size_t relays) : relays_(relays) {}

    /// The first from `wanted` on, going round, that neither lied nor rests; when all others rest,
    /// the one whose rest ends first. Nothing when all have lied.
    [[nodiscard]] std::optional<std::size_t>
    pick(std::size_t wanted, Time now = std::chrono::steady_clock::now()) const;
    /// The relay does not answer, or has nothing: it rests, longer each time (10 s to 5 min).
    void failed(std::size_t relay, Time now = std::chrono::steady_clock::now());
    void worked(std::size_t relay);
    /// The relay delivered wrong bytes. True when that is news.
    bool lied(std::size_t relay);
    /// It neither lied nor rests.
    [[nodiscard]] bool usable(std::size_t relay, Time now = std::chrono::steady_clock::now()) const;
    /// How many have not lied.
    [[nodiscard]] std::size_t honest_count() const;

private:
    struct Relay {
        Time rests_until{};
        unsigned failures{};
        bool lied{};
    };
    mutable std::mutex mutex_; ///< guards all below
    std::vector<Relay> relays_;
};

} // namespace plankurier::cli
