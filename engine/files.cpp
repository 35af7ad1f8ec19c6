#include <plankurier/fault.hpp>
#include <plankurier/files.hpp>

#include "engine/file_names.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>

#include <mutex>
#include <set>

namespace plankurier {

namespace {

class OpenDescriptor {
public:
    explicit OpenDescriptor(int fd) noexcept : fd_(fd) {}
    ~OpenDescriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    OpenDescriptor(const OpenDescriptor&) = delete;
    OpenDescriptor& operator=(const OpenDescriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

constexpr std::string_view temporary_start = ".plankurier-", temporary_end = ".new";

std::string temporary_name() {
    std::array<std::byte, 8> dice{};
    fill_random(dice);
    return std::string{temporary_start} + to_hex(dice) + std::string{temporary_end};
}

bool is_temporary(std::string_view name) {
    return name.starts_with(temporary_start) && name.ends_with(temporary_end);
}

/// Removes temporary files that no living process has locked.
void remove_left(int folder, const std::filesystem::path& path) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator{path, ignored}) {
        const auto name = entry.path().filename();
        if (!is_temporary(name.native())) continue;
        const OpenDescriptor file{
            ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
        if (file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
            ::unlinkat(folder, name.c_str(), 0);
        }
    }
}

/// Once a process and folder: only a process that is gone leaves something behind.
void remove_left_once(int folder, const std::filesystem::path& path) {
    static std::mutex mutex; // guards `seen`
    static std::set<std::filesystem::path> seen;
    {
        const std::lock_guard guard{mutex};
        if (!seen.insert(path).second) return;
    }
    remove_left(folder, path);
}

int write_all(int fd, ByteView content) {
    while (!content.empty()) {
        const auto done = ::write(fd, content.data(), content.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        content = content.subspan(static_cast<std::size_t>(done));
    }
    PK_FAULT("file.before_fsync");
    return ::fsync(fd) == 0 ? 0 : errno;
}

int rename_over(int folder, const std::string& from, const std::string& to) {
    return ::renameat(folder, from.c_str(), folder, to.c_str()) == 0 ? 0 : errno;
}

/// One attempt, under a temporary name of its own.
int write_once(int folder, const std::string& name, ByteView content, bool replace) {
    const auto temporary = temporary_name();
    const OpenDescriptor file{::openat(folder, temporary.c_str(),
                                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (file.get() < 0) return errno;
    ::flock(file.get(), LOCK_EX | LOCK_NB); // tells others that it is in use; no more than that
    int failed = 0;
    try {
        PK_FAULT("file.before_write");
        failed = write_all(file.get(), content);
        PK_FAULT("file.before_rename");
        if (failed == 0) {
            failed = replace ? rename_over(folder, temporary, name)
                             : name_without_replacing(folder, temporary, name);
        }
    } catch (const std::system_error& fault) {
        failed = fault.code().value();
    }
    if (failed != 0) ::unlinkat(folder, temporary.c_str(), 0);
    return failed;
}

std::error_code write_file(const std::filesystem::path& path, ByteView content, bool replace) {
    const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    const OpenDescriptor folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.get() < 0) return {errno, std::generic_category()};
    remove_left_once(folder.get(), std::filesystem::absolute(parent));
    // Another process that began just now may have taken the file for a left one, before its lock.
    constexpr int tries = 5;
    int failed = ENOENT;
    for (int attempt = 0; attempt < tries && failed == ENOENT; ++attempt) {
        failed = write_once(folder.get(), path.filename().native(), content, replace);
    }
    if (failed == 0) failed = sync_folder(folder.get());
    if (failed == 0) PK_FAULT("file.after_rename");
    return {failed, std::generic_category()};
}

std::string_view reason_of(int number) {
    switch (number) {
    case EACCES:
    case EPERM: return file_reason::rights;
    case EROFS: return file_reason::read_only;
    case ENOENT: return file_reason::missing;
    case ENOTDIR: return file_reason::not_a_folder;
    case EISDIR: return file_reason::a_folder;
    case EMFILE:
    case ENFILE: return file_reason::open_files;
    case EFBIG: return file_reason::too_large;
    case EIO:
    case ENODEV:
    case ENXIO: return file_reason::device;
    case ENAMETOOLONG: return file_reason::long_name;
    default: return "file";
    }
}

} // namespace

std::error_code replace_file(const std::filesystem::path& path, ByteView content) {
    return write_file(path, content, true);
}

std::error_code create_file(const std::filesystem::path& path, ByteView content) {
    return write_file(path, content, false);
}

Error file_error(int number) {
    if (number == ENOSPC || number == EDQUOT) return {Errc::no_space, "file"};
    if (number == EEXIST) return {Errc::exists, "file"};
    return {Errc::file_unreadable, std::string{reason_of(number)}};
}

} // namespace plankurier
