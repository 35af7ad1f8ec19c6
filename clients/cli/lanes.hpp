#pragma once
/// What uploads and downloads share: tickets that are renewed in time, and the calls to relays that
/// are not about a piece's bytes.

#include <clients/cli/boot_clock.hpp>
#include <clients/cli/control_client.hpp>
#include <clients/cli/hedge.hpp>
#include <clients/cli/signals.hpp>

#include <plankurier/records.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace plankurier::cli {

/// How often a step is tried again after a failure of the line, and how long it waits before.
struct RetryRule {
    unsigned retries{10};
    bool waits_for_room{}; ///< a full disk of the service is waited for, too
    /// Seconds before attempt `attempt` (1-based): 1, 2, 4 … at most 30.
    [[nodiscard]] static unsigned wait_seconds(unsigned attempt) noexcept;
    /// True for failures that a later try may cure.
    [[nodiscard]] static bool worth_it(Errc code) noexcept;
    /// The same for a step under this rule.
    [[nodiscard]] bool may_cure(Errc code) const noexcept {
        return worth_it(code) || (waits_for_room && code == Errc::no_space);
    }
};

/// Runs `step` until it succeeds, fails for good, or the retries are used up. `notice` is told the
/// seconds before each wait. Stops with `canceled` when the user does.
template <typename Step, typename Notice>
auto with_retries(const RetryRule& rule, Step step, Notice notice) -> decltype(step()) {
    for (unsigned attempt = 1;; ++attempt) {
        auto result = step();
        if (result || !rule.may_cure(result.error().code) || attempt > rule.retries) {
            return result;
        }
        const auto seconds = RetryRule::wait_seconds(attempt);
        notice(seconds);
        if (!pause_for(std::chrono::seconds{seconds})) return fail(Errc::canceled, "retry");
    }
}

/// The current ticket of a transfer, renewed in the background when two thirds of its life are
/// over, so that nobody waits for a control plane that is away while the old one is good. A
/// ticket's life is the control plane's word and is measured by the boot clock: the clock on the
/// wall may be wrong. Any thread.
class TicketBox {
public:
    using Renew = std::function<Result<TicketAnswer>()>;
    /// `renew` is called by one thread at a time; `current` is what it gave before, if anything.
    explicit TicketBox(Renew renew, TicketAnswer current = {});
    ~TicketBox();
    TicketBox(const TicketBox&) = delete;
    TicketBox& operator=(const TicketBox&) = delete;

    /// The authorization header. Waits only when there is no ticket that is good.
    [[nodiscard]] Result<std::string> header();
    /// The last answer of the control plane: relays, and how many of them must store.
    [[nodiscard]] Result<TicketAnswer> offer();
    /// The next `header` waits for another one, because a relay refused `used`.
    void refused(const std::string& used);

private:
    [[nodiscard]] bool good() const;
    [[nodiscard]] Result<void> ensure(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] Result<void> renew_now(std::unique_lock<std::mutex>& lock);
    void take(TicketAnswer answer);
    void renew_in_time(const std::stop_token& stop);

    const Renew renew_;
    std::mutex mutex_; ///< guards all below
    std::condition_variable_any changed_;
    TicketAnswer current_;
    BootClock::time_point ends_{}, renew_at_{};
    bool renewing_{};
    Error last_error_{Errc::unavailable, "no ticket"};
    std::jthread thread_; ///< last, so that it ends first
};

/// A line of its own for renewing tickets, which connects when it is needed first. It gives up
/// soon: there is a next time.
[[nodiscard]] ControlClient ticket_client(const std::string& server, HttpSettings settings);

/// Where a relay serves a volume as a swarm peer.
struct SwarmPeer {
    std::string address; ///< numeric: where the relay answered by HTTPS
    std::uint16_t port{};
};

/// One transfer on the relays. Belongs to one thread.
class PieceClient {
public:
    /// `hedge`, if any, tells when a relay is stuck, and outlives the client.
    PieceClient(HttpLine line, TicketBox& tickets, const TransferId& transfer,
                Hedge* hedge = nullptr);
    PieceClient(const HttpSettings& settings, TicketBox& tickets, const TransferId& transfer,
                Hedge* hedge = nullptr)
        : PieceClient(HttpLine{settings}, tickets, transfer, hedge) {}

    /// All fail with the code the relay named, or `network`, `tls`, `malformed`, `canceled`.
    [[nodiscard]] Result<std::vector<VolumeMap>> map(const RelayAddress& relay);
    [[nodiscard]] Result<void> put_descriptor(const RelayAddress& relay, std::uint32_t volume,
                                              ByteView descriptor);
    [[nodiscard]] Result<Bytes> get_descriptor(const RelayAddress& relay, std::uint32_t volume);
    [[nodiscard]] Result<std::string> stored(const RelayAddress& relay);
    /// Where the relay serves the volume as a swarm peer, once it is ready for it. `not_found`,
    /// `conflict` and `unavailable` say: not yet.
    [[nodiscard]] Result<SwarmPeer> swarm(const RelayAddress& relay, std::uint32_t volume);
    /// What the relay gave of this volume was wrong: it is to look at it.
    [[nodiscard]] Result<void> ask_to_check(const RelayAddress& relay, std::uint32_t volume);
    /// See `HttpLine::watch`.
    void watch(std::function<bool()> keep_going) { keep_going_ = std::move(keep_going); }
    /// See `HttpLine::on_busy`.
    void on_busy(std::function<void(unsigned)> told) { line_.on_busy(std::move(told)); }
    /// PUT of one piece; returns the root that the relay computed.
    [[nodiscard]] Result<Hash256> put_piece(const RelayAddress& relay, std::uint32_t volume,
                                            std::uint32_t piece, std::uint64_t length,
                                            const HttpLine::Produce& produce,
                                            const HttpLine::Rewind& rewind);
    [[nodiscard]] Result<void> get_piece(const RelayAddress& relay, std::uint32_t volume,
                                         std::uint32_t piece, const HttpLine::Consume& consume);

private:
    [[nodiscard]] Result<std::string> begin(const RelayAddress& relay);
    [[nodiscard]] Result<std::string> checked(Result<HttpAnswer> answer, const std::string& header);
    [[nodiscard]] Result<std::string> call(std::string_view method, const RelayAddress& relay,
                                           const std::string& path, ByteView body);

    HttpLine line_;
    TicketBox& tickets_;
    std::string transfer_;
    Hedge* hedge_;
    std::function<bool()> keep_going_;
};

[[nodiscard]] std::vector<std::string> urls_of(const std::vector<RelayAddress>& relays);

/// Only those of `offered` that the signed service list names with the same URL. Fails with
/// `bad_signature` when none is left.
[[nodiscard]] Result<std::vector<RelayAddress>>
known_relays(const std::vector<RelayAddress>& offered, const std::vector<RelayAddress>& listed);

} // namespace plankurier::cli
