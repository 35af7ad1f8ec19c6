#pragma once
/// Small files written so that they are whole or absent, also after a crash or a power cut, and
/// however many processes write the same one. One guarantee for client and relay. Stateless
/// functions; any thread.

#include <plankurier/bytes.hpp>
#include <plankurier/error.hpp>

#include <filesystem>
#include <string_view>
#include <system_error>

namespace plankurier {

/// Writes a temporary file beside `path` (mode 0600), syncs it, renames it over `path` and syncs
/// the folder. Whoever writes at the same time has a temporary file of their own: one of the
/// contents wins, whole. What a crash left of such temporary files is removed by the first write of
/// a process into that folder. The old content stays when it fails.
[[nodiscard]] std::error_code replace_file(const std::filesystem::path& path, ByteView content);
/// The same for a name that is not there yet: `std::errc::file_exists` instead of replacing.
[[nodiscard]] std::error_code create_file(const std::filesystem::path& path, ByteView content);

/// What a system call on a file said, as an expected failure: `no_space`, `exists` or else
/// `file_unreadable`; the detail names the reason in the words of `file_reason`.
[[nodiscard]] Error file_error(int number);

/// Reasons that a person can do something about; `file_error` puts them into the detail.
namespace file_reason {
inline constexpr std::string_view rights = "rights";             ///< EACCES, EPERM
inline constexpr std::string_view read_only = "read-only";       ///< EROFS
inline constexpr std::string_view missing = "missing";           ///< ENOENT
inline constexpr std::string_view not_a_folder = "not a folder"; ///< ENOTDIR
inline constexpr std::string_view a_folder = "a folder";         ///< EISDIR
inline constexpr std::string_view open_files = "open files";     ///< EMFILE, ENFILE: ulimit -n
inline constexpr std::string_view too_large = "too large";       ///< EFBIG: FAT's 4 GiB, ulimit -f
inline constexpr std::string_view device = "device";             ///< EIO, ENODEV, ENXIO
inline constexpr std::string_view long_name = "long name";       ///< ENAMETOOLONG
} // namespace file_reason

} // namespace plankurier
