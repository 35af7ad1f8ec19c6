#pragma once
/// The clock of the relay's own machine, judged beside the time that the control plane tells, and
/// by which of the two may be deleted. `look` belongs to one thread; the rest is thread safe.

#include "relay/adapters/local.hpp"
#include "relay/domain/service_time.hpp"

#include <filesystem>
#include <optional>

namespace plankurier::relay::pieces {

class OwnTime {
public:
    /// `is_alone`: the control plane runs on another machine, so that this clock is one more.
    OwnTime(const std::filesystem::path& data_dir, bool is_alone);

    /// Takes an administrator's word that is waiting, judges the clock, and writes the relay's part
    /// of `status`. `told`: the time now by a control plane that trusts its clock.
    void look(std::optional<std::int64_t> told);
    /// By which time what is over may be deleted: the earlier of those that are trusted; nothing
    /// when none is. `is_doubted`: the control plane has been heard, and trusts its clock not.
    [[nodiscard]] std::optional<std::int64_t> delete_time(std::optional<std::int64_t> told,
                                                          bool is_doubted = false);
    /// For the control plane to compare its clock with; nothing when this one is not trusted, or is
    /// the same.
    [[nodiscard]] std::optional<std::int64_t> for_others();
    [[nodiscard]] std::int64_t now() { return time_.now(); }

private:
    const std::filesystem::path data_dir_;
    const bool is_alone_;
    adapters::SystemClock machine_;
    adapters::TimeFile file_;
    ServiceTime time_;
};

} // namespace plankurier::relay::pieces
