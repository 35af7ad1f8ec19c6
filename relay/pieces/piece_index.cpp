#include "relay/pieces/piece_index.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string_view>

namespace plankurier::relay::pieces {

namespace {

namespace fs = std::filesystem;
using adapters::number;
using adapters::text;

const std::vector<std::string> migrations = {
    "CREATE TABLE transfer (tid TEXT PRIMARY KEY, body_len BIGINT NOT NULL,"
    " delete_at BIGINT NOT NULL)",
    // What a start reads stands before the descriptor: the rest of a row is then never touched.
    "CREATE TABLE volume (tid TEXT NOT NULL, n BIGINT NOT NULL, durable TEXT NOT NULL,"
    " described BIGINT NOT NULL, roots TEXT NOT NULL, descriptor TEXT NOT NULL,"
    " PRIMARY KEY (tid, n))",
    "CREATE TABLE purged (tid TEXT PRIMARY KEY)",
    "CREATE TABLE sync (sequence BIGINT NOT NULL)",
    "CREATE TABLE scrubbed (tid TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL,"
    " PRIMARY KEY (tid, n)) WITHOUT ROWID",
    "CREATE TABLE damaged (pieces BIGINT NOT NULL)",
};

[[noreturn]] void damaged() { throw adapters::DamagedDb("the piece index is damaged"); }

constexpr std::string_view aside_mark = ".unreadable.";

/// Indexes of the folder that were set aside, by their numbers.
std::map<std::uint64_t, fs::path> numbered(const fs::path& folder) {
    std::map<std::uint64_t, fs::path> out;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{folder, none}) {
        const std::string name = entry.path().filename().string();
        const auto at = name.find(aside_mark);
        if (at == name.npos) continue;
        std::uint64_t value = 0;
        const char* const end = name.data() + name.size();
        const auto read = std::from_chars(name.data() + at + aside_mark.size(), end, value);
        if (read.ec == std::errc{} && read.ptr == end) out[value] = entry.path();
    }
    return out;
}

/// A crash has ended `begin_anew` between the index and its log, which SQLite deletes where it
/// finds no index.
void keep_log(const fs::path& file) {
    const auto aside = unreadable_index(file.parent_path());
    std::error_code none;
    if (!aside || fs::exists(file, none)) return;
    const fs::path kept = aside->string() + "-wal";
    if (!fs::exists(kept, none)) fs::rename(file.string() + "-wal", kept, none);
}

TransferId id_from(const std::string& digits) {
    const auto id = TransferId::from_hex(digits);
    if (!id) damaged();
    return *id;
}

Bytes bytes_from(const std::string& digits) {
    auto raw = from_hex(digits);
    if (!raw) damaged();
    return std::move(*raw);
}

std::string hex_of(std::uint64_t bits) {
    Bytes out(8);
    for (std::size_t i = 0; i < 8; ++i) {
        out[i] = static_cast<std::byte>(bits >> (56 - 8 * i) & 0xFFU);
    }
    return to_hex(out);
}

} // namespace

PieceIndex::PieceIndex(const std::filesystem::path& file) : file_(file) {
    try {
        open();
    } catch (const adapters::DamagedDb&) {
        begin_anew();
    } catch (const adapters::NewerDb&) {
        throw std::runtime_error(
            file_.filename().string() +
            " is of a newer version of this program, and nothing was changed: install that "
            "version again. Or, only if other relays have all copies, move the file away: "
            "everything is then copied from them");
    }
}

void PieceIndex::open() {
    keep_log(file_);
    std::error_code none;
    const auto log_bytes = fs::file_size(file_.string() + "-wal", none);
    const bool was_cut_short = !none && log_bytes != 0;
    db_.emplace(file_);
    // Nothing else damages a database in practice. To read all of it at each start would cost
    // seconds.
    if (was_cut_short && text(db_->query("PRAGMA quick_check(1)").at(0).at(0)) != "ok") damaged();
    db_->migrate(migrations);
}

void PieceIndex::begin_anew() {
    db_.reset();
    const auto folder = file_.parent_path();
    const auto older = numbered(folder);
    const std::uint64_t number = older.empty() ? 1 : older.rbegin()->first + 1;
    const fs::path aside = file_.string() + std::string{aside_mark} + std::to_string(number);
    fs::rename(file_, aside);
    std::error_code none;
    fs::rename(file_.string() + "-wal", aside.string() + "-wal", none); // never read with another
    fs::remove(file_.string() + "-shm", none);
    for (const auto& [old, path] : older) {
        if (old == older.begin()->first) continue; // what there was before all trouble
        fs::remove(path, none);
        fs::remove(path.string() + "-wal", none);
    }
    std::fprintf(stderr,
                 "pieces: the index cannot be read: it is kept as %s, and a new one is begun. What "
                 "it knew is copied from other relays; see `status`\n",
                 aside.filename().c_str());
    open();
}

std::optional<fs::path> unreadable_index(const fs::path& folder) {
    const auto all = numbered(folder);
    if (all.empty()) return std::nullopt;
    return all.rbegin()->second;
}

std::vector<PieceIndex::TransferRow> PieceIndex::transfers() {
    std::vector<TransferRow> out;
    for (const auto& row : db_->query("SELECT tid, body_len, delete_at FROM transfer")) {
        out.push_back(
            {id_from(text(row[0])), static_cast<std::uint64_t>(number(row[1])), number(row[2])});
    }
    return out;
}

std::vector<PieceIndex::VolumeRow> PieceIndex::volumes() {
    std::vector<VolumeRow> out;
    for (const auto& row :
         db_->query("SELECT volume.tid, volume.n, durable, described, roots, ifnull(at, 0) FROM "
                    "volume LEFT JOIN scrubbed ON scrubbed.tid = volume.tid AND scrubbed.n = "
                    "volume.n")) {
        VolumeRow& volume = out.emplace_back();
        volume.transfer = id_from(text(row[0]));
        volume.volume = static_cast<std::uint32_t>(number(row[1]));
        for (const std::byte b : bytes_from(text(row[2]))) {
            volume.durable = volume.durable << 8 | std::to_integer<std::uint64_t>(b);
        }
        volume.described = number(row[3]) != 0;
        const Bytes roots = bytes_from(text(row[4]));
        if (volume.described != roots.empty()) damaged();
        for (std::size_t at = 0; at + 32 <= roots.size(); at += 32) {
            std::copy_n(roots.begin() + static_cast<std::ptrdiff_t>(at), 32,
                        volume.roots.emplace_back().begin());
        }
        volume.scrubbed = number(row[5]);
    }
    return out;
}

std::vector<TransferId> PieceIndex::purged() {
    std::vector<TransferId> out;
    for (const auto& row : db_->query("SELECT tid FROM purged"))
        out.push_back(id_from(text(row[0])));
    return out;
}

std::int64_t PieceIndex::sequence() {
    const auto rows = db_->query("SELECT sequence FROM sync");
    return rows.empty() ? 0 : number(rows[0][0]);
}

Bytes PieceIndex::descriptor(const TransferId& transfer, std::uint32_t volume) {
    const auto rows = db_->query("SELECT descriptor FROM volume WHERE tid = :p0 AND n = :p1",
                                 {transfer.hex(), std::int64_t{volume}});
    return rows.empty() ? Bytes{} : bytes_from(text(rows[0][0]));
}

std::vector<Bytes> PieceIndex::descriptors(const TransferId& transfer) {
    std::vector<Bytes> out;
    for (const auto& row :
         db_->query("SELECT descriptor FROM volume WHERE tid = :p0 AND described = 1 ORDER BY n",
                    {transfer.hex()})) {
        out.push_back(bytes_from(text(row[0])));
    }
    return out;
}

void PieceIndex::add_transfer(const TransferRow& row) {
    db_->tx([&] {
        db_->exec("INSERT INTO transfer VALUES (:p0, :p1, :p2)",
                  {row.id.hex(), static_cast<std::int64_t>(row.body_len), row.delete_at});
    });
}

void PieceIndex::set_delete_at(const TransferId& transfer, std::int64_t delete_at) {
    db_->tx([&] {
        db_->exec("UPDATE transfer SET delete_at = :p0 WHERE tid = :p1",
                  {delete_at, transfer.hex()});
    });
}

void PieceIndex::set_durable(const TransferId& transfer, std::uint32_t volume,
                             std::uint64_t durable, const std::vector<Hash256>& roots) {
    Bytes all;
    for (const Hash256& root : roots) all.insert(all.end(), root.begin(), root.end());
    db_->tx([&] {
        db_->exec("INSERT OR REPLACE INTO volume VALUES (:p0, :p1, :p2, 0, :p3, '')",
                  {transfer.hex(), std::int64_t{volume}, hex_of(durable), to_hex(all)});
    });
}

void PieceIndex::describe(const TransferId& transfer, std::uint32_t volume, std::uint64_t durable,
                          ByteView descriptor) {
    db_->tx([&] {
        db_->exec("INSERT OR REPLACE INTO volume VALUES (:p0, :p1, :p2, 1, '', :p3)",
                  {transfer.hex(), std::int64_t{volume}, hex_of(durable), to_hex(descriptor)});
    });
}

void PieceIndex::set_pieces(const TransferId& transfer, std::uint32_t volume,
                            std::uint64_t durable) {
    db_->tx([&] {
        db_->exec("UPDATE volume SET durable = :p0 WHERE tid = :p1 AND n = :p2",
                  {hex_of(durable), transfer.hex(), std::int64_t{volume}});
    });
}

void PieceIndex::forget_volume(const TransferId& transfer, std::uint32_t volume) {
    db_->tx([&] {
        for (const char* table : {"volume", "scrubbed"}) {
            db_->exec(std::string{"DELETE FROM "} + table + " WHERE tid = :p0 AND n = :p1",
                      {transfer.hex(), std::int64_t{volume}});
        }
    });
}

void PieceIndex::set_scrubbed(const TransferId& transfer, std::uint32_t volume, std::int64_t at) {
    db_->tx([&] {
        db_->exec("INSERT OR REPLACE INTO scrubbed VALUES (:p0, :p1, :p2)",
                  {transfer.hex(), std::int64_t{volume}, at});
    });
}

std::int64_t PieceIndex::damaged_pieces() {
    const auto rows = db_->query("SELECT pieces FROM damaged");
    return rows.empty() ? 0 : number(rows[0][0]);
}

void PieceIndex::set_damaged(std::int64_t pieces) {
    db_->tx([&] {
        db_->exec("DELETE FROM damaged");
        db_->exec("INSERT INTO damaged VALUES (:p0)", {pieces});
    });
}

void PieceIndex::forbid(const TransferId& transfer) {
    db_->tx([&] { db_->exec("INSERT OR IGNORE INTO purged VALUES (:p0)", {transfer.hex()}); });
}

void PieceIndex::forget(const TransferId& transfer) {
    db_->tx([&] {
        db_->exec("DELETE FROM volume WHERE tid = :p0", {transfer.hex()});
        db_->exec("DELETE FROM scrubbed WHERE tid = :p0", {transfer.hex()});
        db_->exec("DELETE FROM transfer WHERE tid = :p0", {transfer.hex()});
    });
    db_->checkpoint_truncate();
}

void PieceIndex::set_sequence(std::int64_t sequence) {
    db_->tx([&] {
        db_->exec("DELETE FROM sync");
        db_->exec("INSERT INTO sync VALUES (:p0)", {sequence});
    });
}

} // namespace plankurier::relay::pieces
