#pragma once
/// The last step of sending: waiting until enough relays have signed that they store everything,
/// then `finish`. One thread.

#include <clients/cli/wire.hpp>

#include <plankurier/records.hpp>

#include <chrono>
#include <functional>
#include <optional>

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
    /// How much the relays have, by their own word; nothing when none of them says.
    std::function<std::optional<std::uint64_t>()> progress{};
    /// Nobody has signed, and nothing has moved for `stalled`: somebody says that it has what it
    /// has not. True when volumes must be sent again, false when there is nothing left to be tried.
    std::function<bool()> gather{};
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
    std::chrono::milliseconds look{5'000}, stalled{60'000};
};

/// A stored receipt as a relay gave it, if it says what it must. Who signs for something else signs
/// for nothing, and the service would refuse it. The signature itself is the service's to check.
/// Fails with `malformed`, and with `tampered` when it is for another relay, transfer or content.
[[nodiscard]] Result<std::string> receipt_for(std::string receipt, const StoredReceipt& expected);

struct Stored {
    Finished finished;
    std::size_t copies{}; ///< receipts in hand
};

/// Asks `relays` relays until `stored_min` have signed, then finishes; while the service says
/// `unavailable` it goes on collecting. Nothing: `send_again` or `gather` said so. Fails with
/// `unavailable` after the longest time and when `gather` has nothing left, with `network` when
/// nobody answers, with `canceled`, and with what relays or the service refuse for good (`expired`,
/// `revoked`, …).
[[nodiscard]] Result<std::optional<Stored>> finish_when_stored(std::size_t relays,
                                                               std::size_t stored_min,
                                                               const StoredCalls& calls,
                                                               const StoredTimes& times);

} // namespace plankurier::cli
