// When tickets are renewed, and who waits for it.
#include <clients/cli/lanes.hpp>

#include <algorithm>
#include <ctime>

namespace plankurier::cli {

using std::chrono::seconds;

namespace {

/// Where the two times of a ticket stand (docs/protocol.md, section 11).
constexpr std::size_t not_before_at = 4 + 16 + 1 + 8, times_end = not_before_at + 16;
constexpr seconds try_again{3}, look_again{10};

std::int64_t number_at(ByteView bytes, std::size_t at) {
    std::uint64_t value = 0;
    for (const auto byte : bytes.subspan(at, 8))
        value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return static_cast<std::int64_t>(value);
}

/// Both times are the control plane's, so their difference needs no clock of ours.
seconds life_of(const TicketAnswer& answer) {
    const auto bytes = from_base64url(answer.ticket);
    const bool readable = bytes && bytes->size() >= times_end;
    const auto begins = readable ? number_at(*bytes, not_before_at) : std::time(nullptr);
    const auto ends = readable ? number_at(*bytes, not_before_at + 8) : answer.expires;
    return seconds{std::clamp<std::int64_t>(ends - begins, 0, ticket_seconds_max)};
}

} // namespace

TicketBox::TicketBox(Renew renew, TicketAnswer current) : renew_(std::move(renew)) {
    if (!current.ticket.empty()) take(std::move(current));
    thread_ = std::jthread{[this](const std::stop_token& stop) { renew_in_time(stop); }};
}

TicketBox::~TicketBox() {
    thread_.request_stop();
    changed_.notify_all();
}

bool TicketBox::good() const { return !current_.ticket.empty() && BootClock::now() < ends_; }

void TicketBox::take(TicketAnswer answer) {
    const auto now = BootClock::now();
    const auto life = life_of(answer);
    ends_ = now + life;
    renew_at_ = now + life * 2 / 3;
    current_ = std::move(answer);
}

Result<void> TicketBox::renew_now(std::unique_lock<std::mutex>& lock) {
    renewing_ = true;
    lock.unlock();
    Result<TicketAnswer> renewed = fail(Errc::unavailable, "environment");
    try {
        renewed = renew_();
    } catch (const std::exception&) { // told as unavailable
    }
    lock.lock();
    renewing_ = false;
    if (renewed) {
        take(std::move(*renewed));
    } else {
        last_error_ = renewed.error();
        renew_at_ = BootClock::now() + try_again;
    }
    changed_.notify_all();
    if (!renewed) return tl::unexpected(last_error_);
    return {};
}

Result<void> TicketBox::ensure(std::unique_lock<std::mutex>& lock) {
    if (good()) return {};
    if (!renewing_) return renew_now(lock);
    changed_.wait(lock, [&] { return !renewing_; });
    if (good()) return {};
    return tl::unexpected(last_error_);
}

void TicketBox::renew_in_time(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (!stop.stop_requested()) {
        // Without a ticket whoever needs one asks, and hears why there is none.
        const bool due = good() && !renewing_ && BootClock::now() >= renew_at_;
        if (due) {
            static_cast<void>(renew_now(lock));
            continue;
        }
        // Waiting does not count while the computer sleeps; the boot clock does.
        const auto left = good() ? renew_at_ - BootClock::now() : BootClock::duration{look_again};
        const auto wait = std::clamp<BootClock::duration>(left, std::chrono::milliseconds{1},
                                                          BootClock::duration{look_again});
        const auto before = renew_at_;
        changed_.wait_for(lock, stop, wait, [&] { return renew_at_ != before; });
    }
}

Result<std::string> TicketBox::header() {
    std::unique_lock lock{mutex_};
    if (auto ready = ensure(lock); !ready) return tl::unexpected(ready.error());
    return "Authorization: Plankurier " + current_.ticket;
}

Result<TicketAnswer> TicketBox::offer() {
    std::unique_lock lock{mutex_};
    if (auto ready = ensure(lock); !ready) return tl::unexpected(ready.error());
    return current_;
}

void TicketBox::refused(const std::string& used) {
    const std::lock_guard guard{mutex_};
    if (used.ends_with(current_.ticket)) current_.ticket.clear();
}

ControlClient ticket_client(const std::string& server, HttpSettings settings) {
    settings.silence_seconds = std::min(settings.silence_seconds, 10U);
    settings.busy_patience = seconds{60};
    return ControlClient{server, settings};
}

} // namespace plankurier::cli
