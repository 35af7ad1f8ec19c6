#include "relay/adapters/files.hpp"

#include <plankurier/fault.hpp>
#include <plankurier/files.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace plankurier::relay::adapters {

namespace {

[[noreturn]] void raise(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

class Descriptor {
public:
    Descriptor(const std::filesystem::path& path, int flags, mode_t mode = 0)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

void sync_folder(const std::filesystem::path& folder) {
    const Descriptor fd{folder, O_RDONLY | O_DIRECTORY};
    if (fd.get() < 0 || ::fsync(fd.get()) != 0) raise("sync a folder");
}

} // namespace

void write_durably(const std::filesystem::path& file, ByteView bytes) {
    if (const auto failed = replace_file(file, bytes)) {
        throw std::system_error(failed, "write a file");
    }
}

std::optional<Bytes> read_file(const std::filesystem::path& file) {
    const Descriptor fd{file, O_RDONLY};
    if (fd.get() < 0) {
        if (errno == ENOENT) return std::nullopt;
        raise("open a file");
    }
    Bytes out;
    std::array<std::byte, 65'536> part{};
    for (;;) {
        const ssize_t got = ::read(fd.get(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) raise("read a file");
        if (got == 0) return out;
        out.insert(out.end(), part.begin(), part.begin() + got);
    }
}

void overwrite(const std::filesystem::path& file) {
    const Descriptor fd{file, O_WRONLY};
    if (fd.get() < 0) {
        if (errno == ENOENT) return;
        raise("open a file to overwrite it");
    }
    const off_t end = ::lseek(fd.get(), 0, SEEK_END);
    if (end < 0) raise("read the length of a file");
    constexpr std::array<std::byte, 65'536> zeros{};
    for (off_t at = 0; at < end;) {
        const auto now = std::min(zeros.size(), static_cast<std::size_t>(end - at));
        const ssize_t written = ::pwrite(fd.get(), zeros.data(), now, at);
        if (written < 0 && errno != EINTR) raise("overwrite a file");
        if (written > 0) at += written;
    }
    if (::fdatasync(fd.get()) != 0) raise("sync a file");
}

void erase_durably(const std::filesystem::path& file) {
    overwrite(file);
    PK_FAULT("files.after_overwrite");
    remove_durably(file);
}

void remove_durably(const std::filesystem::path& file) {
    if (::unlink(file.c_str()) != 0) {
        if (errno == ENOENT) return;
        raise("remove a file");
    }
    sync_folder(file.parent_path());
}

} // namespace plankurier::relay::adapters
