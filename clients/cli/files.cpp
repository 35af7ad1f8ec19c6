#include <clients/cli/files.hpp>

#include <clients/cli/text_encoding.hpp>

#include <plankurier/files.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace plankurier::cli {

namespace {

tl::unexpected<Error> failed_with(int number) { return tl::unexpected<Error>(file_error(number)); }

Result<void> result_of(std::error_code code) {
    return code ? Result<void>{failed_with(code.value())} : Result<void>{};
}

/// Of a variable; null unless it is a full path.
const char* full_path(const char* variable) noexcept {
    const char* value = std::getenv(variable);
    return value != nullptr && value[0] == '/' ? value : nullptr;
}

std::filesystem::path xdg(const char* variable, const char* below_home) {
    if (const char* base = full_path(variable)) return std::filesystem::path{base} / "plankurier";
    const char* home = full_path("HOME");
    // Not the current folder: keys and links would lie wherever the program was started.
    if (home == nullptr) throw NoHome{};
    return std::filesystem::path{home} / below_home / "plankurier";
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

namespace {

/// It may hold a secret for a moment, which must not stay on the stack.
struct Buffer {
    std::array<char, 16'384> bytes{};

    Buffer() = default;
    ~Buffer() { wipe(std::as_writable_bytes(std::span{bytes})); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
};

} // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
    const FileHandle file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    struct stat about {};
    if (file.get() < 0 || ::fstat(file.get(), &about) != 0) return failed_with(errno);
    // Pipes are allowed, so that a shell can hand over a secret as <(command).
    if (S_ISDIR(about.st_mode)) return failed_with(EISDIR);
    std::string content;
    // All at once, so that no copy stays behind in memory that it has grown out of.
    const auto bytes = S_ISREG(about.st_mode) ? static_cast<std::size_t>(about.st_size) : 65'536;
    content.reserve(std::min(bytes, bytes_max) + 1);
    Buffer buffer;
    for (;;) {
        const auto got = ::read(file.get(), buffer.bytes.data(), buffer.bytes.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed_with(errno);
        if (got == 0) return content;
        content.append(buffer.bytes.data(), static_cast<std::size_t>(got));
        if (content.size() > bytes_max) return fail(Errc::too_large, "file");
    }
}

Result<std::string> read_small_file(const std::filesystem::path& path, const char* kind) {
    auto content = read_file(path, std::size_t{1} << 16);
    if (!content && content.error().code == Errc::too_large) return fail(Errc::malformed, kind);
    return content;
}

Result<void> write_file_durably(const std::filesystem::path& path, ByteView content) {
    return result_of(replace_file(path, content));
}

Result<void> write_new_file(const std::filesystem::path& path, ByteView content) {
    return result_of(create_file(path, content));
}

namespace {

/// What is at a path that the user chose for something new. A link, a device or a folder is not
/// ours, whatever it holds.
enum class Occupied { no, by_file, by_other };
Occupied look_at(const std::filesystem::path& path) {
    struct stat about {};
    if (::lstat(path.c_str(), &about) != 0) return Occupied::no;
    return S_ISREG(about.st_mode) ? Occupied::by_file : Occupied::by_other;
}

} // namespace

Result<void> check_output(const std::filesystem::path& path, const OwnContent& is_own) {
    const auto occupied = look_at(path);
    if (occupied == Occupied::no) return {};
    if (occupied == Occupied::by_file && is_own) {
        const auto content = read_file(path);
        if (content && is_own(*content)) return {};
    }
    return fail(Errc::exists, "output");
}

Result<void> write_output(const std::filesystem::path& path, ByteView content,
                          const OwnContent& is_own) {
    const auto own = [&](std::string_view there) {
        return there == as_text(content) || (is_own && is_own(there));
    };
    if (auto free = check_output(path, own); !free) return free;
    if (look_at(path) == Occupied::no) return write_new_file(path, content);
    return write_file_durably(path, content);
}

Result<void> make_private_folder(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (std::filesystem::is_directory(folder, ignored)) return {};
    if (folder.has_parent_path()) {
        if (auto made = make_private_folder(folder.parent_path()); !made) return made;
    }
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed_with(errno);
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
bool has_config_folder() noexcept {
    return full_path("XDG_CONFIG_HOME") != nullptr || full_path("HOME") != nullptr;
}
std::filesystem::path state_folder() { return xdg("XDG_STATE_HOME", ".local/state"); }

} // namespace plankurier::cli
