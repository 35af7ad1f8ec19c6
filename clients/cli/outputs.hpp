#pragma once
/// The files that a user names: nothing that somebody else wrote is replaced, and what fails is
/// named, with its option and as it was typed. One thread.

#include <clients/cli/console.hpp>
#include <clients/cli/files.hpp>

#include <plankurier/receiving.hpp>

namespace plankurier::cli {

/// Says which file a failure is about. Gives back what it gets.
template <typename T>
[[nodiscard]] Result<T> naming(Console& console, const std::filesystem::path& path,
                               Result<T> result) {
    if (!result) console.warn(Text::file_named, {printable(path.string())});
    return result;
}

/// A file that stands behind an option.
struct NamedPath {
    const char* option; ///< with its dashes
    std::filesystem::path path;
};
[[nodiscard]] std::string shown(const NamedPath& named);

/// The same, unless the failure was told already: then nobody needs the file's name.
template <typename T>
[[nodiscard]] Result<T> naming(Console& console, const NamedPath& named, Result<T> result) {
    if (!result && !Console::is_told(result.error())) {
        console.warn(Text::file_named, {shown(named)});
    }
    return result;
}

/// Those that are not empty are all different. Says which one is not. Fails with
/// `invalid_argument`.
[[nodiscard]] Result<void> check_apart(std::initializer_list<NamedPath> paths, Console& console);

/// `check_output` for each that is not empty, all of them different. Says which one fails. Fails
/// with `exists`, `invalid_argument`.
[[nodiscard]] Result<void> check_outputs(std::initializer_list<NamedPath> paths, Console& console);

/// A key file and its public record, both new: neither stays without the other. Says which one
/// fails. Fails as `write_new_file`.
[[nodiscard]] Result<void> write_pair(const NamedPath& first, ByteView first_content,
                                      const NamedPath& second, ByteView second_content,
                                      Console& console);

} // namespace plankurier::cli
