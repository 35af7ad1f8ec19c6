#pragma once
/// One thin layer over SOCI with SQLite. House rules: writes only inside `tx` (BEGIN IMMEDIATE, so
/// that a read followed by a write cannot fail half way), binary values as hex text, no SOCI type
/// outside this file's .cpp. Thread safe: one mutex, one connection.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace plankurier::relay::adapters {

/// The file is damaged, or no database of ours: no later try can help.
class DamagedDb : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};
/// A newer version of this program has written it: nothing of it was changed.
class NewerDb : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Db {
public:
    using Value = std::variant<std::int64_t, std::string>;
    using Row = std::vector<Value>;
    struct Options {
        /// Off only as the negative control of the purge proof.
        bool secure_delete{true};
    };

    /// Opens or creates the file: WAL, synchronous=FULL (asserted), secure_delete=ON (asserted),
    /// temporary data in memory. Throws DamagedDb, std::runtime_error.
    Db(const std::filesystem::path& file, Options options);
    explicit Db(const std::filesystem::path& file) : Db(file, Options{}) {}
    /// Also does `checkpoint_truncate`, if it can: SQLite removes the log with the last connection.
    ~Db();
    Db(const Db&) = delete;
    Db& operator=(const Db&) = delete;

    /// Runs what is not yet applied, in order, each step in one transaction. Columns of numbers are
    /// declared BIGINT (INTEGER would be read as 32 bits). Throws NewerDb, DamagedDb.
    void migrate(const std::vector<std::string>& steps);
    /// One transaction, durable on return; an exception rolls it back. Nested calls join.
    void tx(const std::function<void()>& work);
    /// A statement with `:p0`, `:p1`, … as parameters. Throws DamagedDb, std::system_error for a
    /// full disk, std::runtime_error.
    void exec(const std::string& sql, const Row& parameters = {});
    /// The rows of a query. NULL comes as an empty text.
    [[nodiscard]] std::vector<Row> query(const std::string& sql, const Row& parameters = {});
    /// Moves the log into the file, overwrites it with zeros and empties it, so that what deleted
    /// rows held is in no freed block either. Throws when a reader keeps it busy.
    void checkpoint_truncate();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A database that cannot be made anew without loss. `later`: a file that is only made once the
/// database is there. Throws std::runtime_error when that is there and the database is missing or
/// empty, and what `Db` throws. Nothing was changed then.
[[nodiscard]] Db open_kept(const std::filesystem::path& file, const std::filesystem::path& later);

[[nodiscard]] std::int64_t number(const Db::Value& value);
[[nodiscard]] const std::string& text(const Db::Value& value);

} // namespace plankurier::relay::adapters
