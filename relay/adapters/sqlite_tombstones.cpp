// What was purged, and who may hear of it.
#include "relay/adapters/sqlite_store.hpp"

#include <stdexcept>

namespace plankurier::relay::adapters {

void SqliteStore::add_tombstone(const TransferId& transfer, std::int64_t at,
                                const std::string& manage) {
    db_.exec("INSERT OR IGNORE INTO tombstone (tid, at, gone, manage) VALUES (:p0, :p1, 0, :p2)",
             {transfer.hex(), at, manage});
}
std::string SqliteStore::tombstone_manage(const TransferId& transfer) {
    const auto rows = db_.query("SELECT manage FROM tombstone WHERE tid = :p0", {transfer.hex()});
    return rows.empty() ? std::string{} : text(rows.front().front());
}
bool SqliteStore::is_tombstoned(const TransferId& transfer) {
    return !db_.query("SELECT sequence FROM tombstone WHERE tid = :p0", {transfer.hex()}).empty();
}
std::vector<TombstoneRow> SqliteStore::tombstones_after(std::int64_t sequence,
                                                        std::size_t count_max) {
    std::vector<TombstoneRow> out;
    for (const Db::Row& row :
         db_.query("SELECT sequence, tid, at, gone FROM tombstone WHERE sequence > :p0 "
                   "ORDER BY sequence LIMIT :p1",
                   {sequence, static_cast<std::int64_t>(count_max)})) {
        const auto id = TransferId::from_hex(text(row[1]));
        if (!id) throw std::runtime_error("a database value is no transfer id");
        out.push_back({number(row[0]), *id, number(row[2]), number(row[3]) != 0});
    }
    return out;
}

} // namespace plankurier::relay::adapters
