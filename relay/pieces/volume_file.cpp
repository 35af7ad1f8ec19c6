#include "relay/pieces/volume_file.hpp"

#include <plankurier/receiving.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cerrno>
#include <system_error>

namespace plankurier::relay::pieces {

VolumeFile::~VolumeFile() { ::close(fd_); }

void sync_folder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && ::fsync(fd) == 0;
    const int failure = errno;
    if (fd >= 0) ::close(fd);
    if (!ok) throw std::system_error(failure, std::generic_category(), "sync a piece folder");
}

namespace {

/// Before the first byte comes, so that a full disk is noticed here. In memory it is only looked
/// whether there is room. An errno, or 0.
int take_room(int fd, std::uint64_t bytes) {
    const auto size = static_cast<off_t>(bytes);
    if (!lives_in_memory(fd)) return ::posix_fallocate(fd, 0, size);
    struct statvfs disk {};
    if (::fstatvfs(fd, &disk) == 0 && disk.f_blocks != 0 &&
        std::uint64_t{disk.f_bavail} * disk.f_frsize < bytes) {
        return ENOSPC;
    }
    return ::ftruncate(fd, size) == 0 ? 0 : errno;
}

} // namespace

Result<std::shared_ptr<VolumeFile>> open_volume(const std::filesystem::path& file,
                                                std::uint64_t bytes) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno == ENOSPC || errno == EDQUOT) return fail(Errc::no_space, "create");
        throw std::system_error(errno, std::generic_category(), "open a volume");
    }
    auto out = std::make_shared<VolumeFile>(fd);
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
        throw std::system_error(errno, std::generic_category(), "stat of a volume");
    }
    if (static_cast<std::uint64_t>(info.st_size) == bytes) return out;
    if (static_cast<std::uint64_t>(info.st_size) > bytes &&
        ::ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
        throw std::system_error(errno, std::generic_category(), "shorten a volume");
    }
    const int failed = take_room(fd, bytes);
    if (failed == ENOSPC || failed == EDQUOT || failed == EFBIG) {
        if (info.st_size == 0) ::unlink(file.c_str()); // else it holds pieces
        return fail(Errc::no_space, "preallocate");
    }
    if (failed != 0) {
        throw std::system_error(failed, std::generic_category(), "preallocate a volume");
    }
    sync_folder(file.parent_path());
    return out;
}

Result<std::shared_ptr<VolumeFile>> open_to_read(const std::filesystem::path& file,
                                                 std::uint64_t bytes) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::file_unreadable, "open a volume");
    auto out = std::make_shared<VolumeFile>(fd);
    struct stat info {};
    if (::fstat(fd, &info) != 0 || static_cast<std::uint64_t>(info.st_size) < bytes) {
        return fail(Errc::file_unreadable, "a volume is too short");
    }
    return out;
}

void sync_file(const VolumeFile& file) {
    if (::fdatasync(file.fd()) != 0) {
        throw std::system_error(errno, std::generic_category(), "sync a volume");
    }
}

} // namespace plankurier::relay::pieces
