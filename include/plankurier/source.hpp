#pragma once
/// The files of a transfer read as one padded byte string, each byte once, with detection of
/// changes (format 3.2). Used by several lanes at once: `read` is thread safe.

#include <plankurier/manifest.hpp>

#include <filesystem>
#include <memory>

namespace plankurier {

/// What identifies an unchanged file.
struct FileIdentity {
    std::filesystem::path path;
    std::uint64_t size_bytes{};
    std::int64_t mtime_ns{};
    std::uint64_t inode{}, device{};
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

class BodySource {
public:
    /// Opens the files in order and holds them open. Fails with `file_unreadable` or `too_large`.
    [[nodiscard]] static Result<BodySource> open(std::vector<std::filesystem::path> files);
    ~BodySource();
    BodySource(BodySource&&) noexcept;
    BodySource& operator=(BodySource&&) noexcept;

    [[nodiscard]] const std::vector<FileIdentity>& files() const noexcept;
    [[nodiscard]] std::uint64_t content_bytes() const noexcept;
    /// Copies plaintext bytes [offset, offset + out.size()) of the body; zero past the content.
    /// Compares size, mtime and inode of the touched files afterwards. Fails with `file_changed`
    /// or `file_unreadable`.
    [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::byte> out) const;
    /// Compares all files with `expected` (from an earlier start). Fails with `file_changed`.
    [[nodiscard]] Result<void> same_as(const std::vector<FileIdentity>& expected) const;

private:
    struct State;
    explicit BodySource(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace plankurier
