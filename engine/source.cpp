#include <plankurier/layout.hpp>
#include <plankurier/source.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include <algorithm>

namespace plankurier {

namespace {

struct OpenFile {
    int fd{-1};
    std::uint64_t starts_at{}; ///< offset in the body

    OpenFile() = default;
    explicit OpenFile(int descriptor, std::uint64_t start) : fd(descriptor), starts_at(start) {}
    OpenFile(OpenFile&& other) noexcept
        : fd(std::exchange(other.fd, -1)), starts_at(other.starts_at) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    OpenFile& operator=(OpenFile&&) = delete;
    ~OpenFile() {
        if (fd >= 0) ::close(fd);
    }
};

Result<FileIdentity> identity_of(int fd, std::filesystem::path path) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return fail(Errc::file_unreadable, "fstat");
    if (!S_ISREG(info.st_mode)) return fail(Errc::file_unreadable, "not a regular file");
    FileIdentity identity;
    identity.path = std::move(path);
    identity.size_bytes = static_cast<std::uint64_t>(info.st_size);
    identity.mtime_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
    identity.inode = info.st_ino;
    identity.device = info.st_dev;
    return identity;
}

Result<void> read_fully(int fd, std::span<std::byte> out, std::uint64_t offset) {
    while (!out.empty()) {
        const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Errc::file_unreadable, "pread");
        if (got == 0) return fail(Errc::file_changed, "shorter than before");
        out = out.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return {};
}

} // namespace

struct BodySource::State {
    std::vector<FileIdentity> identities;
    std::vector<OpenFile> files;
    std::uint64_t content_bytes{};
};

BodySource::BodySource(std::unique_ptr<State> state) : state_(std::move(state)) {}
BodySource::~BodySource() = default;
BodySource::BodySource(BodySource&&) noexcept = default;
BodySource& BodySource::operator=(BodySource&&) noexcept = default;

Result<BodySource> BodySource::open(std::vector<std::filesystem::path> files) {
    auto state = std::make_unique<State>();
    for (std::filesystem::path& path : files) {
        // O_NONBLOCK: opening a FIFO must not hang; it is refused as no regular file just after.
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) return fail(Errc::file_unreadable, "open");
        state->files.emplace_back(fd, state->content_bytes);
        auto identity = identity_of(fd, std::filesystem::absolute(path));
        if (!identity) return tl::unexpected(identity.error());
        if (identity->size_bytes > body_bytes_max - state->content_bytes) {
            return fail(Errc::too_large, "content");
        }
        state->content_bytes += identity->size_bytes;
        state->identities.push_back(std::move(*identity));
        ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return BodySource{std::move(state)};
}

const std::vector<FileIdentity>& BodySource::files() const noexcept { return state_->identities; }
std::uint64_t BodySource::content_bytes() const noexcept { return state_->content_bytes; }

Result<void> BodySource::read(std::uint64_t offset, std::span<std::byte> out) const {
    const State& state = *state_;
    // The last file that starts at or before the offset; empty files in between are stepped over.
    const auto after = std::ranges::upper_bound(state.files, offset, {}, &OpenFile::starts_at);
    auto index = static_cast<std::size_t>(after - state.files.begin());
    if (index > 0) --index;
    while (!out.empty() && offset < state.content_bytes) {
        const FileIdentity& expected = state.identities[index];
        const OpenFile& file = state.files[index];
        const std::uint64_t within = offset - file.starts_at;
        if (within >= expected.size_bytes) {
            ++index;
            continue;
        }
        const std::size_t now = static_cast<std::size_t>(
            std::min<std::uint64_t>(out.size(), expected.size_bytes - within));
        if (auto got = read_fully(file.fd, out.first(now), within); !got) return got;
        struct stat info {};
        if (::fstat(file.fd, &info) != 0) return fail(Errc::file_unreadable, "fstat");
        if (static_cast<std::uint64_t>(info.st_size) != expected.size_bytes ||
            info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec != expected.mtime_ns) {
            return fail(Errc::file_changed, "size or time");
        }
        out = out.subspan(now);
        offset += now;
    }
    std::ranges::fill(out, std::byte{0});
    return {};
}

Result<void> BodySource::same_as(const std::vector<FileIdentity>& expected) const {
    if (state_->identities != expected) return fail(Errc::file_changed, "since the start");
    return {};
}

} // namespace plankurier
