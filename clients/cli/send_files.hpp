#pragma once
/// The files that a transfer carries: checked before anything is sent, and the names under which
/// they go. One thread.

#include <clients/cli/commands.hpp>

#include <plankurier/manifest.hpp>
#include <plankurier/source.hpp>

namespace plankurier::cli {

/// Opens the files named on the command line and checks each: size, type by name and content,
/// against the policy. Says which file a failure is about, and what to do about it. Fails with
/// `type_not_allowed`, `too_large`, `too_many_files`, `invalid_argument`, `file_unreadable`.
[[nodiscard]] Result<BodySource> open_files(const Options& options, const Service& service,
                                            Console& console);

/// The files of an earlier start, open again.
struct OpenedAgain {
    BodySource source;
    bool touched{}; ///< they have other times than then: what was sent of them is to be compared
};
/// Each is looked for where it was, or under its name among `elsewhere`: a stick may be mounted at
/// another place now. Says which file a failure is about. Fails with `file_unreadable`,
/// `file_changed` …
[[nodiscard]] Result<OpenedAgain> open_again(const std::vector<FileIdentity>& files,
                                             std::span<const std::string> elsewhere,
                                             Console& console);

/// As the manifest lists them. The names are those that a recipient takes (receiving.hpp,
/// `distinct_names`); where that changes one, it is said.
[[nodiscard]] std::vector<ManifestFile> manifest_files(const BodySource& source, Console& console);

/// Tells a person why a file is not taken, and what to do.
void tell_flaw(std::string_view name, ByteView head, Console& console);

} // namespace plankurier::cli
