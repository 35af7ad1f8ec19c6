#include "relay/adapters/sqlite_store.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <tuple>

namespace plankurier::relay::adapters {

namespace {

const std::vector<std::string> migrations = {
    "CREATE TABLE verification (session TEXT PRIMARY KEY, slot BIGINT NOT NULL,"
    " sealed_email TEXT NOT NULL, code_hash TEXT NOT NULL, created BIGINT NOT NULL,"
    " sent BIGINT NOT NULL, verified BIGINT NOT NULL, attempts BIGINT NOT NULL,"
    " language TEXT NOT NULL)",
    "CREATE TABLE transfer (tid TEXT PRIMARY KEY, slot BIGINT NOT NULL, state BIGINT NOT NULL,"
    " department TEXT NOT NULL, sealed_sender TEXT NOT NULL, sealed_recipient TEXT NOT NULL,"
    " sealed_phone TEXT NOT NULL, body_len BIGINT NOT NULL, expiry_days BIGINT NOT NULL,"
    " notify_fetch BIGINT NOT NULL, language TEXT NOT NULL, fetch_hash TEXT NOT NULL,"
    " manage_hash TEXT NOT NULL, link_hash TEXT NOT NULL, envelope_hash TEXT NOT NULL,"
    " receipt_number TEXT NOT NULL, created BIGINT NOT NULL, verified BIGINT NOT NULL,"
    " ends BIGINT NOT NULL, fetched BIGINT NOT NULL, fetch_signed BIGINT NOT NULL)",
    "CREATE INDEX transfer_link ON transfer (link_hash)",
    "CREATE INDEX transfer_ends ON transfer (ends)",
    "CREATE TABLE outbox (id TEXT PRIMARY KEY, owner TEXT NOT NULL, slot BIGINT NOT NULL,"
    " sealed TEXT NOT NULL, attempts BIGINT NOT NULL, next BIGINT NOT NULL)",
    "CREATE INDEX outbox_next ON outbox (next)",
    "CREATE INDEX outbox_owner ON outbox (owner)",
    "CREATE TABLE tombstone (sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    " tid TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, gone BIGINT NOT NULL)",
    "ALTER TABLE verification ADD COLUMN code_made BIGINT NOT NULL DEFAULT 0",
    "CREATE TABLE copy (tid TEXT NOT NULL, relay TEXT NOT NULL, time BIGINT NOT NULL,"
    " PRIMARY KEY (tid, relay)) WITHOUT ROWID",
    "CREATE TABLE gone (relay TEXT NOT NULL, tid TEXT NOT NULL,"
    " PRIMARY KEY (relay, tid)) WITHOUT ROWID",
    "CREATE INDEX tombstone_open ON tombstone (sequence) WHERE gone = 0",
    "ALTER TABLE transfer ADD COLUMN waits_for_copies BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN inbox_hash TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX transfer_inbox ON transfer (inbox_hash) WHERE inbox_hash <> ''",
    "CREATE INDEX transfer_department ON transfer (department, created)",
    "ALTER TABLE transfer ADD COLUMN sender_department TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE transfer ADD COLUMN to_citizen BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN notify_unfetched BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN remind_recipient BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN undeliverable BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN available BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN resends BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN resent BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN sealed_link TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE transfer ADD COLUMN history TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE transfer ADD COLUMN sender_hash TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX transfer_sender ON transfer (sender_hash) WHERE state = 0",
    "ALTER TABLE verification ADD COLUMN remembered_until BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN is_notice BIGINT NOT NULL DEFAULT 0",
    "CREATE TABLE never (hash TEXT PRIMARY KEY, time BIGINT NOT NULL) WITHOUT ROWID",
    "ALTER TABLE transfer ADD COLUMN also TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX transfer_also ON transfer (created) WHERE also <> ''",
    "ALTER TABLE transfer ADD COLUMN by_link BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE tombstone ADD COLUMN manage TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE tally (kind BIGINT NOT NULL, who TEXT NOT NULL, at BIGINT NOT NULL,"
    " amount BIGINT NOT NULL, PRIMARY KEY (kind, who, at)) WITHOUT ROWID",
    "CREATE INDEX tally_at ON tally (at)",
    "ALTER TABLE transfer ADD COLUMN content_root TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE transfer ADD COLUMN no_copy_since BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE transfer ADD COLUMN lost BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE copy ADD COLUMN generation BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE copy ADD COLUMN content_root TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE relay (id TEXT PRIMARY KEY, generation BIGINT NOT NULL, told BIGINT NOT NULL,"
    " copies_lost BIGINT NOT NULL, lies BIGINT NOT NULL) WITHOUT ROWID",
    "ALTER TABLE transfer ADD COLUMN reported BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX transfer_reported ON transfer (reported) WHERE reported <> 0",
};

Bytes unhex(const Db::Value& value) {
    auto raw = from_hex(text(value));
    if (!raw) throw std::runtime_error("a database value is not hexadecimal");
    return std::move(*raw);
}
TransferId transfer_id(const Db::Value& value) {
    const auto id = TransferId::from_hex(text(value));
    if (!id) throw std::runtime_error("a database value is no transfer id");
    return *id;
}

/// Ids of departments have no blanks.
std::string joined(const std::vector<std::string>& ids) {
    std::string out;
    for (const std::string& id : ids) out += (out.empty() ? "" : " ") + id;
    return out;
}
std::vector<std::string> words(const std::string& text) {
    std::istringstream in{text};
    return {std::istream_iterator<std::string>{in}, {}};
}

VerificationRow verification_from(const Db::Row& row) {
    VerificationRow out;
    out.session = text(row[0]);
    out.slot = static_cast<Slot>(number(row[1]));
    out.sealed_email = unhex(row[2]);
    out.code_hash = text(row[3]);
    out.created = number(row[4]);
    out.sent = number(row[5]);
    out.verified = number(row[6]);
    out.attempts = number(row[7]);
    out.language = text(row[8]);
    out.code_made = number(row[9]);
    out.remembered_until = number(row[10]);
    return out;
}

TransferRow transfer_from(const Db::Row& row) {
    TransferRow out;
    out.transfer = transfer_id(row[0]);
    out.slot = static_cast<Slot>(number(row[1]));
    out.state = static_cast<TransferState>(number(row[2]));
    out.department = text(row[3]);
    out.sealed_sender = unhex(row[4]);
    out.sealed_recipient = unhex(row[5]);
    out.sealed_phone = unhex(row[6]);
    out.body_len = static_cast<std::uint64_t>(number(row[7]));
    out.expiry_days = number(row[8]);
    out.notify_fetch = number(row[9]) != 0;
    out.language = text(row[10]);
    out.fetch_hash = text(row[11]);
    out.manage_hash = text(row[12]);
    out.link_hash = text(row[13]);
    out.envelope_hash = text(row[14]);
    out.receipt_number = text(row[15]);
    out.created = number(row[16]);
    out.verified = number(row[17]);
    out.ends = number(row[18]);
    out.fetched = number(row[19]);
    out.fetch_signed = number(row[20]) != 0;
    out.waits_for_copies = number(row[21]);
    out.inbox_hash = text(row[22]);
    out.sender_department = text(row[23]);
    out.to_citizen = number(row[24]) != 0;
    out.notify_unfetched = number(row[25]) != 0;
    out.remind_recipient = number(row[26]) != 0;
    out.undeliverable = number(row[27]) != 0;
    out.available = number(row[28]);
    out.resends = number(row[29]);
    out.resent = number(row[30]);
    out.sealed_link = unhex(row[31]);
    out.sealed_history = unhex(row[32]);
    out.sender_hash = text(row[33]);
    out.also = words(text(row[34]));
    out.by_link = number(row[35]) != 0;
    out.content_root = text(row[36]);
    out.no_copy_since = number(row[37]);
    out.lost = number(row[38]);
    out.reported = number(row[39]);
    return out;
}

OutboxRow outbox_from(const Db::Row& row) {
    OutboxRow out;
    out.id = text(row[0]);
    out.owner = text(row[1]);
    out.slot = static_cast<Slot>(number(row[2]));
    out.sealed = unhex(row[3]);
    out.attempts = number(row[4]);
    out.next = number(row[5]);
    out.is_notice = number(row[6]) != 0;
    return out;
}

template <typename Out>
std::vector<Out> all(const std::vector<Db::Row>& rows, Out (*from)(const Db::Row&)) {
    std::vector<Out> out;
    out.reserve(rows.size());
    for (const Db::Row& row : rows) out.push_back(from(row));
    return out;
}
template <typename Out>
std::optional<Out> first(const std::vector<Db::Row>& rows, Out (*from)(const Db::Row&)) {
    if (rows.empty()) return std::nullopt;
    return from(rows.front());
}

std::int64_t wide(std::size_t value) { return static_cast<std::int64_t>(value); }

} // namespace

SqliteStore::SqliteStore(Db& db) : db_(db) { db_.migrate(migrations); }

void SqliteStore::transaction(const std::function<void()>& work) { db_.tx(work); }

void SqliteStore::put_row(const std::string& table, const Db::Row& values) {
    std::string places;
    for (std::size_t i = 0; i < values.size(); ++i) places += ",:p" + std::to_string(i);
    db_.exec("INSERT OR REPLACE INTO " + table + " VALUES (" + places.substr(1) + ")", values);
}

void SqliteStore::put(const VerificationRow& row) {
    put_row("verification", {row.session, std::int64_t{row.slot}, to_hex(row.sealed_email),
                             row.code_hash, row.created, row.sent, row.verified, row.attempts,
                             row.language, row.code_made, row.remembered_until});
}
std::optional<VerificationRow> SqliteStore::verification(const std::string& session) {
    return first(db_.query("SELECT * FROM verification WHERE session = :p0", {session}),
                 verification_from);
}
std::vector<VerificationRow> SqliteStore::verifications_before(std::int64_t created) {
    return all(db_.query("SELECT * FROM verification WHERE created <= :p0", {created}),
               verification_from);
}
void SqliteStore::remove_verification(const std::string& session) {
    db_.exec("DELETE FROM verification WHERE session = :p0", {session});
}

void SqliteStore::put(const TransferRow& row) {
    put_row("transfer", {row.transfer.hex(),
                         std::int64_t{row.slot},
                         static_cast<std::int64_t>(row.state),
                         row.department,
                         to_hex(row.sealed_sender),
                         to_hex(row.sealed_recipient),
                         to_hex(row.sealed_phone),
                         static_cast<std::int64_t>(row.body_len),
                         row.expiry_days,
                         std::int64_t{row.notify_fetch},
                         row.language,
                         row.fetch_hash,
                         row.manage_hash,
                         row.link_hash,
                         row.envelope_hash,
                         row.receipt_number,
                         row.created,
                         row.verified,
                         row.ends,
                         row.fetched,
                         std::int64_t{row.fetch_signed},
                         row.waits_for_copies,
                         row.inbox_hash,
                         row.sender_department,
                         std::int64_t{row.to_citizen},
                         std::int64_t{row.notify_unfetched},
                         std::int64_t{row.remind_recipient},
                         std::int64_t{row.undeliverable},
                         row.available,
                         row.resends,
                         row.resent,
                         to_hex(row.sealed_link),
                         to_hex(row.sealed_history),
                         row.sender_hash,
                         joined(row.also),
                         std::int64_t{row.by_link},
                         row.content_root,
                         row.no_copy_since,
                         row.lost,
                         row.reported});
}
std::vector<TransferRow> SqliteStore::without_copy(const std::vector<RelayId>& relays,
                                                   std::size_t rows_max) {
    Db::Row parameters;
    std::string registered;
    for (const RelayId& relay : relays) {
        registered += (registered.empty() ? ":p" : ",:p") + std::to_string(parameters.size());
        parameters.push_back(relay.hex());
    }
    const std::string limit = ":p" + std::to_string(parameters.size());
    parameters.push_back(wide(rows_max));
    return all(db_.query("SELECT * FROM transfer WHERE state IN (1, 2) AND lost = 0 AND NOT EXISTS "
                         "(SELECT 1 FROM copy WHERE copy.tid = transfer.tid AND copy.relay IN (" +
                             registered + ")) LIMIT " + limit,
                         parameters),
               transfer_from);
}
std::optional<TransferRow> SqliteStore::transfer(const TransferId& transfer) {
    return first(db_.query("SELECT * FROM transfer WHERE tid = :p0", {transfer.hex()}),
                 transfer_from);
}
std::optional<TransferRow> SqliteStore::transfer_by_link(const std::string& link_hash) {
    if (link_hash.empty()) return std::nullopt;
    return first(db_.query("SELECT * FROM transfer WHERE link_hash = :p0", {link_hash}),
                 transfer_from);
}
std::vector<TransferRow> SqliteStore::readable_transfers(const std::string& department,
                                                         const std::string& inbox_hash,
                                                         std::int64_t now, std::size_t count_max) {
    const std::string& key = department.empty() ? inbox_hash : department;
    if (key.empty()) return {};
    const auto those = [&](const std::string& where) {
        return all(db_.query("SELECT * FROM transfer WHERE " + where +
                                 " AND state IN (1, 2) AND ends > :p1 "
                                 "ORDER BY created DESC, tid LIMIT :p2",
                             {key, now, wide(count_max)}),
                   transfer_from);
    };
    if (department.empty()) return those("inbox_hash = :p0");
    auto out = those("department = :p0");
    const auto main = static_cast<std::ptrdiff_t>(out.size());
    std::ranges::move(those("also <> '' AND instr(' ' || also || ' ', ' ' || :p0 || ' ') > 0"),
                      std::back_inserter(out));
    std::ranges::inplace_merge(out, out.begin() + main, [](const auto& one, const auto& other) {
        return std::tie(other.created, one.transfer) < std::tie(one.created, other.transfer);
    });
    if (out.size() > count_max) out.resize(count_max);
    return out;
}
std::vector<TransferRow> SqliteStore::ended_transfers(std::int64_t now) {
    return all(db_.query("SELECT * FROM transfer WHERE ends <= :p0 OR state IN (3, 4)", {now}),
               transfer_from);
}
std::vector<TransferRow> SqliteStore::transfers_to_remind(const RemindQuery& query) {
    return all(db_.query("SELECT * FROM transfer WHERE state = 1 AND ends > :p0 AND available <= "
                         ":p1 AND ((remind_recipient = 1 AND ends <= :p2) OR (notify_unfetched = "
                         "1 AND ends <= :p3)) ORDER BY ends LIMIT :p4",
                         {query.now, query.available_until, query.recipient_until,
                          query.sender_until, wide(query.rows_max)}),
               transfer_from);
}
std::size_t SqliteStore::count_uploading(const std::string& sender_hash) {
    return static_cast<std::size_t>(
        number(db_.query("SELECT count(*) FROM transfer WHERE sender_hash = :p0 AND state = 0",
                         {sender_hash})
                   .front()
                   .front()));
}
void SqliteStore::remove_transfer(const TransferId& transfer) {
    db_.exec("DELETE FROM copy WHERE tid = :p0", {transfer.hex()});
    db_.exec("DELETE FROM transfer WHERE tid = :p0", {transfer.hex()});
}

void SqliteStore::put(const OutboxRow& row) {
    put_row("outbox", {row.id, row.owner, std::int64_t{row.slot}, to_hex(row.sealed), row.attempts,
                       row.next, std::int64_t{row.is_notice}});
}
std::vector<OutboxRow> SqliteStore::due_mails(std::int64_t now, std::size_t count_max) {
    return all(db_.query("SELECT * FROM outbox WHERE next > 0 AND next <= :p0 ORDER BY next "
                         "LIMIT :p1",
                         {now, wide(count_max)}),
               outbox_from);
}
std::vector<OutboxRow> SqliteStore::mails_of(const std::string& owner) {
    return all(db_.query("SELECT * FROM outbox WHERE owner = :p0", {owner}), outbox_from);
}
std::optional<OutboxRow> SqliteStore::mail_that_begins(const std::string& id_start) {
    // "g" stands behind every hexadecimal digit.
    return first(db_.query("SELECT * FROM outbox WHERE id >= :p0 AND id < :p1 LIMIT 1",
                           {id_start, id_start + "g"}),
                 outbox_from);
}
void SqliteStore::remove_mail(const std::string& id) {
    db_.exec("DELETE FROM outbox WHERE id = :p0", {id});
}

void SqliteStore::add_never(const std::string& hash, std::int64_t at) {
    db_.exec("INSERT OR IGNORE INTO never (hash, time) VALUES (:p0, :p1)", {hash, at});
}
bool SqliteStore::is_never(const std::string& hash) {
    return !db_.query("SELECT time FROM never WHERE hash = :p0", {hash}).empty();
}
void SqliteStore::remove_never(const std::string& hash) {
    db_.exec("DELETE FROM never WHERE hash = :p0", {hash});
}

std::vector<Slot> SqliteStore::used_slots() {
    std::vector<Slot> out;
    for (const Db::Row& row :
         db_.query("SELECT slot FROM verification UNION ALL SELECT slot FROM transfer")) {
        out.push_back(static_cast<Slot>(number(row[0])));
    }
    return out;
}

void SqliteStore::scrub() { db_.checkpoint_truncate(); }

Store::Counts SqliteStore::counts() {
    const auto one = [&](const std::string& sql) {
        return number(db_.query("SELECT count(*) FROM " + sql).front().front());
    };
    return {one("transfer WHERE state = 0"),
            one("transfer WHERE state IN (1, 2)"),
            one("tombstone"),
            one("outbox WHERE next > 0"),
            one("transfer WHERE state = 5"),
            one("transfer WHERE state IN (1, 2) AND no_copy_since <> 0"),
            one("transfer WHERE state IN (1, 2) AND lost <> 0")};
}

} // namespace plankurier::relay::adapters
