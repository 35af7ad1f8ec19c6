#include <clients/cli/files.hpp>

#include <clients/cli/text_encoding.hpp>

#include <plankurier/fault.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace plankurier::cli {

namespace {

Result<void> failed_write(int error) {
    if (error == ENOSPC || error == EDQUOT) return fail(Errc::no_space, "write");
    if (error == EEXIST) return fail(Errc::exists, "write");
    return fail(Errc::file_unreadable, "write");
}

Result<void> write_all(int fd, ByteView content) {
    while (!content.empty()) {
        const auto done = ::write(fd, content.data(), content.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return failed_write(errno);
        content = content.subspan(static_cast<std::size_t>(done));
    }
    if (::fdatasync(fd) != 0) return failed_write(errno);
    return {};
}

void sync_folder_of(const std::filesystem::path& path) {
    const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    const FileHandle folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.get() >= 0) ::fsync(folder.get());
}

std::filesystem::path xdg(const char* variable, const char* below_home) {
    const char* value = std::getenv(variable);
    if (value != nullptr && value[0] == '/') return std::filesystem::path{value} / "plankurier";
    const char* home = std::getenv("HOME");
    const std::filesystem::path base = home != nullptr && home[0] == '/' ? home : ".";
    return base / below_home / "plankurier";
}

} // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

FileHandle::~FileHandle() {
    if (fd_ >= 0) ::close(fd_);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
    const FileHandle file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    struct stat about {};
    if (file.get() < 0 || ::fstat(file.get(), &about) != 0) {
        return fail(Errc::file_unreadable, "open");
    }
    // Pipes are allowed, so that a shell can hand over a secret as <(command).
    if (S_ISDIR(about.st_mode)) return fail(Errc::file_unreadable, "a folder");
    std::string content;
    std::array<char, 16'384> buffer{};
    for (;;) {
        const auto got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Errc::file_unreadable, "read");
        if (got == 0) return content;
        content.append(buffer.data(), static_cast<std::size_t>(got));
        if (content.size() > bytes_max) return fail(Errc::too_large, "file");
    }
}

Result<void> write_file_durably(const std::filesystem::path& path, ByteView content) {
    auto temporary = path;
    temporary += ".new";
    ::unlink(temporary.c_str());
    {
        const FileHandle file{
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
        if (file.get() < 0) return failed_write(errno);
        PK_FAULT("cli.file.before_write");
        if (auto written = write_all(file.get(), content); !written) return written;
    }
    PK_FAULT("cli.file.before_rename");
    if (::rename(temporary.c_str(), path.c_str()) != 0) return failed_write(errno);
    sync_folder_of(path);
    PK_FAULT("cli.file.after_rename");
    return {};
}

Result<void> write_new_file(const std::filesystem::path& path, ByteView content) {
    const FileHandle file{
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (file.get() < 0) return failed_write(errno);
    if (auto written = write_all(file.get(), content); !written) {
        ::unlink(path.c_str());
        return written;
    }
    sync_folder_of(path);
    return {};
}

Result<void> make_private_folder(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (std::filesystem::is_directory(folder, ignored)) return {};
    if (folder.has_parent_path()) {
        if (auto made = make_private_folder(folder.parent_path()); !made) return made;
    }
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed_write(errno);
    return {};
}

Result<SecretText> read_secret_text(const std::string& path) {
    std::string content;
    if (path == "-") {
        if (!std::getline(std::cin, content)) return fail(Errc::file_unreadable, "standard input");
    } else {
        auto read = read_file(path, 1u << 16);
        if (!read) return tl::unexpected(read.error());
        content = std::move(*read);
    }
    auto text = to_utf8(std::move(content));
    if (!text) return tl::unexpected(text.error());
    SecretText secret{*text};
    wipe(std::as_writable_bytes(std::span{text->data(), text->size()}));
    return secret;
}

SecretText first_line(const SecretText& text) {
    const auto content = text.reveal();
    return SecretText{content.substr(0, content.find_first_of("\r\n"))};
}

Result<SecretText> read_secret_line(const std::string& path) {
    return read_secret_text(path).map(first_line);
}

std::filesystem::path config_folder() { return xdg("XDG_CONFIG_HOME", ".config"); }
std::filesystem::path state_folder() { return xdg("XDG_STATE_HOME", ".local/state"); }

} // namespace plankurier::cli
