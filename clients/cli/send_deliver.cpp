#include <clients/cli/send_deliver.hpp>

#include <clients/cli/stored_wait.hpp>
#include <clients/cli/upload.hpp>

namespace plankurier::cli {

namespace {

void say_wait(Console& console, unsigned seconds) {
    console.say(Text::network_retry, {std::to_string(seconds)});
}

Upload::Watcher watcher_for(Console& console) {
    Upload::Watcher watcher;
    watcher.progress = [&console](std::uint64_t done, std::uint64_t total) {
        console.progress(Text::sending, done, total);
    };
    watcher.waiting = [&console](unsigned seconds) { say_wait(console, seconds); };
    watcher.resumed = [&console](unsigned percent) {
        console.say(Text::resumed, {std::to_string(percent)});
        console.event("resumed", {{"percent", std::int64_t{percent}}});
    };
    watcher.no_room = [&console, told = false]() mutable {
        if (!std::exchange(told, true)) console.warn(Text::no_room_waits);
    };
    watcher.settling = [&console] { console.say(Text::waiting_for_relay); };
    watcher.relay_lost = [&console](std::size_t relay) {
        console.say(Text::relay_lost, {std::to_string(relay + 1)});
        console.event("relay_lost", {{"relay", static_cast<std::int64_t>(relay + 1)}});
    };
    watcher.gathering = [&console](std::size_t relay) {
        console.say(Text::sent_anew, {std::to_string(relay + 1)});
        console.event("sent_anew", {{"relay", static_cast<std::int64_t>(relay + 1)}});
    };
    return watcher;
}

StoredCalls stored_calls(const DeliveryJob& job, const ManageRight& right, Upload& upload,
                         const std::vector<RelayAddress>& relays, const Hash256& content_root) {
    StoredCalls calls;
    calls.ask = [&job, &upload, &relays, content_root](std::size_t relay) {
        const StoredReceipt expected{relays[relay].id, job.state.transfer, content_root,
                                     job.layout.body_len(), 0};
        return upload.stored(relay).and_then(
            [&](std::string receipt) { return receipt_for(std::move(receipt), expected); });
    };
    calls.progress = [&upload] { return upload.stored_pieces(); };
    calls.gather = [&upload] { return upload.gather(); };
    calls.finish = [&job, right,
                    content_root](const std::vector<std::string>& receipts) -> Result<Finished> {
        auto answer = job.control.finish(right, receipts, content_root);
        if (answer && answer->state == "uploading") return fail(Errc::unavailable, "not yet");
        return answer;
    };
    calls.waiting = [&job](std::size_t have, std::size_t wanted) {
        job.console.say(Text::copies_made, {std::to_string(have), std::to_string(wanted)});
        job.console.event("copies", {{"copies", static_cast<std::int64_t>(have)},
                                     {"wanted", static_cast<std::int64_t>(wanted)}});
    };
    calls.send_again = [&upload] { return upload.review(); };
    return calls;
}

/// As patient as everything else: the sum of all waits.
StoredTimes times_for(const RetryRule& retry) {
    StoredTimes times;
    std::chrono::seconds all{0};
    for (unsigned attempt = 1; attempt <= retry.retries && all < std::chrono::minutes{15};
         ++attempt) {
        all += std::chrono::seconds{RetryRule::wait_seconds(attempt)};
    }
    times.nobody = std::min<std::chrono::milliseconds>(all, times.all);
    return times;
}

} // namespace

Result<Delivered> deliver(const DeliveryJob& job) {
    const RetryRule retry{job.options.retries};
    const ManageRight right{job.state.transfer, job.state.manage};
    // The first by the line that is there; those that follow in the background by one of their own.
    auto for_tickets = ticket_client(job.control.server(), http_settings(job.options));
    auto offer = with_retries(
        retry, [&] { return job.control.ticket(right); },
        [&](unsigned seconds) { say_wait(job.console, seconds); });
    if (!offer) return tl::unexpected(offer.error());
    TicketBox tickets{[&] { return for_tickets.ticket(right); }, *offer};
    auto relays = known_relays(offer->relays, job.service.relays);
    if (!relays) return tl::unexpected(relays.error());
    sort_relays(*relays, job.state.transfer);
    Upload upload{{job.state.key, job.state.transfer, job.header, job.layout, job.source, job.store,
                   *relays, job.options.lanes, retry, job.options.resume, job.touched},
                  http_settings(job.options),
                  tickets,
                  watcher_for(job.console)};
    for (;;) {
        auto sent = upload.run();
        job.console.end_progress();
        if (!sent) return tl::unexpected(sent.error());
        const auto content_root = upload.sealed_content();
        if (!content_root) return tl::unexpected(content_root.error());
        const auto calls = stored_calls(job, right, upload, *relays, *content_root);
        auto stored =
            finish_when_stored(relays->size(), offer->stored_min, calls, times_for(retry));
        if (!stored) return tl::unexpected(stored.error());
        if (*stored) return Delivered{(*stored)->finished, relays->size(), (*stored)->copies};
    }
}

} // namespace plankurier::cli
