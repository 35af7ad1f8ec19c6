#pragma once
/// Small private files: read whole, written so that a crash leaves the old or the new content.
/// Stateless functions; any thread, but one writer per file.

#include <plankurier/bytes.hpp>
#include <plankurier/secret.hpp>

#include <filesystem>

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
/// Writes `path` with mode 0600 through a temporary file, fdatasync and rename; `content` is
/// durable afterwards. Fails with `no_space` or `file_unreadable`.
[[nodiscard]] Result<void> write_file_durably(const std::filesystem::path& path, ByteView content);
/// As above, but fails with `exists` instead of replacing a file.
[[nodiscard]] Result<void> write_new_file(const std::filesystem::path& path, ByteView content);
/// Creates a folder with all its parents, 0700. Fails with `file_unreadable` or `no_space`.
[[nodiscard]] Result<void> make_private_folder(const std::filesystem::path& folder);
/// The text in a file, or the first line of standard input when `path` is "-". A secret; no
/// prompt. Fails with `file_unreadable`, `invalid_argument` (not in UTF-8, see text_encoding.hpp).
[[nodiscard]] Result<SecretText> read_secret_text(const std::string& path);
[[nodiscard]] SecretText first_line(const SecretText& text);
/// The first line of what `read_secret_text` gives.
[[nodiscard]] Result<SecretText> read_secret_line(const std::string& path);

/// $XDG_CONFIG_HOME/plankurier, or ~/.config/plankurier.
[[nodiscard]] std::filesystem::path config_folder();
/// $XDG_STATE_HOME/plankurier, or ~/.local/state/plankurier.
[[nodiscard]] std::filesystem::path state_folder();

} // namespace plankurier::cli
