#pragma once
/// Verification codes: eight signs of Crockford's base32 (no I, L, O, U), 40 bits. People read them
/// in a mail and type or paste them somewhere else. Stateless functions; any thread.

#include <plankurier/error.hpp>
#include <plankurier/secret.hpp>

namespace plankurier {

/// A fresh one, without a hyphen.
[[nodiscard]] SecretText random_code();
/// As mails show it: "K7QM-2RFX".
[[nodiscard]] SecretText shown_code(const SecretText& code);
/// The code in what a person typed or pasted, without a hyphen and in capital letters: blanks,
/// hyphens of every kind, quotation marks and the like are passed over, small letters are fine, O
/// stands for 0, I and L stand for 1. The code mail's link is taken, too. Fails with `malformed`
/// when it cannot be a code; nobody should spend an attempt on it then.
[[nodiscard]] Result<SecretText> typed_code(const SecretText& typed);

} // namespace plankurier
