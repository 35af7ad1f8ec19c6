#include <clients/cli/key_agent.hpp>

#include <clients/cli/signals.hpp>

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace plankurier::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t page_bytes = 4'096;
constexpr milliseconds watch_every{1'000};
/// Less is the kernel's reading of two clocks one after the other.
constexpr seconds sleep_min{1};

// One message each way. To the agent: what is wanted. From it: the type of the key and its seed, or
// nothing but `locked`.
constexpr char want_key = 'k', want_lock = 'l', locked = 'd';
struct Head {
    std::uint16_t type;
};

std::optional<sockaddr_un> address_of(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto& name = socket.native();
    if (name.size() >= sizeof address.sun_path) return std::nullopt;
    std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
    return address;
}

/// No program of another user, whatever the folder allows.
bool is_own(int socket) {
    ucred peer{};
    socklen_t length = sizeof peer;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           peer.uid == ::geteuid();
}

/// An agent that is stuck counts as none.
void wait_shortly(int socket) {
    const timeval time{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

/// A line to the agent at this socket that has been asked for something; below 0: none.
FileHandle asked(const std::filesystem::path& socket, char wanted) {
    const auto address = address_of(socket);
    FileHandle line{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    if (!address || line.get() < 0) return {};
    wait_shortly(line.get());
    const auto* const to = reinterpret_cast<const sockaddr*>(&*address);
    const bool ready = ::connect(line.get(), to, sizeof *address) == 0 && is_own(line.get()) &&
                       ::send(line.get(), &wanted, 1, MSG_NOSIGNAL) == 1;
    return ready ? std::move(line) : FileHandle{};
}

std::uint64_t inode_of(const std::filesystem::path& socket) {
    struct stat about {};
    return ::lstat(socket.c_str(), &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

} // namespace

Result<LockedSeed> LockedSeed::hold(const KeySeed& seed) {
    void* const page =
        ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return fail(Errc::unsupported, "mmap");
    LockedSeed out{static_cast<std::byte*>(page)};
    if (::mlock(page, page_bytes) != 0) return fail(Errc::unsupported, "mlock");
    ::madvise(page, page_bytes, MADV_DONTDUMP);
    ::madvise(page, page_bytes, MADV_DONTFORK);
    std::ranges::copy(seed.reveal(), out.page_);
    return Result<LockedSeed>{std::move(out)};
}

LockedSeed::~LockedSeed() {
    if (page_ == nullptr) return;
    wipe({page_, page_bytes});
    ::munmap(page_, page_bytes);
}

std::filesystem::path agents_folder() {
    const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
    if (runtime != nullptr && *runtime == '/') return std::filesystem::path{runtime} / "plankurier";
    return state_folder() / "run";
}

std::filesystem::path agent_socket(ByteView key_file) {
    return agents_folder() / ("key-" + to_hex(sha256(key_file)).substr(0, 24));
}

Result<KeyAgent> KeyAgent::listen(const std::filesystem::path& socket) {
    if (auto made = make_private_folder(socket.parent_path()); !made) {
        return tl::unexpected(made.error());
    }
    const auto address = address_of(socket);
    if (!address) return fail(Errc::file_unreadable, "the folder's name is too long");
    ::unlink(socket.c_str()); // of an agent that was killed
    FileHandle listening{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const auto* const at = reinterpret_cast<const sockaddr*>(&*address);
    const auto mask = ::umask(0177); // nobody else between bind and chmod
    const bool bound = listening.get() >= 0 && ::bind(listening.get(), at, sizeof *address) == 0;
    ::umask(mask);
    if (!bound || ::listen(listening.get(), 8) != 0) return fail(Errc::file_unreadable, "socket");
    return KeyAgent{std::move(listening), socket, inode_of(socket)};
}

KeyAgent::~KeyAgent() {
    if (listening_.get() >= 0 && in_place()) ::unlink(socket_.c_str());
}

bool KeyAgent::in_place() const { return inode_ != 0 && inode_of(socket_) == inode_; }

/// One line. False when it asked for the end.
bool KeyAgent::answer(const LockedSeed& seed, StanzaType type) const {
    const FileHandle line{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (line.get() < 0 || !is_own(line.get())) return true;
    wait_shortly(line.get());
    char wanted = 0;
    if (::recv(line.get(), &wanted, 1, 0) != 1) return true;
    if (wanted == want_lock) {
        ::send(line.get(), &locked, 1, MSG_NOSIGNAL);
        return false;
    }
    if (wanted != want_key) return true;
    Head head{static_cast<std::uint16_t>(type)};
    // Straight out of the locked page: no copy of it is left anywhere.
    auto* const bytes = const_cast<std::byte*>(seed.reveal().data());
    iovec parts[] = {{&head, sizeof head}, {bytes, KeySeed::size}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    ::sendmsg(line.get(), &message, MSG_NOSIGNAL);
    return true;
}

void KeyAgent::serve(LockedSeed seed, StanzaType type, seconds life, const Clock& clock) {
    const auto end = clock.now() + life;
    const auto slept = clock.slept();
    while (!interrupted()) {
        pollfd waiting{listening_.get(), POLLIN, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(watch_every.count()));
        const bool over = clock.now() >= end || clock.slept() - slept >= sleep_min || !in_place();
        if (over || (ready > 0 && !answer(seed, type))) return;
    }
}

std::optional<OpenedKeyFile> unlocked_key(ByteView key_file) {
    const auto line = asked(agent_socket(key_file), want_key);
    if (line.get() < 0) return std::nullopt;
    Head head{};
    OpenedKeyFile key;
    const auto seed = key.seed.reveal_mutable();
    iovec parts[] = {{&head, sizeof head}, {seed.data(), seed.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const auto got = ::recvmsg(line.get(), &message, 0);
    if (got != static_cast<ssize_t>(sizeof head + KeySeed::size)) return std::nullopt;
    key.type = static_cast<StanzaType>(head.type);
    return key;
}

namespace {
bool lock_at(const std::filesystem::path& socket) {
    const auto line = asked(socket, want_lock);
    char answer = 0;
    return line.get() >= 0 && ::recv(line.get(), &answer, 1, 0) == 1;
}
} // namespace

void lock_key(ByteView key_file) { lock_at(agent_socket(key_file)); }

std::size_t lock_keys() {
    std::size_t count = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{agents_folder(), error}) {
        if (!entry.path().filename().native().starts_with("key-")) continue;
        if (lock_at(entry.path())) ++count;
    }
    return count;
}

} // namespace plankurier::cli
