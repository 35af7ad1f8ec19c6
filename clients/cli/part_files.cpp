#include <clients/cli/part_files.hpp>

#include <plankurier/fault.hpp>
#include <plankurier/files.hpp>
#include <plankurier/receiving.hpp>

#include <unistd.h>
#include <algorithm>
#include <cerrno>

namespace plankurier::cli {

namespace {
constexpr std::uint64_t flush_bytes = 64u << 20;
constexpr std::chrono::seconds flush_time{2};
} // namespace

PartFiles::PartFiles(std::vector<Part> parts) : parts_(std::move(parts)) {
    std::uint64_t at = 0;
    for (const auto& part : parts_) {
        begins_.push_back(at);
        at += part.size_bytes;
    }
    begins_.push_back(at);
}

void PartFiles::reserve() {
    reserving_ = std::jthread{[this](const std::stop_token& stop) {
        for (const auto& part : parts_) {
            if (part.is_named) continue;
            if (!reserve_part(part.file.get(), part.size_bytes, stop)) full_ = true;
            if (full_) return;
        }
    }};
}

/// The last part that begins at or before the offset; empty parts before it are skipped.
std::size_t PartFiles::part_at(std::uint64_t offset) const {
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
    return static_cast<std::size_t>(after - begins_.begin()) - 1;
}

Result<void> PartFiles::write(std::uint64_t offset, ByteView plain) {
    if (full_) return fail(Errc::no_space, "reserve");
    while (!plain.empty() && offset < begins_.back()) {
        const auto index = part_at(offset);
        const auto room = std::min<std::uint64_t>(begins_[index + 1] - offset, plain.size());
        const auto done = parts_[index].is_named
                              ? static_cast<ssize_t>(room)
                              : ::pwrite(parts_[index].file.get(), plain.data(), room,
                                         static_cast<off_t>(offset - begins_[index]));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            return tl::unexpected(file_error(errno));
        }
        offset += static_cast<std::uint64_t>(done);
        plain = plain.subspan(static_cast<std::size_t>(done));
    }
    const bool zero =
        std::all_of(plain.begin(), plain.end(), [](std::byte byte) { return byte == std::byte{}; });
    if (!zero) return fail(Errc::tampered, "padding");
    return {};
}

Result<void> PartFiles::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty() && offset < begins_.back()) {
        const auto index = part_at(offset);
        const auto here = std::min<std::uint64_t>(begins_[index + 1] - offset, out.size());
        const int file = parts_[index].file.get();
        const auto got =
            file < 0 ? 0
                     : ::pread(file, out.data(), here, static_cast<off_t>(offset - begins_[index]));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return tl::unexpected(file_error(errno));
        // Nothing is there, or not any more.
        const auto bytes = got == 0 ? here : static_cast<std::uint64_t>(got);
        if (got == 0) std::ranges::fill(out.first(bytes), std::byte{});
        out = out.subspan(bytes);
        offset += bytes;
    }
    std::ranges::fill(out, std::byte{});
    return {};
}

bool PartFiles::touches_unnamed(std::uint64_t offset, std::uint64_t bytes) const {
    for (std::size_t index = 0; index < parts_.size(); ++index) {
        const bool meets = begins_[index] < offset + bytes && offset < begins_[index + 1];
        if (meets && !parts_[index].is_named) return true;
    }
    return false;
}

Result<void> PartFiles::sync() {
    if (full_) return fail(Errc::no_space, "reserve");
    for (const auto& part : parts_) {
        if (!part.is_named && ::fdatasync(part.file.get()) != 0) {
            return fail(Errc::no_space, "fdatasync");
        }
    }
    return {};
}

Result<void> PieceLedger::flush_if_due() {
    const bool due = fresh_.size() * piece_bytes_ >= flush_bytes ||
                     std::chrono::steady_clock::now() - flushed_ >= flush_time;
    return due ? flush() : Result<void>{};
}

Result<void> PieceLedger::flush() {
    flushed_ = std::chrono::steady_clock::now();
    const auto pieces = std::exchange(fresh_, {});
    if (pieces.empty()) return {};
    if (auto synced = parts_.sync(); !synced) return synced;
    PK_FAULT("cli.download.after_fdatasync");
    for (const auto piece : pieces) state_.pieces[piece] = true;
    auto saved = store_.save(state_);
    PK_FAULT("cli.download.after_state");
    return saved;
}

} // namespace plankurier::cli
