#pragma once
/// This computer's clock beside the time that a service tells with its answers. Belongs to one
/// thread.

#include <cstdint>
#include <optional>

namespace plankurier::cli {

class ServiceClock {
public:
    /// Apart by more than this, one of the two is wrong.
    static constexpr std::int64_t difference_max_s = 3'600;

    /// An answer that has just come says this time (Unix seconds).
    void hear(std::int64_t date) noexcept;

    /// The service's time now; this computer's before anything was heard.
    [[nodiscard]] std::int64_t now() const noexcept;
    /// The time, when both clocks agree on it: what is over by it may be deleted. Nothing when they
    /// differ, or nothing was heard.
    [[nodiscard]] std::optional<std::int64_t> agreed_now() const noexcept;
    /// The clocks differ.
    [[nodiscard]] bool is_wrong() const noexcept;

private:
    std::optional<std::int64_t> ahead_s_; ///< this computer's clock, as last heard
};

} // namespace plankurier::cli
