#pragma once
/// Finds out which volumes of a transfer are missing here and who has them, for the transfers that
/// the control plane says this relay should hold. Thread safe: one mutex. One thread of its own.

#include "relay/pieces/copier.hpp"

namespace plankurier::relay::pieces {

class Healer {
public:
    /// A transfer that this relay should hold, with a ticket for other relays.
    struct Wanted {
        Ticket ticket;
        std::string ticket_text;
    };
    static constexpr std::size_t wanted_max = 100;

    /// At most so many bytes a second are asked for, but those of one volume at once: who returns
    /// with an empty disk takes no more of the others' lines than that.
    Healer(Catalog& catalog, const Relays& relays, Copier& copier, std::filesystem::path ca_file,
           std::uint64_t bytes_per_s);
    ~Healer();
    Healer(const Healer&) = delete;
    Healer& operator=(const Healer&) = delete;
    /// What the newest sync named; replaces what the one before did. Does not wait.
    void set(std::vector<Wanted> wanted);

private:
    using Clock = std::chrono::steady_clock;
    void run(const std::stop_token& stop);
    void look_for(const Wanted& wanted, const std::stop_token& stop);
    bool wait_for_pace(const VolumeName& volume, const BodyLayout& layout,
                       const std::stop_token& stop);
    [[nodiscard]] std::optional<Wanted> due();

    Catalog& catalog_;
    const Relays& relays_;
    Copier& copier_;
    const std::uint64_t bytes_per_s_;
    RelayCalls calls_;       ///< this and the two below: the thread's
    Clock::time_point next_; ///< not before then
    unsigned round_{};
    std::mutex mutex_; ///< guards the three below
    std::condition_variable_any changed_;
    std::vector<Wanted> wanted_;
    bool fresh_{};                                   ///< a sync has named them since the last look
    std::map<TransferId, Clock::time_point> looked_; ///< when, last
    std::jthread thread_;                            ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
