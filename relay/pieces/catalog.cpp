#include "relay/pieces/catalog.hpp"

#include <plankurier/fault.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace plankurier::relay::pieces {

namespace {

namespace fs = std::filesystem;
using adapters::number;
using adapters::text;

const std::vector<std::string> migrations = {
    "CREATE TABLE transfer (tid TEXT PRIMARY KEY, body_len BIGINT NOT NULL,"
    " delete_at BIGINT NOT NULL)",
    "CREATE TABLE volume (tid TEXT NOT NULL, n BIGINT NOT NULL, durable TEXT NOT NULL,"
    " roots TEXT NOT NULL, descriptor TEXT NOT NULL, PRIMARY KEY (tid, n))",
    "CREATE TABLE purged (tid TEXT PRIMARY KEY)",
    "CREATE TABLE sync (sequence BIGINT NOT NULL)",
};

fs::path prepared(const fs::path& folder) {
    fs::create_directories(folder);
    return folder;
}

void sync_folder(const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && ::fsync(fd) == 0;
    const int failure = errno;
    if (fd >= 0) ::close(fd);
    if (!ok) throw std::system_error(failure, std::generic_category(), "sync a piece folder");
}

TransferId id_from(const std::string& digits) {
    const auto id = TransferId::from_hex(digits);
    if (!id) throw std::runtime_error("the piece index is damaged");
    return *id;
}

Bytes bytes_from(const std::string& digits) {
    auto raw = from_hex(digits);
    if (!raw) throw std::runtime_error("the piece index is damaged");
    return std::move(*raw);
}

std::uint64_t bit(std::uint32_t piece) noexcept { return std::uint64_t{1} << piece; }

} // namespace

VolumeFile::~VolumeFile() { ::close(fd_); }

Catalog::Catalog(const fs::path& folder) : folder_(prepared(folder)), db_(folder_ / "index.db") {
    db_.migrate(migrations);
    load();
    for (const TransferId& id : transfers()) {
        if (purged_.contains(id)) purge(id); // cut short by a crash
    }
    remove_strangers();
}

fs::path Catalog::folder_of(const TransferId& transfer) const { return folder_ / transfer.hex(); }
fs::path Catalog::file_of(const TransferId& transfer, std::uint32_t volume) const {
    std::string digits = std::to_string(volume);
    digits.insert(0, digits.size() < 8 ? 8 - digits.size() : 0, '0');
    return folder_of(transfer) / (digits + ".vol");
}

void Catalog::load() {
    for (const auto& row : db_.query("SELECT tid, body_len, delete_at FROM transfer")) {
        const auto layout = BodyLayout::from_body_len(static_cast<std::uint64_t>(number(row[1])));
        if (!layout) throw std::runtime_error("the piece index is damaged");
        transfers_.emplace(id_from(text(row[0])), Transfer{*layout, number(row[2]), {}});
    }
    for (const auto& row : db_.query("SELECT tid, n, durable, roots, descriptor FROM volume")) {
        const auto found = transfers_.find(id_from(text(row[0])));
        if (found == transfers_.end()) continue;
        Volume& volume = found->second.volumes[static_cast<std::uint32_t>(number(row[1]))];
        for (const std::byte b : bytes_from(text(row[2]))) {
            volume.durable = volume.durable << 8 | std::to_integer<std::uint64_t>(b);
        }
        const Bytes roots = bytes_from(text(row[3]));
        for (std::size_t at = 0; at + 32 <= roots.size(); at += 32) {
            std::copy_n(roots.begin() + static_cast<std::ptrdiff_t>(at), 32,
                        volume.roots.emplace_back().begin());
        }
        volume.descriptor = bytes_from(text(row[4]));
    }
    for (const auto& row : db_.query("SELECT tid FROM purged"))
        purged_.insert(id_from(text(row[0])));
    for (const auto& row : db_.query("SELECT sequence FROM sync")) sequence_ = number(row[0]);
}

/// A crash between unlink and commit, or between create and commit, leaves folders without a row.
void Catalog::remove_strangers() {
    for (const auto& entry : fs::directory_iterator{folder_}) {
        if (!entry.is_directory()) continue;
        const auto id = TransferId::from_hex(entry.path().filename().string());
        if (!id || !transfers_.contains(*id)) fs::remove_all(entry.path());
    }
}

Result<Catalog::Transfer*> Catalog::transfer_for(const Ticket& ticket) {
    if (purged_.contains(ticket.transfer)) return fail(Errc::purged, "transfer");
    const auto found = transfers_.find(ticket.transfer);
    if (found == transfers_.end()) return fail(Errc::not_found, "transfer");
    if (found->second.layout.body_len() != ticket.body_len) {
        return fail(Errc::conflict, "other length");
    }
    return &found->second;
}

Result<std::shared_ptr<VolumeFile>>
Catalog::open_volume(const TransferId& transfer, std::uint32_t volume, std::uint64_t bytes) {
    const fs::path file = file_of(transfer, volume);
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno == ENOSPC || errno == EDQUOT) return fail(Errc::no_space, "create");
        throw std::system_error(errno, std::generic_category(), "open a volume");
    }
    auto out = std::make_shared<VolumeFile>(fd);
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
        throw std::system_error(errno, std::generic_category(), "stat of a volume");
    }
    if (static_cast<std::uint64_t>(info.st_size) == bytes) return out;
    // Space is taken before the first byte comes, so that a full disk is noticed here.
    const int failed = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
    if (failed == ENOSPC || failed == EDQUOT || failed == EFBIG) {
        ::unlink(file.c_str());
        return fail(Errc::no_space, "preallocate");
    }
    if (failed != 0) {
        throw std::system_error(failed, std::generic_category(), "preallocate a volume");
    }
    sync_folder(file.parent_path());
    return out;
}

Result<Writing> Catalog::begin_write(const Ticket& ticket, std::uint32_t volume,
                                     std::uint32_t piece) {
    const std::scoped_lock lock{mutex_};
    const auto layout = BodyLayout::from_body_len(ticket.body_len);
    if (!layout || piece >= layout->pieces_in_volume(volume)) {
        return fail(Errc::malformed, "no such piece");
    }
    if (purged_.contains(ticket.transfer)) return fail(Errc::purged, "transfer");
    if (!transfers_.contains(ticket.transfer)) {
        PK_FAULT("pieces.before_create");
        fs::create_directory(folder_of(ticket.transfer));
        sync_folder(folder_);
        db_.tx([&] {
            db_.exec("INSERT INTO transfer VALUES (:p0, :p1, :p2)",
                     {ticket.transfer.hex(), static_cast<std::int64_t>(ticket.body_len),
                      ticket.delete_at});
        });
        transfers_.emplace(ticket.transfer, Transfer{*layout, ticket.delete_at, {}});
    }
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    if (ticket.delete_at > (*transfer)->delete_at) {
        // An upload that goes on for days: its expiry begins later than the first ticket knew.
        db_.tx([&] {
            db_.exec("UPDATE transfer SET delete_at = :p0 WHERE tid = :p1",
                     {ticket.delete_at, ticket.transfer.hex()});
        });
        (*transfer)->delete_at = ticket.delete_at;
    }
    Volume& entry = (*transfer)->volumes[volume];
    entry.roots.resize(layout->pieces_in_volume(volume));
    if ((entry.writing & bit(piece)) != 0) return fail(Errc::conflict, "being written");
    auto file = open_volume(ticket.transfer, volume, layout->volume_bytes(volume));
    if (!file) return tl::unexpected(file.error());
    entry.writing |= bit(piece);
    Writing writing;
    writing.place = {ticket.transfer, volume, piece};
    writing.file = std::move(*file);
    writing.bytes = layout->piece_bytes();
    writing.offset = piece * writing.bytes;
    if ((entry.durable & bit(piece)) != 0) writing.durable_root = entry.roots[piece];
    return writing;
}

void Catalog::abandon(const PiecePlace& place) {
    const std::scoped_lock lock{mutex_};
    const auto found = transfers_.find(place.transfer);
    if (found != transfers_.end()) found->second.volumes[place.volume].writing &= ~bit(place.piece);
}

void Catalog::store_volume(const TransferId& transfer, std::uint32_t number, const Volume& volume) {
    Bytes durable(8);
    for (std::size_t i = 0; i < 8; ++i) {
        durable[i] = static_cast<std::byte>(volume.durable >> (56 - 8 * i) & 0xFFU);
    }
    Bytes roots;
    for (const Hash256& root : volume.roots) roots.insert(roots.end(), root.begin(), root.end());
    db_.exec("INSERT OR REPLACE INTO volume VALUES (:p0, :p1, :p2, :p3, :p4)",
             {transfer.hex(), std::int64_t{number}, to_hex(durable), to_hex(roots),
              to_hex(volume.descriptor)});
}

void Catalog::commit(const std::vector<Written>& group) {
    const std::scoped_lock lock{mutex_};
    std::map<std::pair<TransferId, std::uint32_t>, Volume> changed;
    for (const Written& one : group) {
        const auto found = transfers_.find(one.place.transfer);
        if (found == transfers_.end()) continue; // purged meanwhile
        const auto key = std::pair{one.place.transfer, one.place.volume};
        Volume& volume =
            changed.try_emplace(key, found->second.volumes[one.place.volume]).first->second;
        volume.roots[one.place.piece] = one.root;
        volume.durable |= bit(one.place.piece);
        volume.writing &= ~bit(one.place.piece);
    }
    db_.tx([&] {
        for (const auto& [key, volume] : changed) store_volume(key.first, key.second, volume);
        PK_FAULT("pieces.before_commit");
    });
    PK_FAULT("pieces.after_commit");
    for (auto& [key, volume] : changed) {
        transfers_.at(key.first).volumes[key.second] = std::move(volume);
    }
}

Result<Readable> Catalog::readable(const Ticket& ticket, std::uint32_t volume,
                                   std::uint32_t piece) {
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    const auto found = (*transfer)->volumes.find(volume);
    if (found == (*transfer)->volumes.end() || piece >= volume_pieces_max ||
        (found->second.durable & bit(piece)) == 0) {
        return fail(Errc::not_found, "piece");
    }
    const int fd = ::open(file_of(ticket.transfer, volume).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "open a volume");
    const std::uint64_t bytes = (*transfer)->layout.piece_bytes();
    return Readable{std::make_shared<VolumeFile>(fd), piece * bytes, bytes};
}

Result<void> Catalog::put_descriptor(const Ticket& ticket, std::uint32_t volume, ByteView bytes) {
    const auto descriptor = decode_descriptor(bytes);
    if (!descriptor || descriptor->volume != volume) return fail(Errc::malformed, "descriptor");
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    const BodyLayout& layout = (*transfer)->layout;
    const std::uint32_t pieces = layout.pieces_in_volume(volume);
    const auto found = (*transfer)->volumes.find(volume);
    const std::uint64_t all = pieces >= 64 ? ~std::uint64_t{0} : bit(pieces) - 1;
    if (pieces == 0 || found == (*transfer)->volumes.end() || found->second.durable != all) {
        return fail(Errc::conflict, "pieces are missing");
    }
    if (descriptor->piece_roots != found->second.roots ||
        descriptor->length != layout.volume_bytes(volume) ||
        descriptor->root != volume_root(found->second.roots, layout.piece_bytes())) {
        return fail(Errc::tampered, "roots differ");
    }
    Volume changed = found->second;
    changed.descriptor.assign(bytes.begin(), bytes.end());
    db_.tx([&] { store_volume(ticket.transfer, volume, changed); });
    PK_FAULT("pieces.after_descriptor");
    found->second = std::move(changed);
    return {};
}

Result<Bytes> Catalog::descriptor(const Ticket& ticket, std::uint32_t volume) {
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    const auto found = (*transfer)->volumes.find(volume);
    if (found == (*transfer)->volumes.end() || found->second.descriptor.empty()) {
        return fail(Errc::not_found, "descriptor");
    }
    return found->second.descriptor;
}

std::vector<Catalog::VolumeMap> Catalog::map(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    std::vector<VolumeMap> out;
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end()) return out;
    for (const auto& [number, volume] : found->second.volumes) {
        VolumeMap one{number, Bytes((volume.roots.size() + 7) / 8), !volume.descriptor.empty()};
        for (std::size_t i = 0; i < volume.roots.size(); ++i) {
            if ((volume.durable >> i & 1U) != 0) one.durable[i / 8] |= std::byte{0x80} >> (i % 8);
        }
        out.push_back(std::move(one));
    }
    return out;
}

Result<Hash256> Catalog::stored(const Ticket& ticket) {
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    std::vector<Bytes> descriptors;
    for (std::uint32_t n = 0; n < (*transfer)->layout.volumes(); ++n) {
        const auto found = (*transfer)->volumes.find(n);
        if (found == (*transfer)->volumes.end() || found->second.descriptor.empty()) {
            return fail(Errc::conflict, "descriptors are missing");
        }
        descriptors.push_back(found->second.descriptor);
    }
    return content_root(descriptors);
}

void Catalog::purge(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    // Refused first, deleted second, confirmed last: a crash in between only repeats work.
    if (purged_.insert(transfer).second) {
        db_.tx([&] { db_.exec("INSERT OR IGNORE INTO purged VALUES (:p0)", {transfer.hex()}); });
    }
    PK_FAULT("pieces.before_unlink");
    fs::remove_all(folder_of(transfer));
    sync_folder(folder_);
    PK_FAULT("pieces.after_unlink");
    db_.tx([&] {
        db_.exec("DELETE FROM volume WHERE tid = :p0", {transfer.hex()});
        db_.exec("DELETE FROM transfer WHERE tid = :p0", {transfer.hex()});
    });
    db_.checkpoint_truncate();
    transfers_.erase(transfer);
}

std::vector<TransferId> Catalog::purge_overdue(std::int64_t now) {
    std::vector<TransferId> overdue;
    {
        const std::scoped_lock lock{mutex_};
        for (const auto& [id, transfer] : transfers_) {
            if (now >= transfer.delete_at) overdue.push_back(id);
        }
    }
    for (const TransferId& id : overdue) purge(id);
    return overdue;
}

std::vector<TransferId> Catalog::transfers() {
    const std::scoped_lock lock{mutex_};
    std::vector<TransferId> out;
    for (const auto& [id, transfer] : transfers_) out.push_back(id);
    return out;
}

std::int64_t Catalog::sync_sequence() {
    const std::scoped_lock lock{mutex_};
    return sequence_;
}

void Catalog::set_sync_sequence(std::int64_t sequence) {
    const std::scoped_lock lock{mutex_};
    if (sequence == sequence_) return;
    db_.tx([&] {
        db_.exec("DELETE FROM sync");
        db_.exec("INSERT INTO sync VALUES (:p0)", {sequence});
    });
    sequence_ = sequence;
}

} // namespace plankurier::relay::pieces
