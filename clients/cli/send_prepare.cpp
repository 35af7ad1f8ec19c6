#include <clients/cli/send_prepare.hpp>

#include <clients/cli/files.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/send_check.hpp>
#include <clients/cli/send_files.hpp>

#include <plankurier/receiving.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

// The German list of Debian's package diceware.
constexpr const char* word_list_path =
    "/usr/lib/python3/dist-packages/diceware/wordlists/wordlist_de_8k.txt";

using Recipients = std::vector<Recipient>;

Result<SecretText> password_for(const Options& options, Text shown, Console& console) {
    if (!options.password_file.empty()) {
        auto password = naming(console, {"--password-file", options.password_file},
                               read_secret_line(options.password_file));
        if (password && password->empty()) {
            return console.refuse(Mistake::secret_empty, {"--password-file"});
        }
        return password;
    }
    const auto list = read_file(options.word_list.empty() ? word_list_path : options.word_list);
    auto password = list ? generate_password(*list) : Result<SecretText>{generate_plain_password()};
    if (!options.word_list.empty() && (!list || !password)) {
        const auto error = list ? password.error() : list.error();
        return naming(console, {"--word-list", options.word_list},
                      Result<SecretText>{tl::unexpected(error)});
    }
    if (!password) return password;
    console.warn(shown, {password->reveal()});
    console.event("password", {{"password", std::string{password->reveal()}}});
    return password;
}

Result<Recipient> password_recipient(const Options& options, Text shown, Console& console) {
    return password_for(options, shown, console).map([](SecretText password) {
        return Recipient{PasswordRecipient{std::move(password), {}}};
    });
}

/// The state keeps the secret, so that a resumed sending ends with this very link.
Result<Recipient> link_recipient(UploadState& state) {
    state.link = LinkSecret::random();
    return Recipient{LinkRecipient{state.link->clone()}};
}

/// One or none, as a list.
Result<Recipients> alone(Result<Recipient> recipient) {
    if (!recipient) return tl::unexpected(recipient.error());
    Recipients out;
    out.push_back(std::move(*recipient));
    return out;
}

/// Where the authority has an escrow key, it opens too what goes to its departments and clerks. The
/// sender is told before anything is sent.
void add_escrow(const Directory& directory, Recipients& recipients, Manifest& manifest,
                UploadState& state, Console& console) {
    auto key = usable_escrow_key(directory, unix_now());
    if (!key) return;
    state.escrow = directory.escrow->name;
    console.warn(Text::escrow_told, {printable(state.escrow)});
    console.event("escrow", {{"name", state.escrow}, {"kid", to_hex(key->kid)}});
    manifest.recipient_keys.push_back(key->kid);
    recipients.emplace_back(KeyRecipient{std::move(key->key), false});
}

/// Seals to the keys of departments and clerks, or for a typed address to a password. Each of them
/// opens it alone; the first is the one that it is about.
Result<Recipients> recipients_for(const Options& options, const Authority& authority,
                                  const Addressees& addressees, Manifest& manifest,
                                  UploadState& state, Console& console) {
    state.return_key = ReturnKey{KeySeed::random()};
    if (!addressees.typed.empty()) {
        state.staff = state.recipient = addressees.typed;
        if (options.by_link) return alone(link_recipient(state));
        return alone(password_recipient(options, Text::password_generated, console));
    }
    Recipients out;
    for (const auto* department : addressees.listed) {
        auto key = usable_key(authority.directory, *department, unix_now());
        if (!key) return tl::unexpected(key.error());
        if (out.empty()) {
            state.return_key->type = key->key.type;
            state.department = manifest.department = department->id;
        } else {
            state.also.push_back(department->id);
            state.recipient += ", ";
        }
        state.recipient += receipt_name(*department);
        manifest.recipient_keys.push_back(key->kid);
        out.emplace_back(KeyRecipient{std::move(key->key), false});
    }
    add_escrow(authority.directory, out, manifest, state, console);
    return out;
}

/// Seals to the citizen's return key, or for a first contact to a password.
Result<Recipients> citizen_for(const Options& options, const DepartmentSender& from,
                               Manifest& manifest, UploadState& state, Console& console) {
    state.sender_department = from.department.id;
    state.citizen = state.recipient = from.citizen;
    if (manifest.from.name.empty()) manifest.from.name = from.department.name;
    if (manifest.from.institution.empty()) manifest.from.institution = state.authority;
    if (options.by_link) return alone(link_recipient(state));
    if (!from.return_key) {
        return alone(password_recipient(options, Text::password_for_citizen, console));
    }
    state.inbox = inbox_id(*from.return_key).hex();
    manifest.recipient_keys.push_back(key_id(*from.return_key));
    return alone(Recipient{KeyRecipient{*from.return_key, false}});
}

Result<Bytes> seal(const UploadState& state, Manifest& manifest, const BodyLayout& layout,
                   const Recipients& recipients, const DepartmentSender* from) {
    if (from != nullptr) {
        const auto signer = signing_seed(from->key.seed);
        return seal_envelope(state.key, manifest, layout, recipients,
                             SealOptions{&signer, from->return_key.has_value()});
    }
    auto return_key = recipient_public_key(state.return_key->seed, state.return_key->type);
    if (!return_key) return tl::unexpected(return_key.error());
    manifest.reply_key = std::move(*return_key);
    return seal_envelope(state.key, manifest, layout, recipients);
}

UploadState new_state(const Options& options, const Service& service, const BodySource& source,
                      const std::string& server, Language language) {
    UploadState state;
    state.transfer = TransferId::random();
    state.key = TransferKey::random();
    state.manage = ManageToken::random();
    state.server = server;
    state.authority = service.authority;
    state.email = options.email;
    if (options.share_phone) state.phone_shared = options.phone;
    state.language = tag(language);
    state.expiry_days = options.expires_days.value_or(service.expiry_days_default);
    state.notify_fetch = options.notify == "on-fetch";
    state.notify_unfetched = options.notify_unfetched;
    state.remind_recipient = options.remind_recipient;
    state.begun = unix_now();
    state.files = source.files();
    if (!options.receipt.empty()) state.receipt_path = std::filesystem::absolute(options.receipt);
    if (options.by_link && !options.link_file.empty()) {
        state.link_path = std::filesystem::absolute(options.link_file);
    }
    return state;
}

} // namespace

SecretText generate_plain_password() {
    constexpr std::string_view alphabet = "abcdefghjkmnpqrstuvwxyz23456789";
    std::string text;
    while (text.size() < 19) {
        std::array<std::byte, 1> dice{};
        fill_random(dice);
        // Values past a multiple of the alphabet's length would favour its beginning.
        const auto value = std::to_integer<std::size_t>(dice[0]);
        if (value >= 256 - 256 % alphabet.size()) continue;
        if (text.size() % 5 == 4) text += '-';
        text += alphabet[value % alphabet.size()];
    }
    SecretText secret{text};
    wipe(std::as_writable_bytes(std::span{text.data(), text.size()}));
    return secret;
}

Result<PreparedTransfer> prepare_transfer(const Options& options, const Authority& authority,
                                          const Addressees& addressees, const BodySource& source,
                                          const std::string& server, Console& console,
                                          const DepartmentSender* from) {
    const auto service = for_departments(authority.service, addressees.ids());
    if (auto checked = check_with_service(options, service, console); !checked) {
        return tl::unexpected(checked.error());
    }
    // Other commands read their link from that file.
    const auto link_file = options.by_link ? options.link_file : std::string{};
    if (auto free =
            check_outputs({{"--receipt", options.receipt}, {"--link-file", link_file}}, console);
        !free) {
        return tl::unexpected(free.error());
    }
    auto message = message_of(options, service, console);
    if (!message) return tl::unexpected(message.error());
    if (message->empty() && source.files().empty()) {
        return console.refuse(Mistake::nothing_to_send);
    }
    PreparedTransfer out{new_state(options, service, source, server, console.language()), {}};
    auto& state = out.state;
    Manifest manifest;
    manifest.transfer = state.transfer;
    manifest.created = state.begun;
    manifest.expiry_days = state.expiry_days;
    manifest.from = {options.name,      options.phone, options.email,
                     options.reference, options.clerk, options.institution};
    manifest.directory_serial = authority.directory.serial;
    manifest.subject = options.subject;
    manifest.message = std::move(*message);
    manifest.notify_fetch = state.notify_fetch;
    manifest.files = manifest_files(source, console);
    const auto layout = BodyLayout::for_content(source.content_bytes());
    if (!layout) return tl::unexpected(layout.error());
    auto recipients =
        from != nullptr ? citizen_for(options, *from, manifest, state, console)
                        : recipients_for(options, authority, addressees, manifest, state, console);
    if (!recipients) return tl::unexpected(recipients.error());
    auto envelope = seal(state, manifest, *layout, *recipients, from);
    if (!envelope) return tl::unexpected(envelope.error());
    out.envelope = std::move(*envelope);
    return out;
}

} // namespace plankurier::cli
