#pragma once
/// The relay's leave to serve, and the control plane's time. Both come from the last good sync.
/// Thread safe: one mutex.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

namespace plankurier::relay::pieces {

class Lease {
public:
    static constexpr std::int64_t seconds = 24 * 3'600;
    struct Clocks {
        std::function<std::int64_t()> wall_s;   ///< Unix seconds, as this machine believes
        std::function<std::int64_t()> steady_s; ///< goes on while the machine sleeps
    };
    /// With the system's clocks.
    Lease();
    explicit Lease(Clocks clocks) : clocks_(std::move(clocks)) {}

    /// A sync went well; `control_now` is the time it told, and whether that is its trusted time.
    void renew(std::int64_t control_now, bool is_trusted = true);
    /// Whether anything may be read: after the first good sync of this process and for 24 hours
    /// after the last. A relay that was cut off, or that came back from a backup, may not have
    /// heard what was deleted.
    [[nodiscard]] bool holds() const;
    /// The control plane's time; nothing before the first good sync.
    [[nodiscard]] std::optional<std::int64_t> control_now() const;
    /// The same, from a control plane that trusts its clock.
    [[nodiscard]] std::optional<std::int64_t> trusted_control_now() const;
    /// The latest of that and this machine's time: nothing is read after its day by any clock.
    [[nodiscard]] std::int64_t latest() const;
    /// The control plane's time, or this machine's while there is none.
    [[nodiscard]] std::int64_t now() const;

private:
    Clocks clocks_;
    mutable std::mutex mutex_; ///< guards all below
    std::optional<std::int64_t> renewed_steady_;
    std::int64_t renewed_control_{};
    bool is_trusted_{};
};

} // namespace plankurier::relay::pieces
