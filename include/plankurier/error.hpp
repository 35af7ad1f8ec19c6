#pragma once
/// Outcomes and failures.
///
/// Plankurier tells three kinds of failure apart:
///  * an expected outcome (wrong code, expired, tampered bytes) is a value: `Result<T>` with an
///    `Errc` from the closed list below;
///  * a broken environment (disk error, database gone) is an exception, derived from
///    `std::runtime_error`, caught only by the outermost loop of a process or request;
///  * broken code is an `expects` that fails: a message and `abort`, in every build.
///
/// Everything here may be used from any thread.

#include <tl/expected.hpp>

#include <source_location>
#include <string>
#include <string_view>

namespace plankurier {

/// Every expected outcome that is not success. The names are wire names (see `name`): they stand
/// in HTTP answers, in `--json` output and in test vectors, so an entry is never renamed.
enum class Errc {
    // input
    invalid_argument, ///< a value is outside its documented range
    malformed,        ///< bytes do not have the documented form
    unsupported,      ///< a version, suite or type that this program does not know
    not_found,        ///< no such thing, or not for the one who asks (never told apart)
    // verification and policy
    wrong_code,          ///< the verification code is not the one that was sent
    code_expired,        ///< the verification code is too old
    too_many_attempts,   ///< a counter of attempts is used up; a new start is needed
    too_early,           ///< asked again before the stated waiting time is over
    not_verified,        ///< the e-mail address was not verified in this session
    unknown_department,  ///< the directory has no such department
    address_not_allowed, ///< sender or recipient address is not allowed by policy
    type_not_allowed,    ///< the file type is not allowed, by name or by content
    link_not_allowed,    ///< policy takes no transfer that its link alone opens
    too_large,           ///< larger than the limit
    too_many_files,      ///< more files than the limit
    quota_exceeded,      ///< a quota of this sender, or of the site, is used up
    rate_limited,        ///< too many requests; try again later
    conflict,            ///< the id is taken, or the step does not fit the state
    // time
    expired, ///< the transfer, ticket, key or directory is past its end
    revoked, ///< withdrawn by the sender
    purged,  ///< already deleted
    // keys and bytes
    wrong_password, ///< no password stanza opens with this password
    wrong_key,      ///< no stanza opens with this key
    untrusted_root, ///< the authority's root key is not the pinned one, or none is pinned
    rolled_back,    ///< a directory older than one already seen
    bad_signature,  ///< a signature does not verify
    tampered,       ///< bytes are not what their author sealed
    // local
    file_changed,    ///< a source file changed while it was being sent
    file_unreadable, ///< a source file cannot be opened or read
    exists,          ///< the target already exists
    // transport
    no_space,    ///< the relay or the local disk is full
    network,     ///< the other side cannot be reached, or the line broke
    tls,         ///< the other side's certificate is not trusted
    unavailable, ///< the service cannot do this now; a later try may work
    busy,        ///< too many at once; the answer says when to ask again (Retry-After)
    canceled,    ///< stopped on request
    lost         ///< no relay has all of its pieces any more: it has to be sent again
};

/// The stable wire name of a code, for example "wrong_code".
[[nodiscard]] std::string_view name(Errc code) noexcept;

/// The code with this wire name, or `unsupported` when there is none.
[[nodiscard]] Errc errc_from_name(std::string_view wire_name) noexcept;

/// An expected failure.
struct Error {
    Errc code{};
    /// For developers and logs: fixed words and numbers. Never a name, address, file name, link,
    /// code or key. User-facing texts are made from `code` alone, in the user's language.
    std::string detail;
};

/// A value, or the reason why there is none.
template <typename T>
using Result = tl::expected<T, Error>;

/// Makes the failure branch of a Result: `return fail(Errc::expired, "ticket");`
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string detail = {}) {
    return tl::unexpected<Error>(Error{code, std::move(detail)});
}

/// Checks what only broken code can violate. On false: prints file, line and `what` (fixed words)
/// to stderr and aborts. Active in every build.
void expects(bool condition, const char* what = "precondition",
             std::source_location where = std::source_location::current()) noexcept;

} // namespace plankurier
