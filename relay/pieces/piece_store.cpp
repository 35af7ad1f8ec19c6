#include "piece_store.hpp"

#include <plankurier/fault.hpp>
#include <plankurier/sealing.hpp>

#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace plankurier::relay::pieces {
namespace {
namespace fs = std::filesystem;
constexpr std::uint64_t group_bytes = 64ULL << 20U;
constexpr std::chrono::milliseconds group_time{50};
constexpr std::uint64_t bit(std::uint32_t piece) { return std::uint64_t{1} << piece; }

[[noreturn]] void raise(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}
void sync_folder(const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) raise("open a folder");
    const int rc = ::fsync(fd);
    ::close(fd);
    if (rc != 0) raise("sync a folder");
}
void write_all(int fd, ByteView bytes, std::uint64_t at) {
    while (!bytes.empty()) {
        const auto n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) raise("write");
        bytes = bytes.subspan(static_cast<std::size_t>(n));
        at += static_cast<std::uint64_t>(n);
    }
}
void put_u64(Bytes& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
}
std::uint64_t get_u64(ByteView in, std::size_t at) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8U | std::to_integer<std::uint64_t>(in[at + i]);
    return value;
}
fs::path base_name(const fs::path& folder, std::uint32_t number) {
    auto digits = std::to_string(number);
    return folder / (std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits);
}
/// Writes bytes to a new file and makes them durable under `path`.
void replace_file(const fs::path& path, ByteView bytes) {
    const auto temporary = path.string() + ".tmp";
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) raise("open a record");
    try {
        write_all(fd, bytes, 0);
        PK_FAULT("pieces.before_record_sync");
        if (::fdatasync(fd) != 0) raise("sync a record");
    } catch (...) {
        ::close(fd);
        throw;
    }
    ::close(fd);
    PK_FAULT("pieces.before_record_rename");
    if (::rename(temporary.c_str(), path.c_str()) != 0) raise("rename a record");
    sync_folder(path.parent_path());
    PK_FAULT("pieces.after_record_rename");
}
} // namespace

Volume::Volume(fs::path base, BodyLayout cut, std::uint32_t n, std::int64_t end)
    : path(std::move(base)), layout(cut), number(n), delete_at(end), roots(cut.pieces_in_volume(n)) {}
Volume::~Volume() {
    if (fd >= 0) ::close(fd);
}

PieceStore::PieceStore(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
    load();
    committer_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void PieceStore::load() {
    std::ifstream dead(folder_ / "tombstones");
    for (std::string line; std::getline(dead, line);)
        if (auto id = TransferId::from_hex(line)) tombstones_.insert(*id);
    for (const auto& entry : fs::directory_iterator(folder_)) {
        const auto id = TransferId::from_hex(entry.path().filename().string());
        if (!id) continue;
        if (tombstones_.contains(*id)) fs::remove_all(entry.path());
        else load_transfer(*id, entry.path());
    }
}

void PieceStore::load_transfer(const TransferId& transfer, const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
    for (const auto& file : files) {
        auto record = file;
        if (file.extension() == ".idx") continue;
        if (file.extension() != ".vol" || !fs::exists(record.replace_extension(".idx"))) {
            fs::remove(file);
            continue;
        }
        std::ifstream in(record, std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        const auto bytes = as_bytes(text);
        if (bytes.size() < 28) throw std::runtime_error("a piece record is damaged");
        const auto cut = BodyLayout::from_body_len(get_u64(bytes, 0));
        const auto number = static_cast<std::uint32_t>(std::stoul(file.stem().string()));
        if (!cut || number >= cut->volumes()) throw std::runtime_error("a piece record is damaged");
        auto volume = std::make_shared<Volume>(base_name(folder, number), *cut, number,
                                               static_cast<std::int64_t>(get_u64(bytes, 8)));
        const auto end = 24 + 32 * volume->roots.size();
        if (bytes.size() < end) throw std::runtime_error("a piece record is damaged");
        volume->durable = volume->known = get_u64(bytes, 16);
        std::memcpy(volume->roots.data(), bytes.data() + 24, end - 24);
        volume->descriptor.assign(bytes.begin() + static_cast<std::ptrdiff_t>(end), bytes.end());
        volume->fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (volume->fd < 0) raise("open a volume");
        volumes_[transfer][number] = volume;
    }
}

PieceStore::VolumePtr PieceStore::open_volume(const Ticket& ticket, const BodyLayout& layout,
                                              std::uint32_t number) {
    const auto folder = folder_ / ticket.transfer.hex();
    if (fs::create_directories(folder)) sync_folder(folder_);
    auto volume = std::make_shared<Volume>(base_name(folder, number), layout, number, ticket.delete_at);
    const auto file = volume->path.string() + ".vol";
    volume->fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (volume->fd < 0) raise("create a volume");
    const int rc = ::posix_fallocate(volume->fd, 0, static_cast<off_t>(layout.volume_bytes(number)));
    if (rc != 0) {
        ::unlink(file.c_str());
        throw std::system_error(rc, std::generic_category(), "reserve a volume");
    }
    return volume;
}

Result<PieceStore::Slot> PieceStore::begin_put(const Ticket& ticket, std::uint32_t number,
                                               std::uint32_t piece, std::int64_t now) {
    const auto layout = BodyLayout::from_body_len(ticket.body_len);
    if (!layout || number >= layout->volumes() || piece >= layout->pieces_in_volume(number))
        return fail(Errc::invalid_argument, "piece number");
    if (ticket.delete_at <= now) return fail(Errc::expired, "transfer");
    const std::lock_guard lock(mutex_);
    if (tombstones_.contains(ticket.transfer)) return fail(Errc::purged, "transfer");
    auto& volume = volumes_[ticket.transfer][number];
    if (!volume) {
        try {
            volume = open_volume(ticket, *layout, number);
        } catch (const std::system_error& error) {
            volumes_[ticket.transfer].erase(number);
            if (error.code().value() == ENOSPC) return fail(Errc::no_space, "volume");
            throw;
        }
    }
    if (volume->layout != *layout) return fail(Errc::conflict, "body length");
    if ((volume->known & bit(piece)) != 0) return Slot{volume, piece, false};
    if ((volume->busy & bit(piece)) != 0) return fail(Errc::conflict, "piece is being written");
    volume->busy |= bit(piece);
    return Slot{volume, piece, true};
}

Result<void> PieceStore::write(const Slot& slot, std::uint64_t offset, ByteView bytes) {
    if (slot.volume->gone) return fail(Errc::purged, "transfer");
    try {
        PK_FAULT("pieces.before_write");
        write_all(slot.volume->fd, bytes, slot.piece * slot.volume->layout.piece_bytes() + offset);
    } catch (const std::system_error& error) {
        if (error.code().value() == ENOSPC) return fail(Errc::no_space, "piece");
        throw;
    }
    return {};
}

Result<void> PieceStore::finish_put(const Slot& slot, const Hash256& root) {
    const std::lock_guard lock(mutex_);
    auto& volume = *slot.volume;
    if (volume.gone) return fail(Errc::purged, "transfer");
    if (!slot.write) {
        if (volume.roots[slot.piece] == root) return {};
        return fail((volume.durable & bit(slot.piece)) != 0 ? Errc::tampered : Errc::conflict, "root");
    }
    volume.busy &= ~bit(slot.piece);
    volume.known |= bit(slot.piece);
    volume.roots[slot.piece] = root;
    queue_.push_back({slot.volume, slot.piece});
    queued_bytes_ += volume.layout.piece_bytes();
    wake_.notify_one();
    return {};
}

void PieceStore::abort_put(const Slot& slot) {
    const std::lock_guard lock(mutex_);
    if (slot.write) slot.volume->busy &= ~bit(slot.piece);
}

void PieceStore::save(Volume& volume, std::uint64_t durable, const Bytes& descriptor) {
    Bytes out;
    put_u64(out, volume.layout.body_len());
    put_u64(out, static_cast<std::uint64_t>(volume.delete_at));
    put_u64(out, durable);
    {
        const std::lock_guard lock(mutex_);
        for (const auto& root : volume.roots) out.insert(out.end(), root.begin(), root.end());
    }
    out.insert(out.end(), descriptor.begin(), descriptor.end());
    out.resize(std::max<std::size_t>(out.size(), 28));
    replace_file(volume.path.string() + ".idx", out);
}

void PieceStore::commit(const std::vector<Pending>& group) {
    std::map<VolumePtr, std::uint64_t> dirty;
    for (const auto& item : group) dirty[item.volume] |= bit(item.piece);
    for (const auto& [volume, bits] : dirty) {
        try {
            PK_FAULT("pieces.before_fdatasync");
            if (::fdatasync(volume->fd) != 0) raise("sync a volume");
            PK_FAULT("pieces.after_fdatasync");
            const std::lock_guard order(index_mutex_);
            if (volume->gone) continue;
            save(*volume, volume->durable | bits, volume->descriptor);
            const std::lock_guard lock(mutex_);
            volume->durable |= bits;
        } catch (const std::system_error&) {
            // Nothing was promised: the pieces are simply not there, and the sender sends again.
            const std::lock_guard lock(mutex_);
            volume->known &= ~bits;
        }
    }
}

void PieceStore::run(const std::stop_token& stop) {
    while (true) {
        std::vector<Pending> group;
        {
            std::unique_lock lock(mutex_);
            if (!wake_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
            (void)wake_.wait_for(lock, stop, group_time, [this] { return queued_bytes_ >= group_bytes; });
            group.swap(queue_);
            queued_bytes_ = 0;
        }
        commit(group);
    }
}

Result<void> PieceStore::put_descriptor(const Ticket& ticket, std::uint32_t number, ByteView bytes) {
    const auto descriptor = decode_descriptor(bytes);
    if (!descriptor) return tl::unexpected<Error>(descriptor.error());
    const auto mine = find(ticket.transfer);
    const auto found = mine.find(number);
    if (found == mine.end()) return fail(Errc::conflict, "pieces missing");
    auto& volume = *found->second;
    const std::lock_guard order(index_mutex_);
    {
        const std::lock_guard lock(mutex_);
        if (volume.gone) return fail(Errc::purged, "transfer");
        const auto all = volume.roots.size() == 64 ? ~std::uint64_t{0}
                                                   : bit(static_cast<std::uint32_t>(volume.roots.size())) - 1;
        if (volume.durable != all) return fail(Errc::conflict, "pieces missing");
        if (descriptor->volume != number || descriptor->piece_roots != volume.roots ||
            descriptor->length != volume.layout.volume_bytes(number) ||
            descriptor->root != volume_root(volume.roots, volume.layout.piece_bytes()))
            return fail(Errc::tampered, "descriptor");
    }
    const Bytes copy(bytes.begin(), bytes.end());
    if (volume.descriptor == copy) return {};
    if (!volume.descriptor.empty()) return fail(Errc::tampered, "descriptor");
    save(volume, volume.durable, copy);
    const std::lock_guard lock(mutex_);
    volume.descriptor = copy;
    return {};
}

std::map<std::uint32_t, PieceStore::VolumePtr> PieceStore::find(const TransferId& transfer) {
    const std::lock_guard lock(mutex_);
    const auto found = volumes_.find(transfer);
    return found == volumes_.end() ? std::map<std::uint32_t, VolumePtr>{} : found->second;
}
bool PieceStore::is_durable(const VolumePtr& volume, std::uint32_t piece) {
    const std::lock_guard lock(mutex_);
    return !volume->gone && piece < volume->roots.size() && (volume->durable & bit(piece)) != 0;
}
std::pair<std::uint64_t, Bytes> PieceStore::snapshot(const VolumePtr& volume) {
    const std::lock_guard lock(mutex_);
    return {volume->durable, volume->descriptor};
}
bool PieceStore::tombstoned(const TransferId& transfer) {
    const std::lock_guard lock(mutex_);
    return tombstones_.contains(transfer);
}
std::vector<TransferId> PieceStore::transfers() {
    const std::lock_guard lock(mutex_);
    std::vector<TransferId> out;
    for (const auto& [id, volumes] : volumes_) out.push_back(id);
    return out;
}
std::vector<TransferId> PieceStore::past(std::int64_t now) {
    const std::lock_guard lock(mutex_);
    std::vector<TransferId> out;
    for (const auto& [id, volumes] : volumes_)
        if (!volumes.empty() && volumes.begin()->second->delete_at <= now) out.push_back(id);
    return out;
}

void PieceStore::purge(const TransferId& transfer) {
    const std::lock_guard order(index_mutex_);
    bool fresh = false;
    {
        const std::lock_guard lock(mutex_);
        fresh = tombstones_.insert(transfer).second;
        for (auto& [number, volume] : volumes_[transfer]) volume->gone = true;
        volumes_.erase(transfer);
    }
    if (fresh) {
        const int fd = ::open((folder_ / "tombstones").c_str(),
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0) raise("open the tombstones");
        const auto line = transfer.hex() + "\n";
        const auto n = ::write(fd, line.data(), line.size());
        const int rc = ::fdatasync(fd);
        ::close(fd);
        if (n != static_cast<ssize_t>(line.size()) || rc != 0) raise("write the tombstones");
    }
    PK_FAULT("pieces.before_unlink");
    fs::remove_all(folder_ / transfer.hex());
    sync_folder(folder_);
}

} // namespace plankurier::relay::pieces
