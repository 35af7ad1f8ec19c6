#pragma once
/// Passwords as people type what they were told by phone. Stateless functions; any thread.

#include <plankurier/secret.hpp>

#include <vector>

namespace plankurier::cli {

/// What may be meant, in the order to try: as typed; without blanks around; and in lower case with
/// one hyphen for blanks and dashes, as generated passwords are written. Each only once.
[[nodiscard]] std::vector<SecretText> meant_passwords(const SecretText& typed);

} // namespace plankurier::cli
