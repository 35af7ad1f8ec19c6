#include <plankurier/fault.hpp>
#include <plankurier/receiving.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <system_error>

#include <algorithm>

namespace plankurier {

namespace {

/// openat2(2): nothing outside `folder`, no symbolic link on the way.
int open_beneath(int folder, const std::string& name, std::uint64_t flags, std::uint64_t mode) {
    open_how how{};
    how.flags = flags | O_CLOEXEC | O_NOFOLLOW;
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how));
}

Error error_from(int number, const char* what) {
    return Error{number == ENOSPC || number == EDQUOT ? Errc::no_space : Errc::file_unreadable,
                 what};
}

std::string folded(std::string_view name) {
    std::string out{name};
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::string numbered(const std::string& name, unsigned number) {
    if (number == 1) return name;
    const std::size_t dot = name.find_last_of('.');
    const std::size_t at = dot == std::string::npos ? name.size() : dot;
    return name.substr(0, at) + " (" + std::to_string(number) + ")" + name.substr(at);
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
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return tl::unexpected(error_from(errno, "target folder"));
    }
    auto state = std::make_unique<State>();
    state->folder = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state->folder < 0) return tl::unexpected(error_from(errno, "target folder"));
    return ReceivingFolder{std::move(state)};
}

std::vector<std::string> ReceivingFolder::assign(const std::vector<std::string>& names) const {
    std::vector<std::string> out;
    std::set<std::string> used;
    for (const std::string& name : names) {
        const std::string clean = clean_file_name(name);
        unsigned number = 1;
        std::string candidate = clean;
        while (used.contains(folded(candidate)) || state_->taken(candidate)) {
            candidate = numbered(clean, ++number);
        }
        used.insert(folded(candidate));
        out.push_back(std::move(candidate));
    }
    return out;
}

Result<int> ReceivingFolder::open_part(const std::string& final_name, std::uint64_t size_bytes) {
    if (clean_file_name(final_name) != final_name) return fail(Errc::invalid_argument, "name");
    const int fd = open_beneath(state_->folder, final_name + ".part", O_RDWR | O_CREAT, 0600);
    if (fd < 0) return tl::unexpected(error_from(errno, "part file"));
    const auto size = static_cast<off_t>(size_bytes);
    if (::ftruncate(fd, size) != 0) {
        const int failed = errno;
        ::close(fd);
        return tl::unexpected(error_from(failed, "part file"));
    }
    return fd;
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

Result<void> reserve_part(int part_fd, std::uint64_t size_bytes, const std::stop_token& stop) {
    // In steps, since writers of the same file wait meanwhile. Not posix_fallocate: where the file
    // system cannot do it, that writes zeros over what has just been written.
    constexpr std::uint64_t step_bytes = std::uint64_t{16} << 20;
    if (!fits(part_fd, size_bytes)) return fail(Errc::no_space, "part file");
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

Result<void> ReceivingFolder::publish(const std::string& final_name, int part_fd) {
    PK_FAULT("receiving.before_fsync");
    if (::fsync(part_fd) != 0) {
        if (errno == ENOSPC || errno == EDQUOT) return fail(Errc::no_space, "fsync");
        throw std::system_error(errno, std::generic_category(), "fsync of a received file");
    }
    PK_FAULT("receiving.before_rename");
    const std::string part = final_name + ".part";
    if (::syscall(SYS_renameat2, state_->folder, part.c_str(), state_->folder, final_name.c_str(),
                  1U /* RENAME_NOREPLACE */) != 0) {
        if (errno == EEXIST) return fail(Errc::exists, "target file");
        return tl::unexpected(error_from(errno, "rename"));
    }
    PK_FAULT("receiving.after_rename");
    if (::fsync(state_->folder) != 0) {
        throw std::system_error(errno, std::generic_category(), "fsync of the target folder");
    }
    return {};
}

void ReceivingFolder::discard_part(const std::string& final_name) noexcept {
    if (clean_file_name(final_name) != final_name) return;
    ::unlinkat(state_->folder, (final_name + ".part").c_str(), 0);
}

} // namespace plankurier
