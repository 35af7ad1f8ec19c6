#include "relay/adapters/reserve.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <set>
#include <system_error>
#include <utility>

namespace plankurier::relay::adapters {

namespace {

namespace fs = std::filesystem;

/// A start needs some ten: sockets, logs of two databases, files that replace others.
constexpr std::uint64_t inodes = 64;

std::uint64_t affordable(const fs::path& folder, std::uint64_t bytes) {
    constexpr std::uint64_t part = 16;
    std::error_code error;
    const auto space = fs::space(folder, error);
    return error ? bytes : std::min<std::uint64_t>(bytes, space.capacity / part);
}

class Open {
public:
    Open(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    ~Open() {
        if (fd_ >= 0) ::close(fd_);
    }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// Takes the blocks. Where the file system cannot promise them, by writing.
bool take_blocks(int fd, std::uint64_t bytes) {
    if (::fallocate(fd, 0, 0, static_cast<off_t>(bytes)) == 0) return ::fsync(fd) == 0;
    if (errno != EOPNOTSUPP) return false;
    const std::array<char, 65'536> part{};
    for (std::uint64_t done = 0; done < bytes;) {
        const auto now = std::min<std::uint64_t>(part.size(), bytes - done);
        const ssize_t written = ::write(fd, part.data(), now);
        if (written <= 0) return false;
        done += static_cast<std::uint64_t>(written);
    }
    return ::fsync(fd) == 0;
}

fs::path spare_file(const fs::path& files, std::uint64_t number) {
    return files / ("inode-" + std::to_string(number));
}

std::string mib(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

} // namespace

Reserve::Reserve(fs::path folder, std::uint64_t bytes)
    : folder_(std::move(folder)), files_(folder_ / "reserve"), bytes_(affordable(folder_, bytes)) {}

Reserve::Room Reserve::room() const {
    struct statvfs info {};
    if (::statvfs(folder_.c_str(), &info) != 0) {
        throw std::system_error(errno, std::generic_category(), "statvfs");
    }
    // Some file systems make inodes as they are needed, and say that they have none.
    return {std::uint64_t{info.f_bavail} * info.f_frsize, info.f_favail, info.f_files != 0};
}

bool Reserve::is_short(const Room& room) const {
    return room.bytes < bytes_ / 4 || (room.counts_inodes && room.inodes < inodes / 4);
}

bool Reserve::is_whole() const {
    struct stat info {};
    // The file gets its name when all others are there.
    return bytes_ == 0 || (::stat((files_ / "space").c_str(), &info) == 0 &&
                           static_cast<std::uint64_t>(info.st_size) == bytes_);
}

std::uint64_t Reserve::missing_bytes() const { return is_whole() ? 0 : bytes_ + bytes_ / 2; }

bool Reserve::lacks_inodes() const {
    const Room now = room();
    return now.counts_inodes && now.inodes < (is_whole() ? 1 : inodes + inodes / 2);
}

bool Reserve::has_room_for(std::uint64_t bytes) const {
    return bytes_ == 0 || (is_whole() && room().bytes >= bytes + bytes_ / 4);
}

void Reserve::remove_all() const {
    ::unlink((files_ / "space").c_str()); // first: from now on it is not whole
    ::unlink((files_ / "space.new").c_str());
    for (std::uint64_t i = 0; i < inodes; ++i) ::unlink(spare_file(files_, i).c_str());
    const Open folder{files_, O_RDONLY | O_DIRECTORY};
    if (folder.get() >= 0) ::fsync(folder.get()); // ext4 gives blocks back with its journal
}

bool Reserve::make() const {
    std::error_code error;
    fs::create_directories(files_, error);
    if (error) return false;
    const Open lock{files_, O_RDONLY | O_DIRECTORY};
    if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0) return false;
    if (is_whole()) return true;          // by another process
    ::unlink((files_ / "space").c_str()); // of another size
    for (std::uint64_t i = 0; i < inodes; ++i) {
        if (Open{spare_file(files_, i), O_WRONLY | O_CREAT}.get() < 0) return false;
    }
    const fs::path half = files_ / "space.new";
    const Open out{half, O_WRONLY | O_CREAT | O_TRUNC};
    if (out.get() < 0 || !take_blocks(out.get(), bytes_)) return false;
    return ::rename(half.c_str(), (files_ / "space").c_str()) == 0 && ::fsync(lock.get()) == 0;
}

Reserve::Change Reserve::watch() {
    if (bytes_ == 0) return Change::none;
    const Room now = room();
    bool whole = is_whole();
    if (whole && is_short(now)) {
        remove_all();
        whole = false;
    } else if (!whole) {
        const bool enough = now.bytes >= bytes_ + bytes_ / 2 &&
                            (!now.counts_inodes || now.inodes >= inodes + inodes / 2);
        if (enough && make()) {
            whole = true;
        } else if (enough) {
            remove_all(); // half of it serves nobody
        }
    }
    const bool before = std::exchange(was_whole_, whole);
    if (before == whole) return Change::none;
    return whole ? Change::taken_back : Change::given_up;
}

Reserves::Reserves(const std::vector<fs::path>& folders, std::uint64_t bytes, std::string who)
    : who_(std::move(who)) {
    std::set<dev_t> seen;
    for (const fs::path& folder : folders) {
        std::error_code error;
        fs::create_directories(folder, error); // its user says what is wrong with it
        struct stat info {};
        if (::stat(folder.c_str(), &info) != 0 || !seen.insert(info.st_dev).second) continue;
        reserves_.emplace_back(folder, bytes);
    }
    watch();
}

void Reserves::watch() {
    const std::scoped_lock lock{mutex_};
    bool is_short = false;
    for (Reserve& one : reserves_) {
        try {
            const auto change = one.watch();
            if (change == Reserve::Change::given_up) {
                std::fprintf(stderr,
                             "%s: no room on the disk of %s: its reserve is given up, so that "
                             "reading and deleting go on; nothing new is taken until %s are free\n",
                             who_.c_str(), one.folder().c_str(), mib(one.missing_bytes()).c_str());
            } else if (change == Reserve::Change::taken_back) {
                std::fprintf(stderr, "%s: room again on the disk of %s\n", who_.c_str(),
                             one.folder().c_str());
            }
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s: reserve: %s\n", who_.c_str(), error.what());
        }
        is_short = is_short || !one.is_whole();
    }
    is_short_ = is_short;
}

bool Reserves::make_room() {
    watch();
    return is_short();
}

std::size_t Reserves::given_up() {
    const std::scoped_lock lock{mutex_};
    return static_cast<std::size_t>(
        std::ranges::count_if(reserves_, [](const Reserve& one) { return !one.is_whole(); }));
}

bool Reserves::has_room_for(std::uint64_t bytes) {
    const std::scoped_lock lock{mutex_};
    return reserves_.empty() || reserves_.front().has_room_for(bytes);
}

std::uint64_t Reserves::missing_bytes() {
    const std::scoped_lock lock{mutex_};
    return reserves_.empty() ? 0 : reserves_.front().missing_bytes();
}

bool Reserves::lacks_inodes() {
    const std::scoped_lock lock{mutex_};
    return !reserves_.empty() && reserves_.front().lacks_inodes();
}

ReserveWatch::ReserveWatch(Reserves& reserves)
    : thread_([&reserves](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock{mutex};
          while (!wake.wait_for(lock, stop, std::chrono::seconds{1},
                                [&] { return stop.stop_requested(); })) {
              reserves.watch();
          }
      }) {}

bool is_no_space(const std::exception& error) noexcept {
    const auto* system = dynamic_cast<const std::system_error*>(&error);
    return system != nullptr &&
           (system->code().value() == ENOSPC || system->code().value() == EDQUOT);
}

} // namespace plankurier::relay::adapters
