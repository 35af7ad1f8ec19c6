#pragma once
/// Texts that people hand over, as UTF-8, whatever their editor or terminal made of them. Stateless
/// functions; any thread.

#include <plankurier/error.hpp>

namespace plankurier::cli {

/// The character set that the locale names (LC_ALL, LC_CTYPE, LANG), for example "ISO-8859-15";
/// empty for UTF-8 and when it names none.
[[nodiscard]] std::string locale_charset();

/// `text` as UTF-8 without a byte order mark, when that is certain: it is UTF-8, or UTF-16 with a
/// byte order mark, or neither and `charset` says what else. Fails with `invalid_argument`; the
/// detail is "encoding", or "encoding utf-16" when it looks like that without a mark. What `text`
/// held is wiped, since it may be a secret.
[[nodiscard]] Result<std::string> to_utf8(std::string text,
                                          const std::string& charset = locale_charset());
/// The name of the encoding that a text has in all likelihood, for people.
[[nodiscard]] std::string_view guessed_encoding(const Error& error) noexcept;

} // namespace plankurier::cli
