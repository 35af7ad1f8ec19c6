#pragma once
/// Where a download's plaintext goes, and which pieces of it would survive a crash.

#include <clients/cli/download_state.hpp>
#include <clients/cli/files.hpp>

#include <atomic>
#include <chrono>
#include <thread>

namespace plankurier::cli {

/// The part files as one byte string. `write` may be called by any thread for distinct ranges, or
/// with the same bytes; `read` by any thread.
class PartFiles {
public:
    struct Part {
        FileHandle file; ///< none where it cannot be opened
        std::uint64_t size_bytes{};
        bool is_named{}; ///< it has its name already, and is its user's: read, never written
    };
    explicit PartFiles(std::vector<Part> parts);
    /// Takes the disk's room for all parts in the background, while others write already: some
    /// file systems need seconds a GiB. Where there is not enough, the next `write` or `sync` says
    /// so. Once.
    void reserve();

    /// Writes plaintext of the body at `offset`; what lies past the content must be zero. Fails
    /// with `tampered` (padding), `no_space` or `file_unreadable`.
    [[nodiscard]] Result<void> write(std::uint64_t offset, ByteView plain);
    /// Plaintext of the body at `offset`, as it lies there now; zeros where there is nothing. Fails
    /// with `file_unreadable`.
    [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::byte> out) const;
    /// True when some of these bytes are of a part that has no name yet.
    [[nodiscard]] bool touches_unnamed(std::uint64_t offset, std::uint64_t bytes) const;
    /// Makes everything written durable. Fails with `no_space`.
    [[nodiscard]] Result<void> sync();
    [[nodiscard]] int file(std::size_t index) const { return parts_[index].file.get(); }
    [[nodiscard]] bool is_named(std::size_t index) const { return parts_[index].is_named; }

private:
    [[nodiscard]] std::size_t part_at(std::uint64_t offset) const;

    std::vector<Part> parts_;
    std::vector<std::uint64_t> begins_; ///< offset of each part, and the end
    std::atomic<bool> full_{false};
    std::jthread reserving_; ///< last, so that it ends before what it uses
};

/// Notes verified pieces in the download's state, in groups: one fdatasync a file and one state a
/// group. One thread.
class PieceLedger {
public:
    /// References outlive the ledger.
    PieceLedger(PartFiles& parts, const DownloadStore& store, DownloadState& state,
                std::uint64_t piece_bytes)
        : parts_(parts), store_(store), state_(state), piece_bytes_(piece_bytes) {}

    /// The piece was verified and written.
    void add(std::uint64_t piece) { fresh_.push_back(piece); }
    /// Makes all durable when enough has come together. Fails as `flush`.
    [[nodiscard]] Result<void> flush_if_due();
    /// Makes all durable now. Fails with `no_space` or `file_unreadable`; nothing is noted then.
    [[nodiscard]] Result<void> flush();

private:
    PartFiles& parts_;
    const DownloadStore& store_;
    DownloadState& state_;
    std::uint64_t piece_bytes_;
    std::vector<std::uint64_t> fresh_;
    std::chrono::steady_clock::time_point flushed_{std::chrono::steady_clock::now()};
};

} // namespace plankurier::cli
