#pragma once
/// Volume files: one preallocated file of sealed bytes a volume. Free functions; any thread.

#include <plankurier/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>

namespace plankurier::relay::pieces {

/// An open volume file; closed with the last user.
class VolumeFile {
public:
    explicit VolumeFile(int fd) noexcept : fd_(fd) {}
    ~VolumeFile();
    VolumeFile(const VolumeFile&) = delete;
    VolumeFile& operator=(const VolumeFile&) = delete;
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    int fd_;
};

/// Opens for reading and writing; made and preallocated when it has another size. Its name is
/// durable on return. Fails with `no_space`. Throws std::system_error.
[[nodiscard]] Result<std::shared_ptr<VolumeFile>> open_volume(const std::filesystem::path& file,
                                                              std::uint64_t bytes);
/// Opens for reading only. Fails with `file_unreadable` when that is not possible, or when the file
/// is shorter than it was made.
[[nodiscard]] Result<std::shared_ptr<VolumeFile>> open_to_read(const std::filesystem::path& file,
                                                               std::uint64_t bytes);
/// Makes bytes that were written durable. Throws std::system_error.
void sync_file(const VolumeFile& file);
/// Makes the names in a folder durable. Throws std::system_error.
void sync_folder(const std::filesystem::path& folder);

} // namespace plankurier::relay::pieces
