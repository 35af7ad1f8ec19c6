#include "relay/pieces/copier.hpp"

#include <algorithm>
#include <cstdio>
#include <system_error>

namespace plankurier::relay::pieces {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

} // namespace

Copier::Copier(CopyParts parts, const Lease& lease, const std::filesystem::path& ca_file,
               milliseconds disk_rest, Described described)
    : parts_(parts), lease_(lease), disk_rest_(disk_rest), described_(std::move(described)) {
    for (unsigned i = 0; i < at_once; ++i) {
        threads_.emplace_back([this, ca_file](const std::stop_token& stop) { run(stop, ca_file); });
    }
}

Copier::~Copier() {
    for (std::jthread& thread : threads_) thread.request_stop();
    {
        const std::scoped_lock lock{mutex_};
        for (auto& [volume, entry] : entries_) {
            entry.news->tell([](CopyNews::State& news) { news.canceled = true; });
        }
    }
    changed_.notify_all();
}

Result<void> Copier::note(CopyJob job) {
    {
        const std::scoped_lock lock{mutex_};
        const auto found = entries_.find(job.volume);
        if (found != entries_.end()) {
            CopyJob& known = found->second.job;
            if (job.ticket.expires > known.ticket.expires) {
                known.ticket = job.ticket;
                known.ticket_text = std::move(job.ticket_text);
            }
            return {};
        }
        if (entries_.size() >= queued_max) return fail(Errc::unavailable, "queue of copies");
        const VolumeName volume = job.volume;
        entries_[volume] = {std::move(job), std::make_shared<CopyNews>(), false,
                            steady_clock::now()};
    }
    changed_.notify_all();
    return {};
}

void Copier::cancel(const TransferId& transfer) {
    std::unique_lock lock{mutex_};
    const auto is_its = [&](const auto& one) { return one.first.transfer == transfer; };
    std::erase_if(entries_, [&](const auto& one) { return is_its(one) && !one.second.running; });
    for (auto& one : entries_) {
        if (!is_its(one)) continue;
        one.second.news->tell([](CopyNews::State& news) { news.canceled = true; });
    }
    changed_.wait(lock, [&] { return std::ranges::none_of(entries_, is_its); });
}

std::size_t Copier::queued() {
    const std::scoped_lock lock{mutex_};
    return entries_.size();
}

bool Copier::has(const VolumeName& volume) {
    const std::scoped_lock lock{mutex_};
    return entries_.contains(volume);
}

/// The one that has waited longest; else when to look again.
std::optional<VolumeName> Copier::next(steady_clock::time_point& wake) {
    auto best = entries_.end();
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
        if (at->second.running) continue;
        if (best == entries_.end() || at->second.not_before < best->second.not_before) best = at;
    }
    if (best == entries_.end()) return std::nullopt;
    if (best->second.not_before <= steady_clock::now()) return best->first;
    wake = std::min(wake, best->second.not_before);
    return std::nullopt;
}

CopyEnd Copier::attempt(RelayCalls& calls, const CopyJob& job,
                        const std::shared_ptr<CopyNews>& news) {
    if (lease_.now() >= job.ticket.expires) return CopyEnd::drop; // a sync brings a new ticket
    try {
        return VolumeCopy{parts_, calls, job, news}.run();
    } catch (const std::system_error& error) {
        std::fprintf(stderr, "pieces: copy a volume: %s\n", error.what());
        return CopyEnd::disk;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "pieces: copy a volume: %s\n", error.what());
        return CopyEnd::again;
    }
}

void Copier::settle(const VolumeName& volume, CopyEnd end) {
    {
        const std::scoped_lock lock{mutex_};
        const auto found = entries_.find(volume);
        Entry& entry = found->second;
        entry.running = false;
        const bool canceled = entry.news->wait(milliseconds{0}).canceled;
        if (canceled || end == CopyEnd::done || end == CopyEnd::drop) {
            entries_.erase(found);
        } else {
            entry.news =
                std::make_shared<CopyNews>(); // late news of this attempt is not the next's
            entry.not_before = steady_clock::now() + entry.rest.after(end, disk_rest_);
            ++entry.job.tries;
        }
    }
    changed_.notify_all();
}

void Copier::run(const std::stop_token& stop, const std::filesystem::path& ca_file) {
    RelayCalls calls{ca_file};
    std::unique_lock lock{mutex_};
    while (!stop.stop_requested()) {
        auto wake = steady_clock::now() + std::chrono::hours{1};
        const auto volume = next(wake);
        if (!volume) {
            changed_.wait_until(lock, stop, wake, [&] {
                auto later = wake;
                return next(later).has_value() || later < wake;
            });
            continue;
        }
        Entry& entry = entries_.at(*volume);
        entry.running = true;
        const CopyJob job = entry.job;
        const auto news = entry.news;
        lock.unlock();
        const CopyEnd end = attempt(calls, job, news);
        settle(*volume, end);
        if (end == CopyEnd::done) described_(volume->transfer);
        lock.lock();
    }
}

} // namespace plankurier::relay::pieces
