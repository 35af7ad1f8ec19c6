#pragma once
/// The relays that are registered with this control plane: which of them live, and which should
/// hold a transfer. Values in memory; the owner sees to it that one thread at a time uses them.

#include <plankurier/ids.hpp>
#include <plankurier/keys.hpp>

#include <map>
#include <optional>
#include <vector>

namespace plankurier::relay {

/// A relay that may hold pieces.
struct KnownRelay {
    RelayId id;
    SigningPublicKey key{};
    std::string url;
    friend bool operator==(const KnownRelay&, const KnownRelay&) = default;
};

/// Of the file system that a relay keeps its pieces on.
struct RelaySpace {
    std::uint64_t free_bytes{}, total_bytes{};
};

/// What a relay has found by reading what it stores.
struct RelayHealth {
    std::int64_t damaged_pieces{}; ///< since its index was made
    std::int64_t scrubbed_s{};     ///< so long ago it read what it has not read for longest
};

class KnownRelays {
public:
    /// A relay lives while its last sync is at most this old.
    static constexpr std::int64_t live_s = 30;

    /// Of all `relays` it is assumed that they live: the control plane starts, and has heard
    /// nobody yet. Times are those of `Clock::monotonic`.
    KnownRelays(std::vector<KnownRelay> relays, std::int64_t now);

    /// Replaces the list. Who is new does not live before its first sync.
    void replace(std::vector<KnownRelay> relays);
    /// The relay has said something.
    void heard(const RelayId& relay, std::int64_t now);
    void set_space(const RelayId& relay, const RelaySpace& space);
    /// The time by the clock of the relay's machine, or that it trusts none.
    void set_clock(const RelayId& relay, std::optional<std::int64_t> wall, std::int64_t now);
    /// The time now by the clocks of those that live.
    [[nodiscard]] std::vector<std::int64_t> clocks(std::int64_t now) const;
    void set_health(const RelayId& relay, const RelayHealth& health);
    /// What it last said, zeros when it never did.
    [[nodiscard]] RelayHealth health_of(const RelayId& relay) const;
    /// What it last said; nothing when it never did.
    [[nodiscard]] std::optional<RelaySpace> space_of(const RelayId& relay) const;

    /// In order of their ids.
    [[nodiscard]] const std::vector<KnownRelay>& all() const noexcept { return relays_; }
    [[nodiscard]] std::vector<RelayId> ids() const;
    [[nodiscard]] const KnownRelay* find(const RelayId& relay) const noexcept;
    [[nodiscard]] bool is_live(const RelayId& relay, std::int64_t now) const;
    [[nodiscard]] std::size_t live_count(std::int64_t now) const;
    /// How many must store a transfer before it is available: two, or one where no two live.
    [[nodiscard]] std::size_t copies_min(std::int64_t now) const;

    /// All in the order in which they get a transfer: sorted by id, begun with the one that the
    /// first byte of the id points to, so that the load spreads and everybody computes the same.
    [[nodiscard]] std::vector<KnownRelay> ring(const TransferId& transfer) const;
    /// The first `count_max` of the ring that live; of all when nobody lives.
    [[nodiscard]] std::vector<KnownRelay> offered(const TransferId& transfer, std::size_t count_max,
                                                  std::int64_t now) const;
    /// True when the relay should have a copy: it is among the first `count_max` of the ring, or
    /// stands in for one of them because fewer than `copies_min` of those live.
    [[nodiscard]] bool should_hold(const RelayId& relay, const TransferId& transfer,
                                   std::size_t count_max, std::int64_t now) const;

private:
    std::vector<KnownRelay> relays_;
    std::map<RelayId, std::int64_t> heard_; ///< only of registered relays
    std::map<RelayId, RelaySpace> space_;   ///< likewise
    struct Told {
        std::int64_t wall{}, at{};
    };
    std::map<RelayId, Told> clocks_;        ///< likewise
    std::map<RelayId, RelayHealth> health_; ///< likewise
};

} // namespace plankurier::relay
