#pragma once
/// Which piece of a body goes to which relay, and what is still to be done. Volume v enters at
/// relay v % n of the ring; a relay that fails hands its volumes to the next one. Pure logic
/// without I/O; one owner at a time (`Upload` guards it with its mutex).

#include <clients/cli/wire.hpp>

#include <plankurier/layout.hpp>

namespace plankurier::cli {

/// The same order on every start, as long as the list is the same: what is durable lies where it
/// is looked for. Sorted by id, rotated by the transfer's first byte, so that transfers begin at
/// different relays. `relays` is not empty.
void sort_relays(std::vector<RelayAddress>& relays, const TransferId& transfer);

class UploadPlan {
public:
    /// Relays are numbers below `relays` (at least 1), in ring order.
    UploadPlan(const BodyLayout& layout, std::size_t relays);

    /// The piece's root is noted. A durable piece without it is sealed and sent once more, since
    /// the descriptor needs it.
    void know_root(std::uint64_t piece);
    /// What a relay says is durable there; replaces what it said before. Fails with `malformed`.
    [[nodiscard]] Result<void> take_map(std::size_t relay, const std::vector<VolumeMap>& map);
    /// Gives every volume that is described nowhere to the relay that holds most of it, else to
    /// the next one of the ring: for the start, after the first maps.
    void choose_entries();

    struct Task {
        std::uint64_t piece{};
        std::size_t relay{};
    };
    /// The first piece that nobody sends and nobody has. Nothing when there is none now.
    [[nodiscard]] std::optional<Task> take();
    /// The relay has the piece, though not durable yet.
    void received(const Task& task);
    /// The piece did not arrive.
    void give_back(const Task& task);
    /// No lane runs: what one of them took and did not give back is nobody's.
    void nothing_flies();
    /// What was received and is still not durable is to be sent anew (a relay that restarted has
    /// forgotten it).
    void forget_received();

    /// Volumes that are durable at their entry relay, with all roots known, described nowhere.
    [[nodiscard]] std::vector<std::uint32_t> ready() const;
    [[nodiscard]] std::size_t entry(std::uint32_t volume) const { return entry_[volume]; }
    /// The descriptor is durable at this relay.
    void described(std::uint32_t volume, std::size_t relay);
    /// Relays whose maps can bring something new: those at which a volume arrived whole that is
    /// not described yet.
    [[nodiscard]] std::vector<std::size_t> to_ask() const;

    /// The relay gets nothing any more; its volumes that are described nowhere go to the next one.
    /// What it has described counts on. No effect on the last one that is alive: false.
    bool lose(std::size_t relay);
    /// `lose` for each that calls a volume durable and was offered its descriptor in vain. Gives
    /// those that are lost by it.
    std::vector<std::size_t> lose_refusing();
    [[nodiscard]] bool alive(std::size_t relay) const { return alive_[relay]; }
    /// All relays may be used again.
    void revive();
    /// Descriptors at relays that are lost do not count any more.
    void forget_lost();
    /// Somebody says that it has what it has not, or nobody copies: everything goes to one relay,
    /// and of descriptors only those count that it takes from now on. What is durable there is not
    /// sent again. Who says that it has all comes last, since it does not sign for it. Nothing:
    /// each that is alive has had its turn.
    [[nodiscard]] std::optional<std::size_t> gather();

    /// True when every volume is described at some relay.
    [[nodiscard]] bool complete() const;
    /// True when `take` would give something.
    [[nodiscard]] bool has_task() const;
    /// True for a piece of a described volume, or durable at its volume's entry relay.
    [[nodiscard]] bool durable(std::uint64_t piece) const;
    [[nodiscard]] std::uint64_t durable_pieces() const;
    /// Durable or received.
    [[nodiscard]] std::uint64_t arrived_pieces() const;

private:
    using Mask = std::uint64_t; ///< bit i: piece i of the volume
    [[nodiscard]] static std::uint32_t volume_of(std::uint64_t piece) noexcept;
    [[nodiscard]] static Mask bit_of(std::uint64_t piece) noexcept;
    [[nodiscard]] Mask all(std::uint32_t volume) const;
    [[nodiscard]] Mask wanted(std::uint32_t volume) const;
    [[nodiscard]] bool is_described(std::uint32_t volume) const;
    [[nodiscard]] std::size_t next_alive(std::size_t from) const;
    void move(std::uint32_t volume, std::size_t relay);

    BodyLayout layout_;
    std::vector<bool> alive_;                    ///< per relay
    std::vector<std::vector<Mask>> seen_;        ///< durable, per relay and volume
    std::vector<std::vector<bool>> descriptors_; ///< per relay and volume
    std::vector<std::size_t> entry_;             ///< per volume
    std::vector<Mask> known_;                    ///< roots that are noted
    std::vector<Mask> received_;                 ///< by the entry relay
    std::vector<Mask> flying_;
    std::vector<bool> gathered_;        ///< per relay
    std::optional<std::size_t> target_; ///< see `gather`
    std::uint32_t first_{};             ///< no volume before it wants anything
};

} // namespace plankurier::cli
