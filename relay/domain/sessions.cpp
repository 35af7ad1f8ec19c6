// Who holds a private key gets a session for it.
#include "relay/domain/sessions.hpp"

#include "relay/domain/relay.hpp"

#include <plankurier/challenge.hpp>

#include <algorithm>

namespace plankurier::relay {

namespace {

/// The key of a department that may open a session with it now; else null.
const DepartmentKey* session_key(const Directory& directory, std::string_view department,
                                 const KeyId& kid, std::int64_t now) {
    const Department* const found = directory.find(department);
    if (found == nullptr) return nullptr;
    if (std::ranges::find(directory.revoked, kid) != directory.revoked.end()) return nullptr;
    const auto key = std::ranges::find_if(found->keys, [&](const DepartmentKey& one) {
        return one.kid == kid && one.from <= now && now < one.until;
    });
    return key == found->keys.end() ? nullptr : &*key;
}

} // namespace

std::string hash_text(ByteView token) { return to_hex(sha256(token)); }

void KeySessions::Table::add(std::string key, const KeyHolder& holder, std::int64_t now,
                             std::int64_t age_max_s) {
    while (!order.empty() &&
           (order.front().first + age_max_s <= now || order.size() >= count_max)) {
        entries.erase(order.front().second);
        order.pop_front();
    }
    order.emplace_back(now, key);
    entries[std::move(key)] = {holder, now, now, false};
}

void KeySessions::expect(const Hash256& answer, const KeyHolder& holder, std::int64_t now) {
    expected_.add(hash_text(answer), holder, now, challenge_valid_s);
}

std::optional<SessionToken> KeySessions::open(const Hash256& answer, const KeyHolder& holder,
                                              std::int64_t now) {
    const auto found = expected_.entries.find(hash_text(answer));
    if (found == expected_.entries.end()) return std::nullopt;
    Entry& entry = found->second;
    if (entry.holder != holder || now >= entry.made + challenge_valid_s) {
        expected_.entries.erase(found);
        return std::nullopt;
    }
    const std::string inner = keyed_hash(key_, "session", to_hex(answer));
    SessionToken session{ByteView{sha256(as_bytes(inner))}};
    if (!entry.is_answered) {
        entry.is_answered = true;
        open_.add(hash_text(session.reveal()), holder, now, age_max_s);
    } else if (this->holder(session, now) == nullptr) {
        return std::nullopt; // it has ended meanwhile
    }
    return session;
}

const KeyHolder* KeySessions::holder(const SessionToken& session, std::int64_t now) {
    const auto found = open_.entries.find(hash_text(session.reveal()));
    if (found == open_.entries.end()) return nullptr;
    Entry& entry = found->second;
    if (now >= entry.used + idle_max_s || now >= entry.made + age_max_s) {
        open_.entries.erase(found);
        return nullptr;
    }
    entry.used = now;
    return &entry.holder;
}

/// Whoever asks for a department or key that does not exist gets a challenge too, for a key whose
/// private half nobody has, and the same work is done for it.
Result<KeyChallenge> Relay::department_challenge(std::string_view department, const KeyId& kid) {
    const DepartmentKey* const known = session_key(directory_, department, kid, ports_.clock.now());
    const StanzaType type = known != nullptr ? known->key.type : decoy_type();
    const auto decoy = recipient_public_key(KeySeed::random(), type);
    if (!decoy) return tl::unexpected(decoy.error());
    auto challenge = make_challenge(known != nullptr ? known->key : *decoy);
    if (!challenge) return tl::unexpected(challenge.error());
    constexpr std::size_t kid_at = 6; // behind "PKC1" and the type
    std::ranges::copy(kid, challenge->bytes.begin() + kid_at);
    key_sessions_.expect(challenge->answer, {std::string{department}, {}},
                         ports_.clock.monotonic());
    return KeyChallenge{std::move(challenge->bytes), KeySessions::challenge_valid_s};
}

/// The type of the directory's first key, so that a decoy looks like the others.
StanzaType Relay::decoy_type() const {
    for (const Department& department : directory_.departments) {
        if (!department.keys.empty()) return department.keys.front().key.type;
    }
    return StanzaType::hpke_p256;
}

/// Any key may ask: whether something waits for it is told in its session only.
Result<KeyChallenge> Relay::inbox_challenge(const InboxId& inbox, const RecipientPublicKey& key) {
    if (public_key_bytes(key.type) == 0) return fail(Errc::unsupported, "type of key");
    if (key.bytes.size() != public_key_bytes(key.type) || inbox_id(key) != inbox) {
        return fail(Errc::malformed, "inbox");
    }
    auto challenge = make_challenge(key);
    if (!challenge) return tl::unexpected(challenge.error());
    key_sessions_.expect(challenge->answer, {{}, inbox}, ports_.clock.monotonic());
    return KeyChallenge{std::move(challenge->bytes), KeySessions::challenge_valid_s};
}

Result<SessionToken> Relay::open_key_session(const KeyHolder& holder, const Hash256& answer) {
    auto session = key_sessions_.open(answer, holder, ports_.clock.monotonic());
    if (!session) return fail(Errc::not_verified, "answer to a challenge");
    return std::move(*session);
}

/// A department that the directory does not list any more has no session either.
const KeyHolder* Relay::key_holder(const SessionToken& session) {
    const KeyHolder* const holder = key_sessions_.holder(session, ports_.clock.monotonic());
    if (holder == nullptr || holder->department.empty()) return holder;
    return directory_.find(holder->department) == nullptr ? nullptr : holder;
}

} // namespace plankurier::relay
