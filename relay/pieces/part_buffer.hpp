#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace plankurier::relay::pieces {

/// Memory for a part of a piece, used again by whoever comes next: the pages of fresh memory cost
/// more than the copy into them. Thread safe.
class PartBuffer {
public:
    static constexpr std::size_t bytes = 262'144; ///< the smallest piece is as long
    PartBuffer() {
        const std::scoped_lock lock{mutex};
        if (resting.empty()) {
            memory_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
        } else {
            memory_ = std::move(resting.back());
            resting.pop_back();
        }
    }
    ~PartBuffer() {
        const std::scoped_lock lock{mutex};
        if (resting.size() < resting_max) resting.push_back(std::move(memory_));
    }
    PartBuffer(const PartBuffer&) = delete;
    PartBuffer& operator=(const PartBuffer&) = delete;
    [[nodiscard]] std::span<std::byte> span() const noexcept { return {memory_.get(), bytes}; }

private:
    static constexpr std::size_t resting_max = 64;
    static inline std::mutex mutex; ///< guards resting
    static inline std::vector<std::unique_ptr<std::byte[]>> resting;
    std::unique_ptr<std::byte[]> memory_;
};

} // namespace plankurier::relay::pieces
