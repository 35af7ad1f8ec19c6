#pragma once
/// One attempt to get one volume from other relays by swarm. Used by one thread.

#include "relay/pieces/committer.hpp"
#include "relay/pieces/copy_rest.hpp"
#include "relay/pieces/relay_calls.hpp"
#include "relay/pieces/swarm_volumes.hpp"
#include "relay/pieces/trusted_networks.hpp"

namespace plankurier::relay::pieces {

struct CopyJob {
    Ticket ticket;
    std::string ticket_text; ///< base64url
    VolumeName volume;
    RelayId from;     ///< has the volume and its descriptor
    Bytes descriptor; ///< empty: `from` is asked for it
    bool chain{true}; ///< by way of our predecessor in the chain that starts at `from`
    unsigned tries{}; ///< attempts so far
};

/// What an attempt works with.
struct CopyParts {
    Catalog& catalog;
    Committer& committer;
    SwarmVolumes& volumes;
    const Relays& relays;
    const TrustedNetworks& trusted;
};

class VolumeCopy {
public:
    /// All outlive the attempt. `news` also cancels it.
    VolumeCopy(CopyParts parts, RelayCalls& calls, const CopyJob& job,
               std::shared_ptr<CopyNews> news)
        : parts_(parts), calls_(calls), job_(job), news_(std::move(news)) {}
    /// Throws std::system_error for what the disk does.
    CopyEnd run();

private:
    class Reserved;
    [[nodiscard]] Result<Bytes> descriptor();
    [[nodiscard]] SwarmKind choose_kind();
    CopyEnd fill(const Descriptor& descriptor, const CopyTarget& target);
    CopyEnd collect(const CopyTarget& target, Reserved& reserved);
    [[nodiscard]] std::optional<CopyEnd> take(const CopyNews::State& state,
                                              const CopyTarget& target, Reserved& reserved);
    void ask_early();
    void tell_of_bad_bytes();
    [[nodiscard]] Result<RelayCalls::Place> ask(const OtherRelay& relay);
    bool connect(const RelayCalls::Place& place);
    [[nodiscard]] std::optional<CopyEnd> keep_asking();

    CopyParts parts_;
    RelayCalls& calls_;
    const CopyJob& job_;
    std::shared_ptr<CopyNews> news_;
    std::vector<OtherRelay> upstreams_; ///< in the order to try
    std::vector<Hash256> roots_;
    std::uint64_t piece_bytes_{};
    SwarmPlace place_;
    std::uint64_t durable_{};
    std::optional<RelayCalls::Place> early_; ///< where the first one has it, known before we load
    // Whom we ask: upstreams_[asked_], since when; nobody while pieces come.
    std::size_t asked_{}, told_bad_{};
    bool asking_{true}, connected_{};
    std::chrono::steady_clock::time_point asking_since_, moved_;
};

} // namespace plankurier::relay::pieces
