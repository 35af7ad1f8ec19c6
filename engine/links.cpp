#include <plankurier/links.hpp>

namespace plankurier {

namespace {

constexpr std::string_view version = "v1.";
constexpr std::size_t id_digits = 32;

std::string_view without_slash(std::string_view base) noexcept {
    while (base.ends_with('/')) base.remove_suffix(1);
    return base;
}

SecretText make(std::string_view link_base, std::string_view page, const std::string& id,
                ByteView secret) {
    // Reserved beforehand: a string that grows would leave pieces of the secret behind.
    std::string text;
    text.reserve(link_base.size() + 128);
    text.append(without_slash(link_base)).append(page).append("#").append(version).append(id);
    if (!secret.empty()) {
        std::string encoded = to_base64url(secret);
        text.append(".").append(encoded);
        wipe(std::as_writable_bytes(std::span{encoded}));
    }
    SecretText link{text};
    wipe(std::as_writable_bytes(std::span{text}));
    return link;
}

struct Parts {
    std::string_view base, id, secret; ///< `secret` is null when the link has none
};

Result<Parts> split(std::string_view text, std::string_view page) {
    Parts parts;
    if (const auto hash = text.find('#'); hash != std::string_view::npos) {
        parts.base = without_slash(text.substr(0, hash));
        if (!parts.base.ends_with(page)) return fail(Errc::malformed, "page of a link");
        parts.base = without_slash(parts.base.substr(0, parts.base.size() - page.size()));
        if (parts.base.empty()) return fail(Errc::malformed, "base of a link");
        text.remove_prefix(hash + 1);
    }
    if (!text.starts_with(version)) return fail(Errc::malformed, "version of a link");
    text.remove_prefix(version.size());
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

} // namespace plankurier
