#include <plankurier/fault.hpp>
#include <plankurier/files.hpp>
#include <plankurier/receiving.hpp>

#include "engine/file_names.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>

#include <algorithm>
#include <set>

namespace plankurier {

namespace {

/// openat2(2): nothing outside `folder`, no symbolic link on the way.
int open_beneath(int folder, const std::string& name, std::uint64_t flags, std::uint64_t mode) {
    open_how how{};
    how.flags = flags | O_CLOEXEC | O_NOFOLLOW;
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const auto fd =
        static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how));
    // Some containers forbid the call. A single component cannot leave the folder either.
    const bool forbidden = fd < 0 && (errno == ENOSYS || errno == EPERM);
    return forbidden ? ::openat(folder, name.c_str(), static_cast<int>(how.flags), mode) : fd;
}

tl::unexpected<Error> failed_with(int number) { return tl::unexpected<Error>(file_error(number)); }

bool is_component(const std::string& name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string_view{"/\0", 2}) == std::string::npos;
}

Result<int> sized(int fd, std::uint64_t size_bytes) {
    if (fd < 0) return failed_with(errno);
    if (::ftruncate(fd, static_cast<off_t>(size_bytes)) == 0) return fd;
    const int failed = errno;
    ::close(fd);
    return failed_with(failed);
}

} // namespace

struct ReceivingFolder::State {
    int folder{-1};

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (folder >= 0) ::close(folder);
    }
    [[nodiscard]] bool taken(const std::string& name) const {
        struct stat info {};
        return ::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    }
};

ReceivingFolder::ReceivingFolder(std::unique_ptr<State> state) : state_(std::move(state)) {}
ReceivingFolder::~ReceivingFolder() = default;
ReceivingFolder::ReceivingFolder(ReceivingFolder&&) noexcept = default;
ReceivingFolder& ReceivingFolder::operator=(ReceivingFolder&&) noexcept = default;

Result<ReceivingFolder> ReceivingFolder::open(const std::filesystem::path& folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    auto state = std::make_unique<State>();
    state->folder = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state->folder < 0) return failed_with(failed ? failed.value() : errno);
    return ReceivingFolder{std::move(state)};
}

std::vector<std::string> ReceivingFolder::assign(const std::vector<std::string>& names,
                                                 const std::vector<std::string>& reserved) const {
    std::set<std::string> keys;
    for (const auto& name : reserved) keys.insert(name_key(name));
    return distinct_names(names, [&](const std::string& candidate) {
        return state_->taken(candidate) || keys.contains(name_key(candidate));
    });
}

std::string ReceivingFolder::part_name(const std::string& final_name, std::string_view mark) {
    return final_name + "." + std::string{mark} + ".part";
}

Result<int> ReceivingFolder::create_part(const std::string& part, std::uint64_t size_bytes) {
    if (!is_component(part)) return fail(Errc::invalid_argument, "name");
    const int fd = open_beneath(state_->folder, part, O_RDWR | O_CREAT | O_EXCL, 0666);
    auto opened = sized(fd, size_bytes);
    if (!opened && fd >= 0) discard_part(part);
    return opened;
}

Result<int> ReceivingFolder::reopen_part(const std::string& part, std::uint64_t size_bytes) {
    if (!is_component(part)) return fail(Errc::invalid_argument, "name");
    return sized(open_beneath(state_->folder, part, O_RDWR, 0), size_bytes);
}

namespace {

/// Before anything is taken, so that what cannot fit does not fill the disk first.
bool fits(int part_fd, std::uint64_t size_bytes) {
    struct stat file {};
    struct statvfs disk {};
    if (::fstat(part_fd, &file) != 0 || ::fstatvfs(part_fd, &disk) != 0) return true;
    if (disk.f_blocks == 0) return true; // it does not tell
    const auto taken = static_cast<std::uint64_t>(file.st_blocks) * 512;
    return size_bytes <= taken + std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

} // namespace

bool lives_in_memory(int fd) noexcept {
    struct statfs about {};
    return ::fstatfs(fd, &about) == 0 && about.f_type == TMPFS_MAGIC;
}

Result<void> reserve_part(int part_fd, std::uint64_t size_bytes, const std::stop_token& stop) {
    // In steps, since writers of the same file wait meanwhile. Not posix_fallocate: where the file
    // system cannot do it, that writes zeros over what has just been written.
    constexpr std::uint64_t step_bytes = std::uint64_t{16} << 20;
    if (!fits(part_fd, size_bytes)) return fail(Errc::no_space, "part file");
    if (lives_in_memory(part_fd)) return {};
    for (std::uint64_t at = 0; at < size_bytes && !stop.stop_requested();) {
        const std::uint64_t bytes = std::min(step_bytes, size_bytes - at);
        if (::fallocate(part_fd, 0, static_cast<off_t>(at), static_cast<off_t>(bytes)) == 0) {
            at += bytes;
        } else if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
            return fail(Errc::no_space, "part file");
        } else if (errno != EINTR) {
            return {};
        }
    }
    return {};
}

Result<void> ReceivingFolder::publish(const std::string& part, const std::string& final_name,
                                      int part_fd) {
    if (clean_file_name(final_name) != final_name) return fail(Errc::invalid_argument, "name");
    PK_FAULT("receiving.before_fsync");
    if (::fsync(part_fd) != 0) return failed_with(errno);
    PK_FAULT("receiving.before_rename");
    if (const int failed = name_without_replacing(state_->folder, part, final_name); failed != 0) {
        return failed_with(failed);
    }
    PK_FAULT("receiving.after_rename");
    if (const int failed = sync_folder(state_->folder); failed != 0) return failed_with(failed);
    return {};
}

void ReceivingFolder::discard_empty(const std::string& final_name) noexcept {
    struct stat about {};
    const bool is_there = is_component(final_name) && ::fstatat(state_->folder, final_name.c_str(),
                                                                &about, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && S_ISREG(about.st_mode) && about.st_size == 0) {
        ::unlinkat(state_->folder, final_name.c_str(), 0);
    }
}

void ReceivingFolder::discard_part(const std::string& part) noexcept {
    if (is_component(part)) ::unlinkat(state_->folder, part.c_str(), 0);
}

} // namespace plankurier
