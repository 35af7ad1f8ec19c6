#include <plankurier/links.hpp>

#include <plankurier/code.hpp>

#include "engine/typing.hpp"

namespace plankurier {

namespace {

constexpr std::string_view version = "v1.";
constexpr std::size_t id_digits = 32;

std::string_view without_slash(std::string_view base) noexcept {
    while (base.ends_with('/')) base.remove_suffix(1);
    return base;
}

/// `behind`: what stands behind the version.
SecretText make(std::string_view link_base, std::string_view page, std::string_view behind) {
    typing::Draft link{without_slash(link_base), link_base.size() + 128};
    link.text.append(page).append("#").append(version).append(behind);
    return SecretText{link.text};
}

SecretText make(std::string_view link_base, std::string_view page, const std::string& id,
                ByteView secret) {
    typing::Draft behind{id, 128};
    if (!secret.empty()) {
        typing::Draft encoded{{}, 0};
        encoded.text = to_base64url(secret);
        behind.text.append(".").append(encoded.text);
    }
    return make(link_base, page, behind.text);
}

struct Head {
    std::string_view base, behind; ///< `behind` the version
};

Result<Head> split_head(std::string_view text, std::string_view page) {
    Head head;
    if (const auto hash = text.find('#'); hash != std::string_view::npos) {
        head.base = without_slash(text.substr(0, hash));
        if (!head.base.ends_with(page)) return fail(Errc::malformed, "page of a link");
        head.base = without_slash(head.base.substr(0, head.base.size() - page.size()));
        if (head.base.empty()) return fail(Errc::malformed, "base of a link");
        text.remove_prefix(hash + 1);
    }
    if (!text.starts_with(version)) return fail(Errc::malformed, "version of a link");
    head.behind = text.substr(version.size());
    return head;
}

struct Parts {
    std::string_view base, id, secret; ///< `secret` is null when the link has none
};

Result<Parts> split(std::string_view text, std::string_view page) {
    const auto head = split_head(text, page);
    if (!head) return tl::unexpected(head.error());
    Parts parts{head->base, {}, {}};
    text = head->behind;
    parts.id = text.substr(0, id_digits);
    text.remove_prefix(parts.id.size());
    if (text.empty()) return parts;
    if (text.front() != '.') return fail(Errc::malformed, "link");
    parts.secret = text.substr(1);
    return parts;
}

template <typename SecretType>
Result<SecretType> secret_from(std::string_view text) {
    auto raw = from_base64url(text);
    if (!raw || raw->size() != SecretType::size) return fail(Errc::malformed, "secret of a link");
    SecretType secret{ByteView{*raw}};
    wipe(*raw);
    return secret;
}

} // namespace

SecretText make_return_link(std::string_view link_base, const InboxId& inbox, const KeySeed& seed) {
    return make(link_base, "/r", inbox.hex(), seed.reveal());
}

Result<ReturnLink> parse_return_link(const SecretText& link) {
    const auto parts = split(link.reveal(), "/r");
    if (!parts) return tl::unexpected(parts.error());
    const auto inbox = InboxId::from_hex(parts->id);
    if (!inbox) return tl::unexpected(inbox.error());
    auto seed = secret_from<KeySeed>(parts->secret);
    if (!seed) return tl::unexpected(seed.error());
    for (const StanzaType type : {StanzaType::hpke_p256, StanzaType::hpke_x25519}) {
        const auto key = recipient_public_key(*seed, type);
        if (key && inbox_id(*key) == *inbox) {
            return ReturnLink{std::string{parts->base}, *inbox, std::move(*seed), type};
        }
    }
    return fail(Errc::malformed, "inbox of a link");
}

SecretText make_transfer_link(std::string_view link_base, const LinkId& id,
                              const LinkSecret* secret) {
    return make(link_base, "/t", id.hex(), secret == nullptr ? ByteView{} : secret->reveal());
}

Result<TransferLink> parse_transfer_link(const SecretText& link) {
    const auto parts = split(link.reveal(), "/t");
    if (!parts) return tl::unexpected(parts.error());
    const auto id = LinkId::from_hex(parts->id);
    if (!id) return tl::unexpected(id.error());
    TransferLink out{std::string{parts->base}, *id, std::nullopt};
    if (parts->secret.data() != nullptr) {
        auto secret = secret_from<LinkSecret>(parts->secret);
        if (!secret) return tl::unexpected(secret.error());
        out.secret = std::move(*secret);
    }
    return out;
}

SecretText make_code_link(std::string_view link_base, const SecretText& code) {
    return make(link_base, "/c", shown_code(code).reveal());
}

Result<CodeLink> parse_code_link(const SecretText& link) {
    const auto head = split_head(link.reveal(), "/c");
    if (!head) return tl::unexpected(head.error());
    // Otherwise the code itself could hold another link.
    if (head->behind.find(version) != std::string_view::npos) {
        return fail(Errc::malformed, "code of a link");
    }
    auto code = typed_code(SecretText{head->behind});
    if (!code) return tl::unexpected(code.error());
    return CodeLink{std::string{head->base}, std::move(*code)};
}

SecretText make_never_link(std::string_view link_base, std::string_view token) {
    return make(link_base, "/n", token);
}

Result<NeverLink> parse_never_link(const SecretText& link) {
    constexpr std::size_t token_bytes = 32;
    const auto head = split_head(link.reveal(), "/n");
    if (!head) return tl::unexpected(head.error());
    const auto raw = from_base64url(head->behind);
    if (!raw || raw->size() != token_bytes) return fail(Errc::malformed, "token of a link");
    return NeverLink{std::string{head->base}, SecretText{head->behind}};
}

} // namespace plankurier
