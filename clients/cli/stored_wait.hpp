#pragma once
/// The last step of sending: waiting until enough relays have signed that they store everything,
/// then `finish`. One thread.

#include <clients/cli/wire.hpp>

#include <chrono>
#include <functional>

namespace plankurier::cli {

/// What the waiting does with the world.
struct StoredCalls {
    /// One relay's stored receipt, asked once.
    std::function<Result<std::string>(std::size_t relay)> ask;
    std::function<Result<Finished>(const std::vector<std::string>& receipts)> finish;
    /// Told once, when it takes longer than a moment.
    std::function<void(std::size_t have, std::size_t wanted)> waiting;
    /// A relay has not answered for a while. True when volumes must be sent again.
    std::function<bool()> send_again;
};

struct StoredTimes {
    std::chrono::milliseconds pause_max{250};
    std::chrono::milliseconds told{1'000};
    /// So long `stored_min` receipts are waited for before `finish` is tried with fewer: relays
    /// also tell the control plane themselves, and its own clock for "one copy must do" starts
    /// with the first try.
    std::chrono::milliseconds finish_early{3'000}, finish_every{5'000};
    std::chrono::milliseconds silent_pause{1'000}; ///< before a relay that is away is asked again
    std::chrono::milliseconds unreachable{4'000};
    /// When nobody answers at all for so long, it ends.
    std::chrono::milliseconds nobody{180'000};
    std::chrono::milliseconds all{15 * 60'000};
};

struct Stored {
    Finished finished;
    std::size_t copies{}; ///< receipts in hand
};

/// Asks `relays` relays until `stored_min` have signed, then finishes; while the service says
/// `unavailable` it goes on collecting. Nothing: `send_again` said so. Fails with `unavailable`
/// after the longest time, with `network` when nobody answers, with `canceled`, and with what
/// relays or the service refuse for good (`expired`, `revoked`, …).
[[nodiscard]] Result<std::optional<Stored>> finish_when_stored(std::size_t relays,
                                                               std::size_t stored_min,
                                                               const StoredCalls& calls,
                                                               const StoredTimes& times);

} // namespace plankurier::cli
