#pragma once
/// The volumes that this relay is to get from others: a bounded queue and four threads that copy
/// one volume each. Nothing of it is durable: what a crash forgets, the next syncs name again.
/// Thread safe: one mutex.

#include "relay/pieces/copy_volume.hpp"
#include "relay/pieces/lease.hpp"

namespace plankurier::relay::pieces {

class Copier {
public:
    static constexpr unsigned at_once = 4;
    static constexpr std::size_t queued_max = 1'024;
    /// Told on a copying thread when a descriptor has become durable.
    using Described = std::function<void(const TransferId&)>;

    /// `disk_rest`: see CopyRest.
    Copier(CopyParts parts, const Lease& lease, const std::filesystem::path& ca_file,
           std::chrono::milliseconds disk_rest, Described described);
    ~Copier();
    Copier(const Copier&) = delete;
    Copier& operator=(const Copier&) = delete;

    /// Queues a volume; a known one only gets the newer ticket. Fails with `unavailable` (full).
    Result<void> note(CopyJob job);
    /// On return nothing of the transfer is queued or being copied.
    void cancel(const TransferId& transfer);
    [[nodiscard]] std::size_t queued();
    [[nodiscard]] bool has(const VolumeName& volume);

private:
    struct Entry {
        CopyJob job;
        std::shared_ptr<CopyNews> news;
        bool running{};
        std::chrono::steady_clock::time_point not_before;
        CopyRest rest{};
    };
    void run(const std::stop_token& stop, const std::filesystem::path& ca_file);
    [[nodiscard]] std::optional<VolumeName> next(std::chrono::steady_clock::time_point& wake);
    [[nodiscard]] CopyEnd attempt(RelayCalls& calls, const CopyJob& job,
                                  const std::shared_ptr<CopyNews>& news);
    void settle(const VolumeName& volume, CopyEnd end);

    const CopyParts parts_;
    const Lease& lease_;
    const std::chrono::milliseconds disk_rest_;
    const Described described_;
    std::mutex mutex_; ///< guards entries_
    std::condition_variable_any changed_;
    std::map<VolumeName, Entry> entries_;
    std::vector<std::jthread> threads_; ///< last, so that they end first
};

} // namespace plankurier::relay::pieces
