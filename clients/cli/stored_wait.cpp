#include <clients/cli/stored_wait.hpp>

#include <clients/cli/signals.hpp>

#include <plankurier/bytes.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Time = steady_clock::time_point;

bool of_the_line(Errc code) { return code == Errc::network || code == Errc::tls; }

/// A relay that copies still, or the service that waits for it; all else is for good.
bool may_come(Errc code) {
    return of_the_line(code) || code == Errc::unavailable || code == Errc::busy ||
           code == Errc::conflict || code == Errc::not_found || code == Errc::rate_limited ||
           code == Errc::no_space;
}

class Waiting {
public:
    Waiting(std::size_t relays, std::size_t stored_min, const StoredCalls& calls,
            const StoredTimes& times)
        : calls_(calls), times_(times), wanted_(std::min(stored_min, relays)), receipts_(relays),
          silent_since_(relays), ask_again_(relays), refused_(relays) {}

    Result<std::optional<Stored>> run() {
        for (milliseconds pause{1};; pause = std::min(2 * pause, times_.pause_max)) {
            somebody_answered_ = false;
            if (auto asked = ask_all(); !asked) return tl::unexpected(asked.error());
            if (auto finished = try_finish(); !finished) {
                return tl::unexpected(finished.error());
            } else if (*finished) {
                return std::optional{Stored{**finished, have()}};
            }
            const auto now = steady_clock::now();
            if (somebody_answered_) answered_ = now;
            const bool alone = !somebody_answered_ && (have() == 0 || service_silent_);
            if (alone && now - answered_ >= times_.nobody) return tl::unexpected(last_);
            if (now - begun_ > times_.all) return fail(Errc::unavailable, "copies are missing");
            if (!told_ && now - begun_ > times_.told) calls_.waiting(have(), wanted_);
            told_ = told_ || now - begun_ > times_.told;
            if (somebody_is_silent(now) && calls_.send_again()) return std::optional<Stored>{};
            if (is_stalled(now)) {
                if (calls_.gather()) return std::optional<Stored>{};
                return fail(Errc::unavailable, "no relay signs");
            }
            if (!pause_for(pause)) return fail(Errc::canceled, "waiting for copies");
        }
    }

private:
    [[nodiscard]] std::size_t have() const {
        return static_cast<std::size_t>(
            std::count_if(receipts_.begin(), receipts_.end(),
                          [](const std::string& receipt) { return !receipt.empty(); }));
    }

    [[nodiscard]] bool nobody_may_sign() const {
        return std::all_of(refused_.begin(), refused_.end(), [](bool refused) { return refused; });
    }

    Result<void> ask_all() {
        for (std::size_t relay = 0; relay < receipts_.size(); ++relay) {
            const bool rests = steady_clock::now() < ask_again_[relay];
            if (!receipts_[relay].empty() || have() >= wanted_ || rests) continue;
            auto receipt = calls_.ask(relay);
            // One relay's word is not the last, as long as another one may sign.
            refused_[relay] = !receipt && !may_come(receipt.error().code);
            if (refused_[relay] && nobody_may_sign()) return tl::unexpected(receipt.error());
            if (receipt) receipts_[relay] = std::move(*receipt);
            // Whoever keeps silent must not keep the others from being asked.
            if (!receipt && (refused_[relay] || of_the_line(receipt.error().code))) {
                ask_again_[relay] = steady_clock::now() + times_.silent_pause;
            }
            note(receipt ? std::optional<Error>{} : receipt.error(), &silent_since_[relay]);
        }
        return {};
    }

    Result<std::optional<Finished>> try_finish() {
        const auto now = steady_clock::now();
        const bool due = now >= finish_again_;
        const bool early = now - begun_ >= times_.finish_early;
        const auto count = have();
        if (count == 0 || !(count > finished_with_ || due)) return std::optional<Finished>{};
        if (count < wanted_ && !early) return std::optional<Finished>{};
        finish_again_ = now + times_.finish_every;
        finished_with_ = count;
        std::vector<std::string> in_hand;
        for (const auto& receipt : receipts_) {
            if (!receipt.empty()) in_hand.push_back(receipt);
        }
        auto finished = calls_.finish(in_hand);
        if (!finished && !may_come(finished.error().code)) {
            return tl::unexpected(finished.error());
        }
        note(finished ? std::optional<Error>{} : finished.error(), nullptr);
        service_silent_ = !finished && of_the_line(finished.error().code);
        // A line that broke is tried again sooner than a service that has spoken.
        if (service_silent_) finish_again_ = now + times_.told;
        if (!finished) return std::optional<Finished>{};
        return std::optional{std::move(*finished)};
    }

    void note(const std::optional<Error>& error, std::optional<Time>* silent_since) {
        const auto now = steady_clock::now();
        if (error) last_ = *error;
        if (!error || !of_the_line(error->code)) {
            somebody_answered_ = true;
            if (silent_since != nullptr) silent_since->reset();
        } else if (silent_since != nullptr && !*silent_since) {
            *silent_since = now;
        }
    }

    /// True at most once in that time.
    bool somebody_is_silent(Time now) {
        for (const auto& since : silent_since_) {
            if (!since || now - *since < times_.unreachable) continue;
            for (auto& one : silent_since_) one.reset();
            return true;
        }
        return false;
    }

    /// Relays that copy move; one that has signed is waited for by the service's own clock.
    bool is_stalled(Time now) {
        if (!calls_.gather || now - looked_ < times_.look) return false;
        looked_ = now;
        const auto seen = have() == 0 ? calls_.progress() : std::nullopt;
        if (!seen || seen != progress_) moved_ = now;
        progress_ = seen;
        return now - moved_ >= times_.stalled;
    }

    const StoredCalls& calls_;
    const StoredTimes& times_;
    std::size_t wanted_;
    std::vector<std::string> receipts_;             ///< per relay
    std::vector<std::optional<Time>> silent_since_; ///< per relay
    std::vector<Time> ask_again_;                   ///< per relay
    std::vector<bool> refused_;                     ///< per relay, by its last answer
    Time begun_{steady_clock::now()}, answered_{begun_}, finish_again_{begun_};
    Time looked_{begun_}, moved_{begun_};
    std::optional<std::uint64_t> progress_; ///< see StoredCalls
    std::size_t finished_with_{};
    bool told_{}, somebody_answered_{}, service_silent_{};
    Error last_{Errc::unavailable, "no relay"};
};

} // namespace

Result<std::string> receipt_for(std::string receipt, const StoredReceipt& expected) {
    const auto raw = from_base64url(receipt);
    if (!raw) return tl::unexpected(raw.error());
    auto said = read_stored(*raw);
    if (!said) return tl::unexpected(said.error());
    said->time = expected.time; // whenever that was
    if (*said != expected) return fail(Errc::tampered, "a receipt for something else");
    return receipt;
}

Result<std::optional<Stored>> finish_when_stored(std::size_t relays, std::size_t stored_min,
                                                 const StoredCalls& calls,
                                                 const StoredTimes& times) {
    return Waiting{relays, stored_min, calls, times}.run();
}

} // namespace plankurier::cli
