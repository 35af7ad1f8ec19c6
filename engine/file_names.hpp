#pragma once
/// Giving a finished file its name, on any file system. Internal to the engine; any thread.

#include <string>

namespace plankurier {

/// Renames `from` to `to` within the folder; what is at `to` stays. Gives 0 or an errno: EEXIST
/// when the name is taken. Said again after a crash in its middle, it goes on.
[[nodiscard]] int name_without_replacing(int folder, const std::string& from,
                                         const std::string& to);

/// fsync of a folder; 0 too where the file system has no such thing for folders. Else an errno.
[[nodiscard]] int sync_folder(int folder);

} // namespace plankurier
