#pragma once
/// One relay for each data folder. Any thread.

#include <filesystem>
#include <optional>
#include <utility>

namespace plankurier::relay::adapters {

/// Held until its end, or until the end of the process: programs that it starts do not inherit it.
/// The lock is on the folder itself, so that a full disk is no reason not to start.
class DataLock {
public:
    /// Nothing when another process has it. Throws std::system_error when there is no such folder.
    [[nodiscard]] static std::optional<DataLock> take(const std::filesystem::path& folder);
    /// Whether a relay runs with this folder. Throws std::system_error when nobody can say.
    [[nodiscard]] static bool is_held(const std::filesystem::path& folder);

    DataLock(DataLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    DataLock(const DataLock&) = delete;
    DataLock& operator=(const DataLock&) = delete;
    DataLock& operator=(DataLock&&) = delete;
    ~DataLock();

private:
    explicit DataLock(int fd) : fd_(fd) {}

    int fd_;
};

} // namespace plankurier::relay::adapters
