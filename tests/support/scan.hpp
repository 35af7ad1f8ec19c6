#pragma once
/// Looks for a text in every byte of a folder, in the forms in which programs store texts.
/// Stateless; any thread.

#include <plankurier/bytes.hpp>

#include <filesystem>
#include <set>

namespace plankurier::test {

/// The text as it is, in the other case, backwards, hexadecimal, base64 at each alignment, UTF-16,
/// percent and quoted-printable.
[[nodiscard]] std::set<std::string> encodings(std::string_view text);
/// The names of files that hold one of the forms.
[[nodiscard]] std::set<std::string> files_with(const std::filesystem::path& folder,
                                               std::string_view text);

} // namespace plankurier::test
