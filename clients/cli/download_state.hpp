#pragma once
/// What a download must not forget: the target names and which pieces are durable on disk. Holds no
/// secret; 0600 since it holds names. One thread.

#include <clients/cli/files.hpp>

#include <plankurier/ids.hpp>

#include <filesystem>
#include <vector>

namespace plankurier::cli {

struct DownloadState {
    TransferId transfer;
    std::filesystem::path folder;   ///< absolute
    std::vector<std::string> names; ///< final names, in manifest order
    std::vector<std::string> parts; ///< of the part files; all of them are this program's own
    std::vector<bool> pieces;       ///< durable in the part files
    bool publishing{};              ///< all pieces were durable; files are getting their names
};

[[nodiscard]] std::string encode_download_state(const DownloadState& state);
/// Fails with `malformed`.
[[nodiscard]] Result<DownloadState> decode_download_state(std::string_view json);

/// The file of one download's state, below `folder`.
class DownloadStore {
public:
    DownloadStore(std::filesystem::path folder, const TransferId& transfer);
    ~DownloadStore();
    DownloadStore(const DownloadStore&) = delete;
    DownloadStore& operator=(const DownloadStore&) = delete;
    /// Until this object ends no other process has it: each would write, or remove, the other's
    /// part files. Fails with `conflict` when one has.
    [[nodiscard]] Result<void> lock();
    /// Durable on success.
    [[nodiscard]] Result<void> save(const DownloadState& state) const;
    /// Fails with `not_found` when there is none.
    [[nodiscard]] Result<DownloadState> load() const;
    void remove() const noexcept;

private:
    [[nodiscard]] std::filesystem::path lock_path() const;

    std::filesystem::path path_;
    FileHandle lock_;
};

} // namespace plankurier::cli
