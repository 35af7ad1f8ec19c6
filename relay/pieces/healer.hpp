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

    Healer(Catalog& catalog, const Relays& relays, Copier& copier, std::filesystem::path ca_file);
    ~Healer();
    Healer(const Healer&) = delete;
    Healer& operator=(const Healer&) = delete;
    /// What the newest sync named; replaces what the one before did. Does not wait.
    void set(std::vector<Wanted> wanted);

private:
    using Clock = std::chrono::steady_clock;
    void run(const std::stop_token& stop);
    void look_for(const Wanted& wanted);
    [[nodiscard]] std::optional<Wanted> due();

    Catalog& catalog_;
    const Relays& relays_;
    Copier& copier_;
    RelayCalls calls_; ///< the thread's
    std::mutex mutex_; ///< guards the three below
    std::condition_variable_any changed_;
    std::vector<Wanted> wanted_;
    bool fresh_{};                                   ///< a sync has named them since the last look
    std::map<TransferId, Clock::time_point> looked_; ///< when, last
    std::jthread thread_;                            ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
