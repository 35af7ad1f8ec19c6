#pragma once
/// Small files written so that they are whole or absent, also after a power cut. Any thread.

#include <plankurier/bytes.hpp>

#include <filesystem>
#include <optional>

namespace plankurier::relay::adapters {

/// `replace_file` of the engine (plankurier/files.hpp). Throws std::system_error; a full disk
/// leaves the old file as it was.
void write_durably(const std::filesystem::path& file, ByteView bytes);
/// The content; nothing when there is no such file. Throws std::system_error otherwise.
[[nodiscard]] std::optional<Bytes> read_file(const std::filesystem::path& file);
/// Overwrites the file with zeros in its place, durably, as far as the file system writes in place
/// (not on copy-on-write ones; flash may keep the old block). Nothing happens when it is not there.
/// Throws std::system_error.
void overwrite(const std::filesystem::path& file);
/// Overwrites the file if it is there, removes it, and syncs the folder.
void erase_durably(const std::filesystem::path& file);
/// Removes the file if it is there and syncs the folder.
void remove_durably(const std::filesystem::path& file);

} // namespace plankurier::relay::adapters
