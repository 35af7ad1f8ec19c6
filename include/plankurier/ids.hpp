#pragma once
/// Identifiers, each a type of its own so that one cannot be passed for another.
/// Values; any thread.

#include <plankurier/bytes.hpp>
#include <plankurier/error.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <string>

namespace plankurier {

/// 16 random bytes with a meaning. `Tag` makes each kind a distinct type.
template <typename Tag>
struct Id128 {
    std::array<std::byte, 16> bytes{};

    friend auto operator<=>(const Id128&, const Id128&) = default;

    /// A fresh id from the operating system's generator.
    [[nodiscard]] static Id128 random() {
        Id128 id;
        fill_random(id.bytes);
        return id;
    }
    /// From exactly 32 lower-case or upper-case hexadecimal digits. Fails with `malformed`.
    [[nodiscard]] static Result<Id128> from_hex(std::string_view text) {
        auto raw = plankurier::from_hex(text);
        if (!raw || raw->size() != 16) return fail(Errc::malformed, "id");
        Id128 id;
        std::copy(raw->begin(), raw->end(), id.bytes.begin());
        return id;
    }
    /// 32 lower-case hexadecimal digits.
    [[nodiscard]] std::string hex() const { return to_hex(bytes); }
};

/// Names one transfer on the wire (`tid`): public, chosen by the sender's client, never reused.
using TransferId = Id128<struct TransferIdTag>;
/// Names one relay.
using RelayId = Id128<struct RelayIdTag>;
/// The random value in a notice mail's link, behind `#`. It grants reading the envelope, so it is
/// stored hashed and never written to a log or path.
using LinkId = Id128<struct LinkIdTag>;

/// Names the inbox in which answers for one return key are listed. It follows from that key
/// (`inbox_id` in keys.hpp), and tells nothing about who holds it.
using InboxId = Id128<struct InboxIdTag>;

/// First 8 bytes of SHA-256 over a public key record; all zero means "not told" (format 3.7).
using KeyId = std::array<std::byte, 8>;

/// A 32-byte SHA-256 value: piece root, volume root, content root.
using Hash256 = std::array<std::byte, 32>;

} // namespace plankurier
