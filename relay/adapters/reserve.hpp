#pragma once
/// Room on disks that is kept for what must always work: reading, revoking, expiring, purging.
///
/// Each file system has a folder `reserve` with one allocated file and some empty ones (inodes).
/// When it is nearly full they are removed, and nothing new is taken until there is room to make
/// them again. All is seen from the disk itself, so that the processes of a relay agree on it.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace plankurier::relay::adapters {

/// The reserve of one file system. One thread at a time; any number of processes.
class Reserve {
public:
    /// Lies in FOLDER/reserve. `bytes`: at most a sixteenth of the file system is taken.
    Reserve(std::filesystem::path folder, std::uint64_t bytes);
    enum class Change { none, given_up, taken_back };
    /// Gives the reserve up when less than a quarter of it is free beside it, makes it when there
    /// is room for it and as much as half of it more. Failures of the disk change nothing.
    Change watch();
    [[nodiscard]] bool is_whole() const;
    /// What it needs until it is whole.
    [[nodiscard]] std::uint64_t missing_bytes() const;
    /// No file can be made, or the reserve cannot be whole, for want of inodes.
    [[nodiscard]] bool lacks_inodes() const;
    /// Whether so many bytes may be taken for something new.
    [[nodiscard]] bool has_room_for(std::uint64_t bytes) const;
    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

private:
    struct Room {
        std::uint64_t bytes{}, inodes{};
        bool counts_inodes{};
    };
    [[nodiscard]] Room room() const;
    [[nodiscard]] bool is_short(const Room& room) const;
    void remove_all() const;
    bool make() const;

    std::filesystem::path folder_, files_;
    std::uint64_t bytes_;
    bool was_whole_{true};
};

/// The reserves of all folders that a process writes to, one for each file system. Thread safe:
/// one mutex.
class Reserves {
public:
    /// Makes folders that are missing, and the reserves where there is room. `who` stands in the
    /// log. `bytes` == 0: there are none, and nothing is ever short.
    Reserves(const std::vector<std::filesystem::path>& folders, std::uint64_t bytes,
             std::string who);
    /// Looks at all of them and says on standard error what is new.
    void watch();
    /// Some file system has given its reserve up. Without looking.
    [[nodiscard]] bool is_short() const noexcept { return is_short_; }
    /// After something has failed: looks, and says whether it was for want of room, so that it may
    /// do now what it could not.
    bool make_room();
    /// How many are given up.
    [[nodiscard]] std::size_t given_up();
    /// Of the first folder's file system; see Reserve.
    [[nodiscard]] bool has_room_for(std::uint64_t bytes);
    [[nodiscard]] std::uint64_t missing_bytes();
    [[nodiscard]] bool lacks_inodes();

private:
    std::mutex mutex_; ///< guards reserves_
    std::vector<Reserve> reserves_;
    std::string who_;
    std::atomic<bool> is_short_{false};
};

/// Watches them every second, on a thread of its own.
class ReserveWatch {
public:
    explicit ReserveWatch(Reserves& reserves);

private:
    std::jthread thread_;
};

/// The error of a disk without room for it: bytes, inodes, or what a quota allows.
[[nodiscard]] bool is_no_space(const std::exception& error) noexcept;

} // namespace plankurier::relay::adapters
