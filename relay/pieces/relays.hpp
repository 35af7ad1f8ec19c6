#pragma once
/// The relays of this authority, as the control plane names them in each sync answer.
/// Thread safe: one mutex.

#include <plankurier/keys.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace plankurier::relay::pieces {

struct OtherRelay {
    RelayId id;
    std::string url; ///< https://host[:port], without a path
    SigningPublicKey key{};
};

/// The relays that a transfer is stored at when all are there: the first `copies_max` by id, from
/// the one on that the first byte of its id chooses (docs/protocol.md, section 3).
[[nodiscard]] std::vector<OtherRelay>
holders_of(std::vector<OtherRelay> relays, const TransferId& transfer, std::size_t copies_max);
/// Whom `self` copies a volume from, in the order to try: its predecessor among the holders by id
/// from `entry` on (so that each relay gives a volume about once), `entry` itself, then all others.
/// Empty when `entry` or `self` is unknown, or they are the same.
[[nodiscard]] std::vector<OtherRelay> upstreams_of(const std::vector<OtherRelay>& relays,
                                                   const std::vector<OtherRelay>& holders,
                                                   const RelayId& entry, const RelayId& self);

class Relays {
public:
    explicit Relays(RelayId self) : self_(self) {}
    [[nodiscard]] const RelayId& self() const noexcept { return self_; }
    void set(std::vector<OtherRelay> relays, std::size_t copies_max);
    /// All but this one.
    [[nodiscard]] std::vector<OtherRelay> others() const;
    /// Those that a transfer is stored at, this one perhaps among them.
    [[nodiscard]] std::vector<OtherRelay> holders(const TransferId& transfer) const;
    /// See `upstreams_of`.
    [[nodiscard]] std::vector<OtherRelay> upstreams(const TransferId& transfer,
                                                    const RelayId& entry) const;
    [[nodiscard]] bool knows(const RelayId& id) const;

private:
    const RelayId self_;
    mutable std::mutex mutex_; ///< guards both below
    std::vector<OtherRelay> relays_;
    std::size_t copies_max_{};
};

} // namespace plankurier::relay::pieces
