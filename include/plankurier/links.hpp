#pragma once
/// Links that hold a secret behind their `#`: a browser never sends that part to a server. Their
/// text is a secret from the first byte on; log nothing of it. Stateless functions; any thread.
///
/// `link_base` is where the authority's pages stand, "https://host" with or without a path or a
/// slash at its end. The parsers also take the part behind `#` alone (`base` is then empty). They
/// check form only: whether `base` may be talked to is the caller's question.

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

} // namespace plankurier
