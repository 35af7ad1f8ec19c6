#pragma once
/// The form of contact data that leaves the sealed part of a transfer: it stands in mails. Client
/// and control plane check alike. Stateless functions; any thread.

#include <plankurier/error.hpp>

namespace plankurier {

/// Accepts the addresses that are safe in an SMTP command and a header: local part of RFC 5322
/// atoms and dots, domain of letters, digits and hyphens, at most 254 bytes. No quotes, comments,
/// literals, control characters. Fails with `invalid_argument`.
[[nodiscard]] Result<void> check_address(std::string_view address);
/// Accepts at most 64 digits, blanks and signs of `+-/.()`, or nothing: what the sender types here
/// stands in a mail, so that it may hold no words. Fails with `invalid_argument`.
[[nodiscard]] Result<void> check_phone(std::string_view phone);

} // namespace plankurier
