#pragma once
/// A key that was unlocked for some hours: a small process keeps it in locked memory behind a Unix
/// socket (0600) in a folder of the user's own, and gives it to programs of the same user. It ends,
/// and the key with it, at its time, when the computer has slept, when its socket is taken away
/// (end of the session), by SIGTERM and by `lock_keys`. One thread.

#include <clients/cli/boot_clock.hpp>
#include <clients/cli/files.hpp>

#include <plankurier/keys.hpp>

#include <functional>
#include <optional>

namespace plankurier::cli {

/// 32 bytes in a page of their own that is neither swapped, dumped nor inherited by children.
class LockedSeed {
public:
    /// Fails with `unsupported` when no memory may be locked (ulimit -l).
    [[nodiscard]] static Result<LockedSeed> hold(const KeySeed& seed);
    LockedSeed(LockedSeed&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
    LockedSeed& operator=(LockedSeed&&) = delete;
    ~LockedSeed();
    [[nodiscard]] ByteView reveal() const noexcept { return {page_, KeySeed::size}; }

private:
    explicit LockedSeed(std::byte* page) noexcept : page_(page) {}
    std::byte* page_;
};

/// Where the agents of this user listen: $XDG_RUNTIME_DIR/plankurier, or `run` in the state folder.
[[nodiscard]] std::filesystem::path agents_folder();
/// The socket for a key file with this content: who has changed the file has locked it.
[[nodiscard]] std::filesystem::path agent_socket(ByteView key_file);

class KeyAgent {
public:
    struct Clock {
        std::function<BootClock::time_point()> now{BootClock::now};
        std::function<BootClock::duration()> slept{BootClock::slept};
    };
    /// Listens at `socket`, also where an agent before has left its own. Fails with
    /// `file_unreadable`.
    [[nodiscard]] static Result<KeyAgent> listen(const std::filesystem::path& socket);
    KeyAgent(KeyAgent&&) = default;
    KeyAgent& operator=(KeyAgent&&) = delete;
    ~KeyAgent();

    /// A child serves: this object gives nothing and takes nothing away.
    void leave_to_child() noexcept { listening_ = FileHandle{}; }
    /// Serves until it is over; the key is wiped on return.
    void serve(LockedSeed seed, StanzaType type, std::chrono::seconds life, const Clock& clock);

private:
    KeyAgent(FileHandle listening, std::filesystem::path socket, std::uint64_t inode)
        : listening_(std::move(listening)), socket_(std::move(socket)), inode_(inode) {}
    [[nodiscard]] bool in_place() const;
    [[nodiscard]] bool answer(const LockedSeed& seed, StanzaType type) const;

    FileHandle listening_;
    std::filesystem::path socket_;
    std::uint64_t inode_;
};

/// The key in this key file, if it is unlocked now.
[[nodiscard]] std::optional<OpenedKeyFile> unlocked_key(ByteView key_file);
/// Locks this one, if it is unlocked.
void lock_key(ByteView key_file);
/// Locks all keys of this user; how many there were.
[[nodiscard]] std::size_t lock_keys();

} // namespace plankurier::cli
