#pragma once
/// The relay's talk with the control plane (docs/protocol.md, section 4): every second it says what
/// it holds, what is stored and what is gone, and hears what must go, who the other relays are and
/// what it should hold. One thread of its own.

#include "relay/pieces/control_calls.hpp"
#include "relay/pieces/copying.hpp"
#include "relay/pieces/own_time.hpp"

#include <plankurier/json.hpp>

#include <chrono>
#include <set>
#include <thread>

namespace plankurier::relay::pieces {

class Sync {
public:
    struct Parts {
        Catalog& catalog;
        Lease& lease;
        OwnTime& time;
        Relays& relays;
        ControlCalls& control;
        Copying* copying; ///< nullptr: this relay takes no part in copying
    };
    Sync(Parts parts, SigningSeed seed, SigningPublicKey control_key);
    ~Sync();
    Sync(const Sync&) = delete;
    Sync& operator=(const Sync&) = delete;
    /// There is something to tell: not at the next second, but now. Any thread.
    void nudge();

private:
    void run(const std::stop_token& stop);
    void once();
    [[nodiscard]] std::string request_text();
    void choose_stored(const std::vector<Catalog::Held>& all, std::int64_t now);
    void obey(const std::string& answer);
    void halt(const Json& list);
    void lengthen(const Json& leases, const Json& ends);
    void purge(const TransferId& transfer);
    void drop(const TransferId& transfer);

    Parts parts_;
    SigningSeed seed_;
    SigningPublicKey control_key_;
    const std::chrono::steady_clock::time_point begun_{std::chrono::steady_clock::now()};
    // The thread's own:
    std::size_t rotation_{};
    bool by_own_clock_{};          ///< the time in the next request; after a refusal the other one
    std::vector<TransferId> gone_; ///< to be told next time
    std::size_t told_{};           ///< how many of `gone_` the last request named
    const std::uint64_t generation_;    ///< of this process, drawn by lot
    bool has_more_{};                   ///< stored, to be told, than one request takes
    std::vector<std::string> receipts_; ///< for them, base64url
    std::vector<TransferId> telling_;   ///< stored, in the last request
    std::vector<TransferId> losing_;    ///< not stored any more, in the last request
    std::set<TransferId> told_stored_;  ///< the control plane has our receipt
    std::set<TransferId> handed_;       ///< clients have our receipt, and may have shown it there
    std::mutex mutex_;                  ///< guards nudged_
    std::condition_variable_any pause_;
    bool nudged_{};
    std::jthread thread_; ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
