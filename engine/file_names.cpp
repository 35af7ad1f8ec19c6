#include "engine/file_names.hpp"

#include <plankurier/fault.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>

namespace plankurier {

namespace {

/// Of a call that this file system, or this kernel, does not have.
bool is_missing(int number) {
    return number == EINVAL || number == ENOSYS || number == EOPNOTSUPP || number == EPERM;
}

bool look(int folder, const std::string& name, struct stat& about) {
    return ::fstatat(folder, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0;
}

/// True when both names are the same file: a link was made, and its old name was not removed yet.
bool is_same_file(int folder, const std::string& one, const std::string& other) {
    struct stat first {
    }, second{};
    return look(folder, one, first) && look(folder, other, second) &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int by_link(int folder, const std::string& from, const std::string& to) {
    if (::linkat(folder, from.c_str(), folder, to.c_str(), 0) != 0) return errno;
    PK_FAULT("file.linked");
    return ::unlinkat(folder, from.c_str(), 0) == 0 ? 0 : errno;
}

/// FAT and exFAT have no links. The name is taken by an empty file that only we made, and the
/// rename replaces that one. Whoever writes into it meanwhile opened a file that was not theirs.
int over_own_empty(int folder, const std::string& from, const std::string& to) {
    const int fd =
        ::openat(folder, to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    ::close(fd);
    PK_FAULT("file.name_taken");
    struct stat about {};
    if (!look(folder, to, about) || !S_ISREG(about.st_mode) || about.st_size != 0) return EEXIST;
    if (::renameat(folder, from.c_str(), folder, to.c_str()) == 0) return 0;
    const int failed = errno;
    ::unlinkat(folder, to.c_str(), 0);
    return failed;
}

} // namespace

int name_without_replacing(int folder, const std::string& from, const std::string& to) {
    constexpr unsigned no_replace = 1; // RENAME_NOREPLACE
    int failed = 0;
    if (::syscall(SYS_renameat2, folder, from.c_str(), folder, to.c_str(), no_replace) != 0) {
        failed = errno;
    }
    if (is_missing(failed)) failed = by_link(folder, from, to);
    if (failed == EEXIST && is_same_file(folder, from, to)) {
        failed = ::unlinkat(folder, from.c_str(), 0) == 0 ? 0 : errno;
    }
    if (is_missing(failed)) failed = over_own_empty(folder, from, to);
    return failed;
}

int sync_folder(int folder) {
    if (::fsync(folder) == 0) return 0;
    return is_missing(errno) || errno == EBADF ? 0 : errno;
}

} // namespace plankurier
