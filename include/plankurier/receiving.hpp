#pragma once
/// Names and contents that strangers chose: one cleaning function, one sink, one type check.
/// Stateless functions and one object per target folder; the object belongs to one thread.

#include <plankurier/bytes.hpp>
#include <plankurier/error.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace plankurier {

/// The allowed types. Default policy: all three.
enum class FileType { pdf, jpeg, png };
[[nodiscard]] std::string_view media_type(FileType type) noexcept;

/// The type that the LAST extension of a name promises (".pdf"; ".jpg", ".jpeg", ".jpe", ".jfif";
/// ".png"; any case). Fails with `type_not_allowed`.
[[nodiscard]] Result<FileType> type_from_name(std::string_view name);
/// The type that the first bytes show, as readers of these formats take them:
///  * PNG: signature and IHDR (W3C PNG, 5.2 and 11.2.2); JPEG: FF D8 FF (ITU T.81, B.1.1.2: any
///    number of fill bytes FF may stand before a marker);
///  * PDF: "%PDF-", or "%!PS-Adobe-N.n PDF-", with at most 1,024 bytes before it (ISO 32000-1,
///  Annex
///    H, notes 13 and 14), such as a byte order mark, line breaks or a printer's PJL.
/// Give at least `type_head_bytes` when the file has them. Fails with `type_not_allowed`.
[[nodiscard]] Result<FileType> type_from_content(ByteView head);
/// Both, and they must agree. Fails with `type_not_allowed`.
[[nodiscard]] Result<FileType> check_type(std::string_view name, ByteView head);
inline constexpr std::size_t type_head_bytes = 4'096;

/// Why a file is not taken, as far as that helps a person to send it all the same.
enum class TypeFlaw {
    other,        ///< nothing better to say
    empty,        ///< no bytes
    placeholder,  ///< only zeros where a header should be: an online drive has not brought it yet
    shortcut,     ///< points to the file that is meant
    name_differs, ///< an allowed type, under the name of another one or without extension
    photo_container, ///< HEIC, HEIF, AVIF
    image,           ///< TIFF, GIF, BMP, WebP, SVG …
    drawing,         ///< DWG, DXF, IFC …
    archive,         ///< ZIP, 7z, RAR, gzip …
    document         ///< Word, Excel, OpenDocument, text …
};
/// For a file that `check_type` refuses, by the same two.
[[nodiscard]] TypeFlaw flaw_of(std::string_view name, ByteView head);

/// Longest safe name in bytes, numbers included.
inline constexpr std::size_t file_name_bytes_safe = 200;

/// A name that is safe as one path component on Linux, Windows and in a terminal (protocol.md,
/// "Names of files"): NFC, no path parts, no control, bidi or zero-width characters, no reserved
/// device names, no trailing dots or blanks, always something before its extension ("datei" in
/// need), at most `file_name_bytes_safe` bytes with its extension kept. Idempotent.
[[nodiscard]] std::string clean_file_name(std::string_view name);

/// Names with equal keys are one file on a disk that ignores case: full case folding, then NFC.
[[nodiscard]] std::string name_key(std::string_view name);

/// Cleaned names, no two with the same key and none that is `taken`: " (2)", " (3)" … before the
/// extension, within the limit. The order stays. The sender's and the recipient's names are these.
[[nodiscard]] std::vector<std::string>
distinct_names(const std::vector<std::string>& names,
               const std::function<bool(const std::string& candidate)>& taken = {});

/// True for well-formed UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
/// NFC form of valid UTF-8 (Unicode TR15). Fails with `malformed`.
[[nodiscard]] Result<std::string> to_nfc(std::string_view text);
/// The same text with control, bidi and zero-width characters replaced by "?", for terminals.
[[nodiscard]] std::string printable(std::string_view text);

/// The one way received bytes get a name. Opened on a target folder; every file is created below
/// it by openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) under the name of a part, with the rights
/// that the process's umask leaves, and gets its final name only by `publish`. Never overwrites and
/// never opens what another program made.
class ReceivingFolder {
public:
    /// Creates the folder and its parents if needed. Fails with `file_unreadable` or `no_space`.
    [[nodiscard]] static Result<ReceivingFolder> open(const std::filesystem::path& folder);
    ~ReceivingFolder();
    ReceivingFolder(ReceivingFolder&&) noexcept;
    ReceivingFolder& operator=(ReceivingFolder&&) noexcept;

    /// `distinct_names` of these, beside what the folder holds and what `reserved` names.
    [[nodiscard]] std::vector<std::string>
    assign(const std::vector<std::string>& names,
           const std::vector<std::string>& reserved = {}) const;
    /// The part of a file: `FINAL.MARK.part`. `mark` is random (8 hex digits), so that no other
    /// program has such a file.
    [[nodiscard]] static std::string part_name(const std::string& final_name,
                                               std::string_view mark);
    /// Creates a part, sized to `size_bytes` (see `reserve_part`). Returns a file descriptor that
    /// the caller closes. Fails with `exists`, `no_space`, `invalid_argument` (no single path
    /// component), `file_unreadable`.
    [[nodiscard]] Result<int> create_part(const std::string& part, std::uint64_t size_bytes);
    /// Opens a part that this program created before. Fails as above.
    [[nodiscard]] Result<int> reopen_part(const std::string& part, std::uint64_t size_bytes);
    /// fsync file, rename without replacing, fsync folder. Where the file system cannot rename like
    /// that: a hard link; where it has none: the name is taken by an empty file of our own first.
    /// Fails with `exists`, `no_space`.
    [[nodiscard]] Result<void> publish(const std::string& part, const std::string& final_name,
                                       int part_fd);
    /// Removes an empty file of that name: after a crash in `publish`, by which it took the name.
    void discard_empty(const std::string& final_name) noexcept;
    /// Removes a part if it is there.
    void discard_part(const std::string& part) noexcept;

private:
    struct State;
    explicit ReceivingFolder(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// True for a file in memory (tmpfs): there, taking room in advance only writes zeros, 0.45 s a
/// GiB, that are written over.
[[nodiscard]] bool lives_in_memory(int fd) noexcept;

/// Takes the disk's room for an opened part, unless it lives in memory, in steps of 16 MiB, until
/// it is all there, `stop` asks for an end, or the file system cannot do that (then nothing is
/// promised, and it succeeds). Other threads may write to the file meanwhile; what they write
/// stays. Fails with `no_space`.
[[nodiscard]] Result<void> reserve_part(int part_fd, std::uint64_t size_bytes,
                                        const std::stop_token& stop);

} // namespace plankurier
