#pragma once
/// What was asked for and sent in the last day, so that limits of an address and of the whole site
/// hold over a restart. Nobody is named: `who` is a keyed hash, or empty for the whole site.
/// One thread at a time; times are Unix seconds.

#include "relay/domain/ports.hpp"

#include <map>

namespace plankurier::relay {

class Tally {
public:
    /// The numbers stand in the database.
    enum class Kind { code_mail = 0, code_asked = 1, work_taken = 2, body_bytes = 3 };
    static constexpr std::int64_t kept_s = 86'400;
    static constexpr std::size_t entries_max = 100'000; ///< different `who` of one kind

    /// Reads what a process before has counted.
    explicit Tally(Store& store);

    /// Durable with the surrounding transaction. The database learns the time to five minutes only.
    void add(Kind kind, const std::string& who, std::int64_t now, std::int64_t amount = 1);
    /// The amounts later than `since`.
    [[nodiscard]] std::int64_t sum(Kind kind, const std::string& who, std::int64_t since) const;
    /// The time of the first one later than `since`; 0: there is none.
    [[nodiscard]] std::int64_t first(Kind kind, const std::string& who, std::int64_t since) const;
    /// Another `who` of this kind would be too many to remember.
    [[nodiscard]] bool is_full(Kind kind, const std::string& who) const;
    /// Drops what is older than a day, here and in the database, and what a clock that was wrong
    /// has counted in the future; every five minutes. True when the database has changed.
    bool forget_old(std::int64_t now);

private:
    struct Entry {
        std::int64_t at{}, amount{};
    };
    using Entries = std::vector<Entry>; // in the order of their adding
    Store& store_;
    std::int64_t forgot_{}; ///< when old ones were dropped last
    std::map<Kind, std::map<std::string, Entries>> kinds_;
};

} // namespace plankurier::relay
