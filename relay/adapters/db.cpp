#include "relay/adapters/db.hpp"

#include "relay/adapters/files.hpp"

#include <plankurier/error.hpp>
#include <plankurier/fault.hpp>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <cerrno>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <system_error>

namespace plankurier::relay::adapters {

struct Db::State {
    std::recursive_mutex mutex; ///< guards everything below
    std::filesystem::path log;  ///< the write-ahead log's file
    soci::session session;
    int depth{};
};

namespace {

Db::Value value_at(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::string{};
    switch (row.get_properties(column).get_data_type()) {
    case soci::dt_integer: return std::int64_t{row.get<int>(column)};
    case soci::dt_long_long: return static_cast<std::int64_t>(row.get<long long>(column));
    case soci::dt_unsigned_long_long:
        return static_cast<std::int64_t>(row.get<unsigned long long>(column));
    default: return row.get<std::string>(column);
    }
}

/// SOCI reads a column that is declared INTEGER into 32 bits and cuts off the rest in silence.
void expect_wide_columns(std::string sql) {
    constexpr std::string_view row_id = "INTEGER PRIMARY KEY AUTOINCREMENT"; // counts from 1
    if (const auto at = sql.find(row_id); at != sql.npos) sql.erase(at, row_id.size());
    expects(sql.find("INTEGER") == sql.npos, "numbers are declared BIGINT");
}

/// Error texts of the database can quote values, so they are replaced by the failing step.
[[noreturn]] void rethrow(const soci::soci_error& error) {
    const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    const int code = sqlite == nullptr ? SQLITE_OK : sqlite->result() & 0xFF;
    switch (code) {
    case SQLITE_FULL:
        throw std::system_error(ENOSPC, std::generic_category(), "write the database");
    case SQLITE_NOTADB: throw DamagedDb("the file is no database");
    case SQLITE_CORRUPT: throw DamagedDb("the database is damaged");
    case SQLITE_ERROR: throw DamagedDb("the database has not the tables that it should have");
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: throw std::runtime_error("the database cannot be opened for writing");
    default: throw std::runtime_error("database error " + std::to_string(code));
    }
}

std::vector<Db::Row> run(soci::session& session, const std::string& sql,
                         const Db::Row& parameters) {
    soci::statement statement{session};
    soci::row row;
    std::vector<std::string> texts;
    std::vector<long long> numbers;
    texts.reserve(parameters.size());
    numbers.reserve(parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string name = "p" + std::to_string(i);
        if (const auto* given = std::get_if<std::string>(&parameters[i])) {
            statement.exchange(soci::use(texts.emplace_back(*given), name));
        } else {
            statement.exchange(
                soci::use(numbers.emplace_back(std::get<std::int64_t>(parameters[i])), name));
        }
    }
    statement.exchange(soci::into(row));
    statement.alloc();
    statement.prepare(sql);
    statement.define_and_bind();
    std::vector<Db::Row> rows;
    for (bool more = statement.execute(true); more; more = statement.fetch()) {
        if (row.size() == 0) break;
        Db::Row& out = rows.emplace_back();
        for (std::size_t i = 0; i < row.size(); ++i) out.push_back(value_at(row, i));
    }
    return rows;
}

std::string pragma(soci::session& session, const std::string& name) {
    std::string value;
    session << "PRAGMA " + name, soci::into(value);
    return value;
}

} // namespace

Db::Db(const std::filesystem::path& file, Options options) : state_(std::make_unique<State>()) {
    try {
        state_->log = file.string() + "-wal";
        soci::session& session = state_->session;
        session.open(soci::sqlite3, "db=" + file.string() + " timeout=10");
        pragma(session, "journal_mode=WAL");
        session << "PRAGMA synchronous=FULL";
        pragma(session, std::string{"secure_delete="} + (options.secure_delete ? "ON" : "OFF"));
        session << "PRAGMA temp_store=MEMORY";
        session << "PRAGMA foreign_keys=ON";
        if (pragma(session, "synchronous") != "2" ||
            pragma(session, "secure_delete") != (options.secure_delete ? "1" : "0")) {
            throw std::runtime_error("the database does not keep its durability settings");
        }
    } catch (const soci::soci_error& error) {
        rethrow(error);
    }
}

Db::~Db() {
    try {
        checkpoint_truncate();
    } catch (const std::exception&) {
        // Somebody reads, or the disk is broken: the log stays for the next start.
    }
}

void Db::migrate(const std::vector<std::string>& steps) {
    const auto tables = [&](const char* more) {
        return number(query(std::string{"SELECT count(*) FROM sqlite_master"} + more).at(0).at(0));
    };
    if (tables("") != 0 && tables(" WHERE name = 'schema_version'") == 0) {
        throw DamagedDb("the database is another program's");
    }
    exec("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
    const auto rows = query("SELECT version FROM schema_version");
    const std::int64_t done = rows.empty() ? 0 : number(rows.front().front());
    if (done > static_cast<std::int64_t>(steps.size())) {
        throw NewerDb("the database is of a newer version of this program: install that version");
    }
    for (std::size_t i = static_cast<std::size_t>(done); i < steps.size(); ++i) {
        expect_wide_columns(steps[i]);
        tx([&] {
            exec(steps[i]);
            exec("DELETE FROM schema_version");
            exec("INSERT INTO schema_version VALUES (:p0)", {static_cast<std::int64_t>(i) + 1});
        });
    }
}

void Db::tx(const std::function<void()>& work) {
    const std::scoped_lock lock{state_->mutex};
    if (state_->depth > 0) {
        work();
        return;
    }
    exec("BEGIN IMMEDIATE");
    ++state_->depth;
    try {
        work();
        exec("COMMIT");
        --state_->depth;
    } catch (...) {
        --state_->depth;
        try {
            exec("ROLLBACK");
        } catch (const std::exception&) {
            // The first failure is the one to report; SQLite may have rolled back already.
        }
        throw;
    }
}

void Db::exec(const std::string& sql, const Row& parameters) {
    const std::scoped_lock lock{state_->mutex};
    try {
        run(state_->session, sql, parameters);
    } catch (const soci::soci_error& error) {
        rethrow(error);
    }
}

std::vector<Db::Row> Db::query(const std::string& sql, const Row& parameters) {
    const std::scoped_lock lock{state_->mutex};
    try {
        return run(state_->session, sql, parameters);
    } catch (const soci::soci_error& error) {
        rethrow(error);
    }
}

namespace {

bool is_busy(const std::vector<Db::Row>& rows) {
    if (rows.empty() || rows.front().empty()) return true;
    return number(rows.front().front()) != 0;
}

/// With its salts, which differ each time that the log is begun anew.
std::string header_of(const std::filesystem::path& log) {
    std::string header(32, '\0');
    std::ifstream in{log, std::ios::binary};
    return in.read(header.data(), static_cast<std::streamsize>(header.size())) ? header : "";
}

} // namespace

void Db::checkpoint_truncate() {
    const std::scoped_lock lock{state_->mutex};
    const std::string before = header_of(state_->log);
    if (is_busy(query("PRAGMA wal_checkpoint(RESTART)"))) {
        throw std::runtime_error("the database log is busy");
    }
    // Now everything is in the file, and who writes next begins the log anew. Nobody can write
    // while we hold the lock, and whoever did in between has changed the header.
    exec("BEGIN IMMEDIATE");
    try {
        if (!before.empty() && header_of(state_->log) == before) overwrite(state_->log);
        PK_FAULT("db.after_overwrite");
    } catch (...) {
        exec("ROLLBACK");
        throw;
    }
    exec("ROLLBACK");
    if (is_busy(query("PRAGMA wal_checkpoint(TRUNCATE)"))) {
        throw std::runtime_error("the database log is busy");
    }
}

Db open_kept(const std::filesystem::path& file, const std::filesystem::path& later) {
    std::error_code none;
    const bool is_there = std::filesystem::file_size(file, none) != 0 && !none;
    if (!is_there && std::filesystem::exists(later)) {
        // A disk that is not mounted, most likely. With an empty one all keys would be erased.
        throw std::runtime_error(file.filename().string() + " is missing or empty, but " +
                                 later.filename().string() +
                                 " is there: nothing was changed. Bring it back (is its disk "
                                 "mounted?). To begin without it, and so to end every transfer, "
                                 "move " +
                                 later.filename().string() + " away, too");
    }
    return Db{file};
}

std::int64_t number(const Db::Value& value) {
    if (const auto* found = std::get_if<std::int64_t>(&value)) return *found;
    const std::string& digits = std::get<std::string>(value);
    return digits.empty() ? 0 : std::stoll(digits);
}

const std::string& text(const Db::Value& value) { return std::get<std::string>(value); }

} // namespace plankurier::relay::adapters
