#include <clients/cli/texts_mistakes.hpp>

namespace plankurier::cli {

namespace {

struct Known {
    Errc code;
    std::string_view detail;
    Mistake mistake;
};
/// Details are fixed words (error.hpp), so they may stand in a table.
constexpr Known known[] = {
    {Errc::wrong_password, "key file", Mistake::passphrase_wrong},
    {Errc::malformed, "key file", Mistake::key_file_form},
    {Errc::malformed, "receipt", Mistake::receipt_form},
    {Errc::malformed, "receipt format", Mistake::receipt_form},
    {Errc::malformed, "member wrap", Mistake::wrap_form},
    {Errc::malformed, "member", Mistake::member_form},
    {Errc::malformed, "member format", Mistake::member_form},
    {Errc::malformed, "member key", Mistake::member_form},
    {Errc::malformed, "trust file", Mistake::trust_file_form},
    {Errc::not_verified, "no code", Mistake::code_missing},
    {Errc::conflict, "being sent", Mistake::being_sent},
    {Errc::not_found, "return link", Mistake::receipt_without_link},
    {Errc::invalid_argument, "link", Mistake::link_form},
    {Errc::invalid_argument, "return link", Mistake::return_link_form},
    {Errc::invalid_argument, "encoding", Mistake::encoding_of_file},
    {Errc::invalid_argument, "encoding utf-16", Mistake::encoding_utf16},
    {Errc::invalid_argument, "status 400", Mistake::service_refuses},
    {Errc::network, "proxy away", Mistake::proxy_away},
    {Errc::network, "proxy refuses", Mistake::proxy_refuses},
    {Errc::network, "proxy password", Mistake::proxy_password},
    {Errc::network, "proxy setting", Mistake::proxy_setting},
};

} // namespace

std::string_view text(Language language, Mistake which) noexcept {
    return language == Language::de ? text_de(which) : text_en(which);
}

std::optional<Mistake> mistake_of(const Error& error) noexcept {
    for (const auto& one : known) {
        if (one.code == error.code && one.detail == error.detail) return one.mistake;
    }
    return std::nullopt;
}

} // namespace plankurier::cli
