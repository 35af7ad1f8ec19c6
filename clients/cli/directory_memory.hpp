#pragma once
/// The signed directories that were seen last, so that signatures can be checked without the
/// service. Kept beside the pinned keys; one thread.

#include <clients/cli/trust_store.hpp>

namespace plankurier::cli {

/// Keeps the texts of a directory whose chain holds. Durable; does nothing when they are known.
[[nodiscard]] Result<void> remember_directory(const std::filesystem::path& folder,
                                              const std::string& server,
                                              const SignedDirectory& texts);
/// The directory that was remembered for a pinned server, or that stands in `file` (the answer of
/// `GET /v1/directory`), checked under the pinned root as on the day when it was issued: what was
/// signed then stays signed. Fails with `untrusted_root`, `not_found` (none was seen),
/// `bad_signature`, `malformed`, `file_unreadable`.
[[nodiscard]] Result<Directory> recall_directory(const std::filesystem::path& folder,
                                                 const std::string& server,
                                                 const std::string& file);

} // namespace plankurier::cli
