#pragma once
/// Names and contents that strangers chose: one cleaning function, one sink, one type check.
/// Stateless functions and one object per target folder; the object belongs to one thread.

#include <plankurier/bytes.hpp>
#include <plankurier/error.hpp>

#include <filesystem>
#include <memory>
#include <set>
#include <stop_token>
#include <string>

namespace plankurier {

/// The allowed types. Default policy: all three.
enum class FileType { pdf, jpeg, png };
[[nodiscard]] std::string_view media_type(FileType type) noexcept;

/// The type that the LAST extension of a name promises (".pdf", ".jpg", ".jpeg", ".png", any
/// case). Fails with `type_not_allowed`.
[[nodiscard]] Result<FileType> type_from_name(std::string_view name);
/// The type that the first bytes show (PDF: "%PDF-" at byte 0; JPEG: FF D8 FF; PNG: signature and
/// IHDR). Give at least 32 bytes when the file has them. Fails with `type_not_allowed`.
[[nodiscard]] Result<FileType> type_from_content(ByteView head);
/// Both, and they must agree. Fails with `type_not_allowed`.
[[nodiscard]] Result<FileType> check_type(std::string_view name, ByteView head);

/// A name that is safe as one path component on Linux, Windows and in a terminal: NFC, no path
/// parts, no control, bidi or zero-width characters, no reserved device names, no trailing dots or
/// blanks, at most 200 bytes with its extension kept. Never empty ("datei" in need). Idempotent.
[[nodiscard]] std::string clean_file_name(std::string_view name);

/// True for well-formed UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
/// NFC form of valid UTF-8 (Unicode TR15). Fails with `malformed`.
[[nodiscard]] Result<std::string> to_nfc(std::string_view text);
/// The same text with control, bidi and zero-width characters replaced by "?", for terminals.
[[nodiscard]] std::string printable(std::string_view text);

/// The one way received bytes get a name. Opened on a target folder; every file is created below
/// it by openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS), as `NAME.part`, and gets its final name
/// only by `publish`. Never overwrites: a taken name gets " (2)", " (3)" … before its extension.
class ReceivingFolder {
public:
    /// Creates the folder (0700) if needed. Fails with `file_unreadable` or `no_space`.
    [[nodiscard]] static Result<ReceivingFolder> open(const std::filesystem::path& folder);
    ~ReceivingFolder();
    ReceivingFolder(ReceivingFolder&&) noexcept;
    ReceivingFolder& operator=(ReceivingFolder&&) noexcept;

    /// The final names for these names: cleaned and made unique among themselves (ignoring case)
    /// and against what the folder holds.
    [[nodiscard]] std::vector<std::string> assign(const std::vector<std::string>& names) const;
    /// Opens `FINAL.part` for reading and writing, created if missing, sized to `size_bytes` (see
    /// `reserve_part`). Returns a file descriptor that the caller closes. Fails with `no_space`,
    /// `invalid_argument` (a name that `clean_file_name` would change), `file_unreadable`.
    [[nodiscard]] Result<int> open_part(const std::string& final_name, std::uint64_t size_bytes);
    /// fsync file, rename without replacing, fsync folder. Fails with `exists`, `no_space`.
    [[nodiscard]] Result<void> publish(const std::string& final_name, int part_fd);
    /// Removes `FINAL.part` if it is there.
    void discard_part(const std::string& final_name) noexcept;

private:
    struct State;
    explicit ReceivingFolder(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Takes the disk's room for an opened part, in steps of 16 MiB, until it is all there, `stop` asks
/// for an end, or the file system cannot do that (then nothing is promised, and it succeeds). Other
/// threads may write to the file meanwhile; what they write stays. Fails with `no_space`.
[[nodiscard]] Result<void> reserve_part(int part_fd, std::uint64_t size_bytes,
                                        const std::stop_token& stop);

} // namespace plankurier
