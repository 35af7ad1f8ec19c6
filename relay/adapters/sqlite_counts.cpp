// What the limits of addresses and of the whole site count.
#include "relay/adapters/sqlite_store.hpp"

namespace plankurier::relay::adapters {

void SqliteStore::add_count(const CountRow& row) {
    db_.exec("INSERT INTO tally (kind, who, at, amount) VALUES (:p0, :p1, :p2, :p3) "
             "ON CONFLICT (kind, who, at) DO UPDATE SET amount = amount + excluded.amount",
             {row.kind, row.who, row.at, row.amount});
}

std::vector<CountRow> SqliteStore::count_rows() {
    std::vector<CountRow> out;
    for (const Db::Row& row : db_.query("SELECT kind, who, at, amount FROM tally ORDER BY at")) {
        out.push_back({number(row[0]), text(row[1]), number(row[2]), number(row[3])});
    }
    return out;
}

bool SqliteStore::keep_counts(std::int64_t after, std::int64_t until) {
    const Db::Row bounds{after, until};
    if (db_.query("SELECT at FROM tally WHERE at <= :p0 OR at > :p1 LIMIT 1", bounds).empty()) {
        return false;
    }
    db_.exec("DELETE FROM tally WHERE at <= :p0 OR at > :p1", bounds);
    return true;
}

} // namespace plankurier::relay::adapters
