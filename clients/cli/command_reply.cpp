#include <clients/cli/commands.hpp>

#include <clients/cli/fetch_open.hpp>
#include <clients/cli/inbox.hpp>
#include <clients/cli/send_check.hpp>
#include <clients/cli/sending.hpp>

#include <plankurier/receiving.hpp>

namespace plankurier::cli {

namespace {

/// Where the transfer is that is answered: the one named, or the one behind a notice's link.
Result<EnvelopePlace> place_of(const Options& options, Console& console, ControlClient& control,
                               const std::string& department, const OpenedKeyFile& key) {
    if (!options.link_file.empty()) {
        auto by_file = options;
        by_file.arguments.clear(); // here they are files to send
        return read_link(by_file, console).map([](const FetchLink& link) {
            return EnvelopePlace{link.id};
        });
    }
    const auto id = transfer_id("--to-transfer", options.to_transfer, console);
    if (!id) return tl::unexpected(id.error());
    return open_department_session(control, department, key, {options.retries})
        .map([&](std::string session) {
            return EnvelopePlace{InboxRight{*id, std::move(session)}};
        });
}

/// The answer's options: what was not given comes from the message that is answered.
Options completed(const Options& options, const Manifest& answered, Language language) {
    auto out = options;
    if (out.subject.empty() && !answered.subject.empty()) {
        out.subject = fill(text(language, Text::reply_subject), {answered.subject});
    }
    if (out.reference.empty()) out.reference = answered.from.reference;
    return out;
}

Exit reply(const Options& options, Console& console) {
    if (options.to_transfer.empty() == options.link_file.empty()) {
        return conclude(console, console.refuse(Mistake::reply_needs_one));
    }
    if (auto key = need(options, console, "--key", options.key); !key)
        return conclude(console, key);
    if (auto asked = check_send_options(options, console); !asked) return conclude(console, asked);
    const auto server = server_for(options, console);
    if (!server) return conclude(console, tl::unexpected(server.error()));
    auto control = control_at(*server, options, console);
    const auto authority = open_authority(control, console);
    if (!authority) return conclude(console, tl::unexpected(authority.error()));
    const auto key = read_department_key(options, console, authority->directory);
    if (!key) return conclude(console, tl::unexpected(key.error()));
    const auto department = department_of(authority->directory, options.department, *key);
    if (!department) return conclude(console, tl::unexpected(department.error()));
    const auto place = place_of(options, console, control, (*department)->id, *key);
    if (!place) return conclude(console, tl::unexpected(place.error()));
    const auto answered =
        open_transfer(options, console, control, *place, authority->directory, {&*key});
    if (!answered) return conclude(console, tl::unexpected(answered.error()));
    const auto& manifest = answered->opened.manifest;
    if (!manifest.reply_key) {
        console.warn(Text::no_return_key);
        return conclude(console, fail(Errc::unsupported, "no return key"));
    }
    // The notice goes to the address that was verified, whatever the manifest says.
    if (manifest.from.email != answered->verified_email) {
        console.warn(Text::message_unverified,
                     {printable(manifest.from.email), printable(answered->verified_email)});
    }
    const DepartmentSender from{**department, *key, answered->verified_email, manifest.reply_key};
    return send_new(completed(options, manifest, console.language()), console, control, *authority,
                    &from);
}

} // namespace

Exit run_reply(const Options& options, Console& console) { return reply(options, console); }

} // namespace plankurier::cli
