#pragma once
/// Small private files: read whole, written so that a crash leaves the old or the new content.
/// Stateless functions; any thread, but one writer per file.

#include <plankurier/bytes.hpp>
#include <plankurier/secret.hpp>

#include <filesystem>
#include <functional>
#include <stdexcept>

namespace plankurier::cli {

/// A file descriptor that is closed when its owner dies. Move-only.
class FileHandle {
public:
    FileHandle() = default;
    explicit FileHandle(int fd) noexcept : fd_(fd) {}
    FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileHandle& operator=(FileHandle&& other) noexcept;
    ~FileHandle();
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_{-1};
};

/// The whole file. Fails with `file_unreadable` (also when it is no regular file) or `too_large`.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            std::size_t bytes_max = 8u << 20);
/// A small file of a kind that this program writes. A larger one is of another kind: fails with
/// `malformed` and that detail, else as above.
[[nodiscard]] Result<std::string> read_small_file(const std::filesystem::path& path,
                                                  const char* kind);
/// Writes a file of the program's own with mode 0600 (plankurier/files.hpp, `replace_file`);
/// `content` is durable afterwards. Fails with `no_space` or `file_unreadable`.
[[nodiscard]] Result<void> write_file_durably(const std::filesystem::path& path, ByteView content);
/// As above, but fails with `exists` instead of replacing a file.
[[nodiscard]] Result<void> write_new_file(const std::filesystem::path& path, ByteView content);

/// Tells by its content that this command wrote a file, so that it may be replaced.
using OwnContent = std::function<bool(std::string_view content)>;
/// Where an option says that something is to be written: fails with `exists` when something is
/// there that this command did not write (by `is_own`; without it nothing is), also a link, a
/// device or a folder. Before anything is begun.
[[nodiscard]] Result<void> check_output(const std::filesystem::path& path,
                                        const OwnContent& is_own = {});
/// Writes it there, mode 0600. What has this very content already is left as it is. Fails as
/// `check_output` and `write_new_file`.
[[nodiscard]] Result<void> write_output(const std::filesystem::path& path, ByteView content,
                                        const OwnContent& is_own = {});
/// Creates a folder with all its parents, 0700. Fails with `file_unreadable` or `no_space`.
[[nodiscard]] Result<void> make_private_folder(const std::filesystem::path& folder);
/// The text in a file, or the first line of standard input when `path` is "-". A secret; no
/// prompt. Fails with `file_unreadable`, `invalid_argument` (not in UTF-8, see text_encoding.hpp).
[[nodiscard]] Result<SecretText> read_secret_text(const std::string& path);
[[nodiscard]] SecretText first_line(const SecretText& text);
/// The first line of what `read_secret_text` gives.
[[nodiscard]] Result<SecretText> read_secret_line(const std::string& path);

/// There is no place for what must be remembered: neither HOME nor the XDG variable is a full path.
class NoHome : public std::runtime_error {
public:
    NoHome() : std::runtime_error("no HOME") {}
};
/// $XDG_CONFIG_HOME/plankurier, or ~/.config/plankurier. Both throw `NoHome`.
[[nodiscard]] std::filesystem::path config_folder();
/// False where `config_folder` would throw.
[[nodiscard]] bool has_config_folder() noexcept;
/// $XDG_STATE_HOME/plankurier, or ~/.local/state/plankurier.
[[nodiscard]] std::filesystem::path state_folder();

} // namespace plankurier::cli
