// "Never write to me again": a list of keyed hashes, by which an address is recognised and not
// told.
#include "relay/domain/pepper.hpp"
#include "relay/domain/relay.hpp"

#include <algorithm>

namespace plankurier::relay {

namespace {

constexpr std::size_t half = 16; // bytes: of the address' hash, then of its proof

} // namespace

std::string keyed_hash(const Pepper& pepper, std::string_view purpose, std::string_view text) {
    Bytes input{pepper.reveal().begin(), pepper.reveal().end()};
    const auto add = [&](std::string_view part) {
        const auto bytes = as_bytes(part);
        input.insert(input.end(), bytes.begin(), bytes.end());
    };
    add(purpose);
    input.push_back(std::byte{0});
    add(text);
    const auto digest = sha256(input);
    wipe(input);
    return to_hex(digest);
}

std::string comparable_address(std::string_view address) {
    std::string out{address};
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::string never_hash(const Pepper& pepper, std::string_view address) {
    return keyed_hash(pepper, "never", comparable_address(address)).substr(0, 2 * half);
}

/// The hash proves itself, so nothing of the address need be kept for the day the link is used,
/// and nobody can fill the list with hashes of nothing.
std::string Relay::never_token(std::string_view email) const {
    const std::string hash = never_hash(pepper_, email);
    const std::string proof = keyed_hash(pepper_, "never proof", hash).substr(0, 2 * half);
    return to_base64url(from_hex(hash + proof).value());
}

Result<void> Relay::never_again(const SecretText& token) {
    const auto raw = from_base64url(token.reveal());
    if (!raw || raw->size() != 2 * half) return fail(Errc::not_found, "token");
    const std::string given = to_hex(*raw);
    const std::string hash = given.substr(0, 2 * half);
    const std::string proof = keyed_hash(pepper_, "never proof", hash).substr(0, 2 * half);
    if (!equal_constant_time(as_bytes(given), as_bytes(hash + proof))) {
        return fail(Errc::not_found, "token");
    }
    ports_.store.transaction([&] { ports_.store.add_never(hash, ports_.clock.now()); });
    return {};
}

bool Relay::is_never(std::string_view email) {
    return ports_.store.is_never(never_hash(pepper_, email));
}

/// Somebody of the authority who refuses codes must not stop the notices of a department.
bool Relay::may_mail(std::string_view email, MailKind kind) {
    if (!is_never(email)) return true;
    if (kind == MailKind::code) return false;
    return is_staff(policy_, email) ||
           std::ranges::any_of(policy_.department_mails, [&](const auto& one) {
               return comparable_address(one.second) == comparable_address(email);
           });
}

} // namespace plankurier::relay
