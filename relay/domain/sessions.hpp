#pragma once
/// Sessions of those who hold a private key: a department, or a citizen who waits for answers. Kept
/// in memory only, so that nothing of them is at rest; a restart ends them, and clients begin anew.
/// The owner sees to it that one thread at a time uses them. Times are those of `Clock::monotonic`.

#include "relay/domain/pepper.hpp"

#include <plankurier/ids.hpp>
#include <plankurier/secret.hpp>

#include <deque>
#include <map>
#include <optional>
#include <string>

namespace plankurier::relay {

/// Whom a key stands for: a department, or an inbox.
struct KeyHolder {
    std::string department; ///< empty: the inbox
    InboxId inbox;
    friend bool operator==(const KeyHolder&, const KeyHolder&) = default;
};

/// What a server keeps of a token: its SHA-256, 64 hex digits.
[[nodiscard]] std::string hash_text(ByteView token);

class KeySessions {
public:
    static constexpr std::int64_t challenge_valid_s = 120;
    static constexpr std::int64_t idle_max_s = 30 * 60, age_max_s = 24 * 3'600;
    /// More challenges or sessions than this end the oldest of them.
    static constexpr std::size_t count_max = 20'000;

    /// Remembers what the holder will answer.
    void expect(const Hash256& answer, const KeyHolder& holder, std::int64_t now);
    /// The session for the right answer, also when it is said again: an answer of ours may have
    /// been lost. Wrong, late or another holder's: nothing, and the challenge is used up all the
    /// same when the answer was right.
    [[nodiscard]] std::optional<SessionToken> open(const Hash256& answer, const KeyHolder& holder,
                                                   std::int64_t now);
    /// Whose session it is, or null. Its idle time begins anew.
    [[nodiscard]] const KeyHolder* holder(const SessionToken& session, std::int64_t now);

private:
    struct Entry {
        KeyHolder holder;
        std::int64_t made{}, used{};
        bool is_answered{};
    };
    /// Found by the hash of a secret: how long a search takes tells nothing of the secret.
    struct Table {
        std::map<std::string, Entry> entries;
        std::deque<std::pair<std::int64_t, std::string>> order; ///< by `made`
        void add(std::string key, const KeyHolder& holder, std::int64_t now,
                 std::int64_t age_max_s);
    };
    Table expected_, open_;
    Pepper key_ = Pepper::random(); ///< of this process: makes tokens out of answers
};

} // namespace plankurier::relay
