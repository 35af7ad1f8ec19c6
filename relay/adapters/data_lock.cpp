#include "relay/adapters/data_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

namespace plankurier::relay::adapters {

namespace {

[[noreturn]] void refuse_folder(int why, const std::filesystem::path& folder) {
    throw std::system_error(why, std::generic_category(), "data folder " + folder.string());
}

int open_folder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) refuse_folder(errno, folder);
    return fd;
}

/// False when another one has it in a way that this one does not allow.
bool try_lock(int fd, int how, const std::filesystem::path& folder) {
    if (::flock(fd, how | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) refuse_folder(errno, folder);
    return false;
}

} // namespace

std::optional<DataLock> DataLock::take(const std::filesystem::path& folder) {
    using namespace std::chrono_literals;
    constexpr int tries = 20;
    constexpr auto rest = 50ms;
    DataLock out{open_folder(folder)};
    // `is_held` looks for a moment, and a role that is just being started has not let go of it yet.
    for (int i = 0; i < tries; ++i) {
        if (try_lock(out.fd_, LOCK_EX, folder)) return out;
        std::this_thread::sleep_for(rest);
    }
    return std::nullopt;
}

bool DataLock::is_held(const std::filesystem::path& folder) {
    const DataLock look{open_folder(folder)};
    return !try_lock(look.fd_, LOCK_SH, folder);
}

DataLock::~DataLock() {
    if (fd_ >= 0) ::close(fd_);
}

} // namespace plankurier::relay::adapters
