#pragma once
/// The files of a transfer read as one padded byte string, each byte once, with detection of
/// changes (format 3.2). Used by several lanes at once: `read` is thread safe.

#include <plankurier/manifest.hpp>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>

namespace plankurier {

/// What identifies an unchanged file: its content, wherever it lies. A copy (`cp -p`), another
/// mount or a stick that was plugged in again is the same file.
struct FileIdentity {
    std::filesystem::path path;
    std::uint64_t size_bytes{};
    std::int64_t mtime_ns{};
    /// SHA-256 over begin, end and places in between; over all of a small file.
    std::array<std::byte, 32> sample{};
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// How files compare with those of an earlier start.
enum class Likeness {
    same,   ///< size, time and sample agree
    touched ///< another time, as after `cp` or on a disk that keeps times less finely: what was
            ///< sent of them is to be compared whole before it counts
};

class BodySource {
public:
    /// Opens the files in order and holds them open. Fails with `file_unreadable` (also when the
    /// process may not hold so many open) or `too_large`; `failed` then has the number of the file.
    [[nodiscard]] static Result<BodySource> open(std::vector<std::filesystem::path> files,
                                                 std::size_t* failed = nullptr);
    ~BodySource();
    BodySource(BodySource&&) noexcept;
    BodySource& operator=(BodySource&&) noexcept;

    [[nodiscard]] const std::vector<FileIdentity>& files() const noexcept;
    [[nodiscard]] std::uint64_t content_bytes() const noexcept;
    /// Copies plaintext bytes [offset, offset + out.size()) of the body; zero past the content.
    /// Compares size and mtime of the files that it read from afterwards, and where only the time
    /// is another one, the sample (see `touches`). Fails with `file_changed` or `file_unreadable`.
    [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::byte> out) const;
    /// How often `read` has found a file with a new time and the old sample. Each of them means:
    /// what was read before has to be read and compared once more before it counts.
    [[nodiscard]] std::uint64_t touches() const noexcept;
    /// Compares all files with `expected` (from an earlier start), whatever their paths. Fails with
    /// `file_changed`.
    [[nodiscard]] Result<Likeness> compare(const std::vector<FileIdentity>& expected) const;
    /// Somebody found that these bytes of the body are not what they were. `failed_file` then
    /// names the file that they are of; of several, the one that was written last.
    void blame(std::uint64_t offset, std::uint64_t bytes) const noexcept;
    /// The file that `read` or `compare` failed at first or that is to blame, as a number in
    /// `files`.
    [[nodiscard]] std::optional<std::size_t> failed_file() const noexcept;

private:
    struct State;
    explicit BodySource(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace plankurier
