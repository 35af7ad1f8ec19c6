#include <clients/cli/fetch_open.hpp>

#include <clients/cli/addressees.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/lanes.hpp>
#include <clients/cli/option_rules.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/typed_password.hpp>

#include <plankurier/links.hpp>
#include <plankurier/receiving.hpp>
#include <plankurier/records.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

constexpr unsigned password_tries = 3;

bool is_of(const StanzaView& stanza, StanzaType type) noexcept {
    return stanza.type == static_cast<std::uint16_t>(type);
}

/// Told by phone, it comes in capitals, with blanks or with other dashes.
Result<OpenedEnvelope> open_as_meant(ByteView envelope, const SecretText& typed) {
    Result<OpenedEnvelope> opened = fail(Errc::wrong_password, "nothing typed");
    for (const auto& password : meant_passwords(typed)) {
        opened = open_envelope(envelope, password);
        if (opened || opened.error().code != Errc::wrong_password) break;
    }
    return opened;
}

Result<OpenedEnvelope> open_with_password(const Options& options, Console& console,
                                          ByteView envelope, const EnvelopeView& view) {
    const bool asks = options.password_file.empty();
    const bool has_password = std::ranges::any_of(
        view.stanzas, [](const auto& one) { return is_of(one, StanzaType::password); });
    for (unsigned tries = 1;; ++tries) {
        auto password = asks ? console.ask_secret(Text::ask_password)
                             : naming(console, {"--password-file", options.password_file},
                                      read_secret_line(options.password_file));
        if (!password) return tl::unexpected(password.error());
        auto opened = open_as_meant(envelope, *password);
        const bool again = asks && has_password && tries < password_tries && !opened &&
                           opened.error().code == Errc::wrong_password;
        if (!again) return opened;
        console.tell(opened.error());
    }
}

Result<OpenedEnvelope> open_with(const Opener& opener, const Options& options, Console& console,
                                 ByteView envelope, const EnvelopeView& view) {
    if (opener.link != nullptr) return open_envelope(envelope, *opener.link);
    const bool by_link_only = std::ranges::all_of(
        view.stanzas, [](const auto& one) { return is_of(one, StanzaType::link); });
    if (by_link_only) {
        console.warn(Text::link_incomplete);
        return fail(Errc::wrong_key, "a link without its secret");
    }
    if (opener.key != nullptr) return open_envelope(envelope, opener.key->seed, opener.key->type);
    return open_with_password(options, console, envelope, view);
}

/// Line breaks stay; all else that could steer a terminal goes.
std::string printable_lines(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        out += printable(line);
        if (end < text.size()) out += '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

} // namespace

Result<FetchLink> parse_link(const SecretText& pasted, const std::string& server) {
    auto parsed = parse_transfer_link(tidy_link(pasted));
    if (!parsed) return fail(Errc::invalid_argument, "link");
    FetchLink link{server.empty() ? std::move(parsed->base) : server, parsed->id,
                   std::move(parsed->secret)};
    if (!url_allowed(link.server)) return fail(Errc::invalid_argument, "server of the link");
    return link;
}

namespace {

/// What somebody took for the link of a transfer.
Mistake mistaken_link(const SecretText& pasted) {
    const auto link = tidy_link(pasted);
    if (parse_return_link(link)) return Mistake::link_of_answers;
    if (parse_code_link(link) || parse_never_link(link)) return Mistake::link_of_code;
    std::error_code ignored;
    const std::filesystem::path path{pasted.reveal()};
    return std::filesystem::is_regular_file(path, ignored) ? Mistake::link_of_receipt
                                                           : Mistake::link_form;
}

/// A link that a mail program broke in two comes as two arguments.
SecretText joined(const std::vector<std::string>& words) {
    std::size_t length = 0;
    for (const auto& word : words) length += word.size();
    std::string text;
    text.reserve(length);
    for (const auto& word : words) text += word;
    SecretText out{text};
    wipe(std::as_writable_bytes(std::span{text}));
    return out;
}

} // namespace

Result<FetchLink> read_link(const Options& options, Console& console) {
    const bool from_file = !options.link_file.empty();
    if (from_file && !options.arguments.empty()) {
        return console.refuse(Mistake::options_clash,
                              {"--link-file", printable(options.arguments.front())});
    }
    if (!from_file && options.arguments.empty()) {
        return console.refuse(Mistake::link_needed, {name_of(options.command)});
    }
    auto pasted = from_file ? naming(console, {"--link-file", options.link_file},
                                     read_secret_text(options.link_file))
                            : Result<SecretText>{joined(options.arguments)};
    if (!pasted) return tl::unexpected(pasted.error());
    auto link = parse_link(*pasted, options.server);
    // A link may be broken in two lines, and a note may stand below it.
    if (!link && from_file) link = parse_link(first_line(*pasted), options.server);
    if (link) return link;
    if (link.error().detail == "link") return console.refuse(mistaken_link(*pasted));
    const auto text = tidy_link(*pasted);
    const auto base = text.reveal().substr(0, text.reveal().find('#'));
    return console.refuse(Mistake::server_form, {printable(base)});
}

Result<SealedMessage> get_sealed(const Options& options, Console& console, ControlClient& control,
                                 const EnvelopePlace& place) {
    const RetryRule retry{options.retries};
    const auto notice = [&](unsigned seconds) {
        console.say(Text::network_retry, {std::to_string(seconds)});
    };
    const auto get = [&](auto call) {
        return with_retries(
            retry, [&] { return std::visit(call, place); }, notice);
    };
    auto envelope = get([&](const auto& where) { return control.envelope(where); });
    if (!envelope) return tl::unexpected(envelope.error());
    auto record_bytes = get([&](const auto& where) { return control.record(where); });
    if (!record_bytes) return tl::unexpected(record_bytes.error());
    return SealedMessage{std::move(*envelope), std::move(*record_bytes)};
}

Result<OpenedTransfer> open_transfer(const Options& options, Console& console,
                                     ControlClient& control, const EnvelopePlace& place,
                                     const Directory& directory, const Opener& opener) {
    auto sealed = get_sealed(options, console, control, place);
    if (!sealed) return tl::unexpected(sealed.error());
    return open_checked(options, console, std::move(*sealed), directory, opener);
}

Result<OpenedTransfer> open_checked(const Options& options, Console& console, SealedMessage sealed,
                                    const Directory& directory, const Opener& opener) {
    const auto& envelope = sealed.envelope;
    const auto record = check_verified(sealed.record, directory.record_key);
    if (!record) return tl::unexpected(record.error());
    const auto view = parse_envelope(envelope);
    if (!view) return tl::unexpected(view.error());
    if (record->transfer != view->transfer || record->envelope_sha256 != sha256(envelope)) {
        return fail(Errc::bad_signature, "record of another envelope");
    }
    auto opened = open_with(opener, options, console, envelope, *view);
    if (!opened) return tl::unexpected(opened.error());
    if (opened->manifest.transfer != view->transfer ||
        opened->manifest.content_bytes() > opened->layout.body_len()) {
        return fail(Errc::tampered, "manifest");
    }
    auto signer = check_signer(*opened, directory);
    if (!signer) return tl::unexpected(signer.error());
    std::string signer_name;
    if (*signer) {
        const auto* department = directory.find((*signer)->department);
        signer_name = department != nullptr ? full_name(*department) : (*signer)->department;
    }
    return OpenedTransfer{std::move(sealed.envelope), std::move(sealed.record),
                          std::move(*opened),         record->email,
                          std::move(*signer),         std::move(signer_name)};
}

namespace {

/// Who it comes from, and how that is known.
void show_sender(const OpenedTransfer& transfer, bool expect_signed, Console& console) {
    const auto language = console.language();
    const auto& from = transfer.opened.manifest.from;
    const auto verified = printable(transfer.verified_email);
    if (transfer.signer) {
        console.print(
            fill(text(language, Text::message_signed), {printable(transfer.signer_name)}));
        console.print(fill(text(language, Text::message_from_signed), {printable(from.name)}));
        return;
    }
    if (expect_signed || transfer.opened.is_reply) console.warn(Text::message_unsigned);
    console.print(fill(text(language, Text::message_from), {printable(from.name), verified}));
    if (from.email != transfer.verified_email) {
        console.warn(Text::message_unverified, {printable(from.email), verified});
    }
}

} // namespace

void show_message(const OpenedTransfer& transfer, bool expect_signed, Console& console) {
    const auto& manifest = transfer.opened.manifest;
    const auto language = console.language();
    show_sender(transfer, expect_signed, console);
    const auto print_if = [&](Text label, const std::string& value) {
        if (!value.empty()) console.print(fill(text(language, label), {printable(value)}));
    };
    print_if(Text::message_phone, manifest.from.phone);
    print_if(Text::message_reference, manifest.from.reference);
    print_if(Text::message_clerk, manifest.from.clerk);
    print_if(Text::message_institution, manifest.from.institution);
    print_if(Text::message_subject, manifest.subject);
    console.print("");
    console.print(printable_lines(manifest.message));
    console.print("");
    console.print(
        fill(text(language, Text::message_files), {std::to_string(manifest.files.size()),
                                                   size_text(language, manifest.content_bytes())}));
    console.event("message", {{"from_name", manifest.from.name},
                              {"from_email", manifest.from.email},
                              {"verified_email", transfer.verified_email},
                              {"verified", manifest.from.email == transfer.verified_email},
                              {"signed", transfer.signer.has_value()},
                              {"department", transfer.signer ? transfer.signer->department : ""},
                              {"phone", manifest.from.phone},
                              {"reference", manifest.from.reference},
                              {"clerk", manifest.from.clerk},
                              {"institution", manifest.from.institution},
                              {"subject", manifest.subject},
                              {"message", manifest.message}});
}

} // namespace plankurier::cli
