// The part of the store that is about relays: who has a transfer, who has deleted it.
#include "relay/adapters/sqlite_store.hpp"

#include <stdexcept>

namespace plankurier::relay::adapters {

namespace {

/// "(:p2,:p3,…)" for the relays, which are appended to the parameters.
std::string list(const std::vector<RelayId>& relays, Db::Row& parameters) {
    std::string out{"("};
    for (const RelayId& relay : relays) {
        out += (out.size() == 1 ? ":p" : ",:p") + std::to_string(parameters.size());
        parameters.push_back(relay.hex());
    }
    return out + ")";
}

template <typename Id>
Id id_from(const Db::Value& value) {
    const auto id = Id::from_hex(text(value));
    if (!id) throw std::runtime_error("a database value is no id");
    return *id;
}

} // namespace

void SqliteStore::put(const CopyRow& row) {
    db_.exec("INSERT OR REPLACE INTO copy (tid, relay, time, generation, content_root) VALUES "
             "(:p0, :p1, :p2, :p3, :p4)",
             {row.transfer.hex(), row.relay.hex(), row.time, row.generation, row.content_root});
}
std::vector<CopyRow> SqliteStore::copy_rows(const TransferId& transfer) {
    std::vector<CopyRow> out;
    for (const Db::Row& row :
         db_.query("SELECT relay, time, generation, content_root FROM copy WHERE tid = :p0",
                   {transfer.hex()})) {
        out.push_back(
            {transfer, id_from<RelayId>(row[0]), number(row[1]), number(row[2]), text(row[3])});
    }
    return out;
}
std::int64_t SqliteStore::remove_copies_before(const RelayId& relay, std::int64_t generation) {
    const Db::Row those{relay.hex(), generation};
    const auto lost = db_.query("SELECT count(*) FROM copy, transfer WHERE copy.tid = transfer.tid "
                                "AND state IN (1, 2) AND relay = :p0 AND generation <> :p1",
                                those);
    db_.exec("DELETE FROM copy WHERE relay = :p0 AND generation <> :p1", those);
    return number(lost.front().front());
}
void SqliteStore::put(const RelayRow& row) {
    db_.exec("INSERT OR REPLACE INTO relay (id, generation, told, copies_lost, lies) VALUES "
             "(:p0, :p1, :p2, :p3, :p4)",
             {row.relay.hex(), row.generation, row.told, row.copies_lost, row.lies});
}
RelayRow SqliteStore::relay(const RelayId& relay) {
    const auto rows = db_.query("SELECT generation, told, copies_lost, lies FROM relay WHERE id = "
                                ":p0",
                                {relay.hex()});
    if (rows.empty()) return {relay};
    const Db::Row& row = rows.front();
    return {relay, number(row[0]), number(row[1]), number(row[2]), number(row[3])};
}
void SqliteStore::remove_copy(const TransferId& transfer, const RelayId& relay) {
    db_.exec("DELETE FROM copy WHERE tid = :p0 AND relay = :p1", {transfer.hex(), relay.hex()});
}
std::vector<RelayId> SqliteStore::copies_of(const TransferId& transfer) {
    std::vector<RelayId> out;
    for (const Db::Row& row :
         db_.query("SELECT relay FROM copy WHERE tid = :p0", {transfer.hex()})) {
        out.push_back(id_from<RelayId>(row[0]));
    }
    return out;
}

Store::MissingCopies SqliteStore::missing_copies(const RelayId& relay,
                                                 const std::optional<TransferId>& after,
                                                 std::size_t rows_max, std::int64_t now) {
    const std::string begin = after ? after->hex() : "";
    // The end is found in the index alone; the second query then reads so many rows and no more.
    const auto end = db_.query("SELECT tid FROM transfer WHERE tid > :p0 ORDER BY tid "
                               "LIMIT 1 OFFSET :p1",
                               {begin, static_cast<std::int64_t>(rows_max) - 1});
    MissingCopies out;
    if (!end.empty()) out.last = id_from<TransferId>(end.front().front());
    for (const Db::Row& row :
         db_.query("SELECT tid FROM transfer WHERE tid > :p0 AND tid <= :p1 AND state <= :p2 AND "
                   "ends > :p3 AND envelope_hash <> '' AND NOT EXISTS (SELECT 1 FROM copy WHERE "
                   "copy.tid = transfer.tid AND copy.relay = :p4) ORDER BY tid",
                   {begin, out.last ? out.last->hex() : "g", // behind every hexadecimal digit
                    static_cast<std::int64_t>(TransferState::fetched), now, relay.hex()})) {
        out.transfers.push_back(id_from<TransferId>(row[0]));
    }
    return out;
}

std::vector<Store::ToCome> SqliteStore::to_come(const RelayId& relay, std::int64_t now) {
    std::vector<ToCome> out;
    for (const Db::Row& row :
         db_.query("SELECT tid, body_len, state FROM transfer WHERE state <= :p0 AND ends > :p1 "
                   "AND NOT EXISTS (SELECT 1 FROM copy WHERE copy.tid = transfer.tid AND "
                   "copy.relay = :p2) ORDER BY state <> 0, tid",
                   {static_cast<std::int64_t>(TransferState::fetched), now, relay.hex()})) {
        out.push_back({id_from<TransferId>(row[0]), static_cast<std::uint64_t>(number(row[1])),
                       number(row[2]) == 0});
    }
    return out;
}

std::vector<TransferId> SqliteStore::latest_reported(std::size_t rows_max) {
    std::vector<TransferId> out;
    for (const Db::Row& row :
         db_.query("SELECT tid FROM transfer WHERE reported <> 0 AND state = :p0 "
                   "ORDER BY reported DESC LIMIT :p1",
                   {static_cast<std::int64_t>(TransferState::quarantined),
                    static_cast<std::int64_t>(rows_max)})) {
        out.push_back(id_from<TransferId>(row[0]));
    }
    return out;
}

std::int64_t SqliteStore::count_short_of_copies(const std::vector<RelayId>& relays,
                                                std::size_t count) {
    Db::Row parameters;
    const std::string registered = list(relays, parameters);
    const std::string wanted = ":p" + std::to_string(parameters.size());
    parameters.push_back(static_cast<std::int64_t>(count));
    return number(db_.query("SELECT count(*) FROM transfer WHERE state IN (1, 2) AND (SELECT "
                            "count(*) FROM copy WHERE copy.tid = transfer.tid AND copy.relay IN " +
                                registered + ") < " + wanted,
                            parameters)
                      .front()
                      .front());
}

void SqliteStore::mark_gone(const TransferId& transfer, const RelayId& relay,
                            const std::vector<RelayId>& registered) {
    const std::string tid = transfer.hex();
    db_.exec("INSERT OR IGNORE INTO gone (relay, tid) SELECT :p0, tid FROM tombstone "
             "WHERE tid = :p1 AND gone = 0",
             {relay.hex(), tid});
    Db::Row parameters{tid};
    const std::string all = list(registered, parameters);
    const auto have =
        db_.query("SELECT count(*) FROM gone WHERE tid = :p0 AND relay IN " + all, parameters);
    if (number(have.front().front()) < static_cast<std::int64_t>(registered.size())) return;
    db_.exec("UPDATE tombstone SET gone = 1 WHERE tid = :p0", {tid});
    db_.exec("DELETE FROM gone WHERE tid = :p0 AND relay IN " + all, parameters);
}

std::vector<TransferId> SqliteStore::unsigned_tombstones(const RelayId& relay,
                                                         std::int64_t sequence,
                                                         std::size_t count_max) {
    std::vector<TransferId> out;
    for (const Db::Row& row :
         db_.query("SELECT tid FROM tombstone WHERE gone = 0 AND sequence <= :p0 AND NOT EXISTS "
                   "(SELECT 1 FROM gone WHERE gone.tid = tombstone.tid AND gone.relay = :p1) "
                   "ORDER BY sequence LIMIT :p2",
                   {sequence, relay.hex(), static_cast<std::int64_t>(count_max)})) {
        out.push_back(id_from<TransferId>(row[0]));
    }
    return out;
}

std::int64_t SqliteStore::count_unsigned(const RelayId& relay) {
    return number(db_.query("SELECT count(*) FROM tombstone WHERE gone = 0 AND NOT EXISTS (SELECT "
                            "1 FROM gone WHERE gone.tid = tombstone.tid AND gone.relay = :p0)",
                            {relay.hex()})
                      .front()
                      .front());
}

std::int64_t SqliteStore::count_not_gone(const std::vector<RelayId>& registered) {
    Db::Row parameters;
    const std::string all = list(registered, parameters);
    const std::string wanted = ":p" + std::to_string(parameters.size());
    parameters.push_back(static_cast<std::int64_t>(registered.size()));
    return number(db_.query("SELECT count(*) FROM tombstone WHERE gone = 0 AND (SELECT count(*) "
                            "FROM gone WHERE gone.tid = tombstone.tid AND gone.relay IN " +
                                all + ") < " + wanted,
                            parameters)
                      .front()
                      .front());
}

} // namespace plankurier::relay::adapters
