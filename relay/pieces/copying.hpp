#pragma once
/// Copying by swarm, wired: what the piece plane's calls and the sync ask of it.
/// Thread safe, as its parts are.

#include "relay/pieces/healer.hpp"
#include "relay/pieces/pusher.hpp"

#include <atomic>

namespace plankurier::relay::pieces {

struct CopyingSettings {
    std::filesystem::path socket;  ///< where swarm processes connect to
    std::filesystem::path ca_file; ///< whom to trust for other relays; empty: the system's
    std::vector<std::string> trusted_networks;
    std::chrono::milliseconds disk_rest{}; ///< see Copier
    std::uint64_t heal_bytes_per_s{};      ///< see Healer
};

class Copying {
public:
    /// `stored`: told on a copying thread when the last descriptor of a transfer is durable.
    Copying(Catalog& catalog, Committer& committer, const Relays& relays, const Lease& lease,
            ControlCalls& control, const CopyingSettings& settings, std::function<void()> stored);

    /// `POST …/copy`: another relay has a volume. Fails with `not_found` (no such relay),
    /// `malformed`, `unavailable`, `purged`, `conflict`, `no_space` (see `set_full`).
    Result<void> note(CopyJob job);
    /// `POST …/swarm`: see `SwarmVolumes::want`. Fails at once with what the catalog says.
    void want(const Ticket& ticket, std::uint32_t volume, SwarmKind kind, SwarmVolumes::Told told);
    /// A sender's descriptor has become durable here.
    void push(const VolumeName& volume, const std::string& ticket, ByteView descriptor) {
        pusher_.push(volume, ticket, descriptor);
    }
    /// What the sync says this relay should hold.
    void heal(std::vector<Healer::Wanted> wanted) { healer_.set(std::move(wanted)); }
    /// The control plane has promised all room here: nothing is taken of transfers that are new.
    void set_full(bool full) noexcept { is_full_ = full; }
    /// The volume is damaged: on return none of it is served by swarm.
    void unload(const VolumeName& volume) { volumes_.unload(volume); }
    /// On return none of it is being copied; later it is again.
    void let_go(const TransferId& transfer) { copier_.cancel(transfer); }
    /// The transfer is forbidden or halted: on return none of it is copied, loaded or served by
    /// swarm.
    void stop(const TransferId& transfer);

    [[nodiscard]] SwarmVolumes& volumes() noexcept { return volumes_; }

private:
    Catalog& catalog_;
    const Relays& relays_;
    TrustedNetworks trusted_;
    Certificates certificates_;
    SwarmVolumes volumes_;
    Copier copier_;
    Healer healer_;
    Pusher pusher_;
    std::atomic<bool> is_full_{};
};

} // namespace plankurier::relay::pieces
