#pragma once
/// Links that hold a secret behind their `#`: a browser never sends that part to a server. Their
/// text is a secret from the first byte on; log nothing of it. Stateless functions; any thread.
///
/// `link_base` is where the authority's pages stand, "https://host" with or without a path or a
/// slash at its end. The parsers are strict; what a person pastes goes through `tidy_link` first.
/// They also take the part behind `#` alone (`base` is then empty). They check form only: whether
/// `base` may be talked to is the caller's question.

#include <plankurier/keys.hpp>

#include <optional>
#include <string>

namespace plankurier {

/// "BASE/r#v1.<inbox, 32 hex>.<seed, b64url>": where a citizen finds answers, and the seed of the
/// key that opens them (format 3.11). It stands in the receipt.
[[nodiscard]] SecretText make_return_link(std::string_view link_base, const InboxId& inbox,
                                          const KeySeed& seed);
struct ReturnLink {
    std::string base; ///< without a slash at its end
    InboxId inbox;
    KeySeed seed;
    StanzaType type{}; ///< of the key pair; found by its inbox, for the link does not tell it
};
/// Fails with `malformed`, also when no key of the seed has this inbox (a mistyped link).
[[nodiscard]] Result<ReturnLink> parse_return_link(const SecretText& link);

/// "BASE/t#v1.<link id, 32 hex>", and ".<secret, b64url>" behind it for a `LinkRecipient`: where a
/// transfer is fetched. Null: without a secret, as in a notice.
[[nodiscard]] SecretText make_transfer_link(std::string_view link_base, const LinkId& id,
                                            const LinkSecret* secret = nullptr);
struct TransferLink {
    std::string base; ///< without a slash at its end
    LinkId id;
    std::optional<LinkSecret> secret;
};
/// Fails with `malformed`.
[[nodiscard]] Result<TransferLink> parse_transfer_link(const SecretText& link);

/// "BASE/c#v1.<code>": shows a verification code (code.hpp) to the person who got it by mail.
[[nodiscard]] SecretText make_code_link(std::string_view link_base, const SecretText& code);
struct CodeLink {
    std::string base; ///< without a slash at its end
    SecretText code;  ///< as `typed_code` gives it
};
/// Fails with `malformed`.
[[nodiscard]] Result<CodeLink> parse_code_link(const SecretText& link);

/// "BASE/n#v1.<token, b64url of 32 bytes>": for people who want no mail any more.
[[nodiscard]] SecretText make_never_link(std::string_view link_base, std::string_view token);
struct NeverLink {
    std::string base; ///< without a slash at its end
    SecretText token; ///< b64url
};
/// Fails with `malformed`.
[[nodiscard]] Result<NeverLink> parse_never_link(const SecretText& link);

/// A link as it was made, out of what a person pastes: with blanks and line breaks in it, in angle
/// brackets or quotation marks, with a full stop behind it, with `%23` instead of `#`, or wrapped
/// by a mail filter (docs/protocol.md, "What people paste"). Never fails: what it cannot make a
/// link of, the parsers refuse.
[[nodiscard]] SecretText tidy_link(const SecretText& pasted);

} // namespace plankurier
