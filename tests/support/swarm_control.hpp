#pragma once
/// The control plane as relays see it, on a Unix socket: it answers syncs and issues certificates,
/// and does nothing by itself, so that a test decides what relays hear. Signatures are checked and
/// made for real. Thread safe: one mutex.

#include "relay/adapters/swarm_authority.hpp"
#include "relay/http/server.hpp"
#include "relay/pieces/relays.hpp"

#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <plankurier/swarm.hpp>

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <thread>

namespace plankurier::test {

class SwarmControl {
public:
    explicit SwarmControl(const std::filesystem::path& socket);
    ~SwarmControl();
    SwarmControl(const SwarmControl&) = delete;
    SwarmControl& operator=(const SwarmControl&) = delete;

    void set_relays(std::vector<relay::pieces::OtherRelay> relays);
    /// Every relay without a receipt is told to hold it.
    void want_copies(const Ticket& peer_ticket);
    void bury(const TransferId& transfer);
    /// Its recipient has reported the transfer.
    void report(const TransferId& transfer);
    void lose_receipts();
    /// Every relay is told that it has no room for anything new.
    void set_full(bool full);
    /// A certificate for a transfer with a key of its own, as a recipient's client gets it.
    [[nodiscard]] SwarmCertificate invite(const TransferId& transfer);
    void set_answering(bool answers);
    /// How many seconds certificates are good for.
    void set_certificate_seconds(std::int64_t seconds);

    [[nodiscard]] std::size_t syncs() const;
    /// The last sync named a disk that has more bytes in all than free.
    [[nodiscard]] bool space_told() const;
    [[nodiscard]] std::size_t certificate_calls() const;
    /// Relays whose receipt for the transfer came, with this content.
    [[nodiscard]] std::size_t stored(const TransferId& transfer, const Hash256& content) const;
    [[nodiscard]] std::size_t gone(const TransferId& transfer) const;
    /// Relays that have said that they do not store it any more.
    [[nodiscard]] std::size_t lost(const TransferId& transfer) const;
    /// Waits a minute at most for what a sync brings. Fails the test when it does not come.
    void wait(const std::string& what, const std::function<bool()>& done) const;

private:
    relay::http::Response answer(const relay::http::Request& request);
    nlohmann::json sync(const relay::pieces::OtherRelay& from, const nlohmann::json& inner);
    nlohmann::json certificates(const nlohmann::json& inner);

    TempFolder folder_;
    relay::adapters::SwarmAuthority authority_;
    mutable std::mutex mutex_; ///< guards all below but the server
    std::vector<relay::pieces::OtherRelay> relays_;
    std::map<TransferId, Ticket> wanted_;
    std::vector<TransferId> buried_, reported_;
    std::map<TransferId, std::map<RelayId, Hash256>> stored_;
    std::map<TransferId, std::set<RelayId>> gone_, lost_;
    std::size_t syncs_{}, certificate_calls_{};
    std::int64_t certificate_seconds_{12 * 3'600};
    std::size_t copies_max_{3};
    bool answers_{true}, full_{};
    bool space_told_{};
    relay::adapters::SystemClock clock_;
    relay::http::Server server_;
    std::jthread thread_;
};

} // namespace plankurier::test
