#include <clients/cli/commands.hpp>

#include <clients/cli/addressees.hpp>
#include <clients/cli/inbox.hpp>
#include <clients/cli/member_record.hpp>
#include <clients/cli/outputs.hpp>

#include <plankurier/members.hpp>
#include <plankurier/receiving.hpp>

namespace plankurier::cli {

namespace {

/// From the file that is named, or from a person, twice.
Result<SecretText> new_passphrase(const char* option, const std::string& file, Console& console) {
    auto passphrase =
        file.empty() ? console.ask_new_secret(Text::ask_new_passphrase, Text::ask_passphrase_again)
                     : naming(console, {option, file}, read_secret_line(file));
    if (passphrase && passphrase->empty()) return console.refuse(Mistake::secret_empty, {option});
    return passphrase;
}

/// A key pair of the own. The public record goes to a colleague.
Result<void> make_member(const Options& options, Console& console) {
    const auto asked = need(options, console, "--output", options.output).and_then([&] {
        return need(options, console, "--record", options.record);
    });
    if (!asked) return asked;
    if (auto free =
            check_outputs({{"--output", options.output}, {"--record", options.record}}, console);
        !free)
        return free;
    const auto type = options.type == "p256" ? StanzaType::hpke_p256 : StanzaType::hpke_x25519;
    const auto passphrase = new_passphrase("--passphrase-file", options.passphrase_file, console);
    if (!passphrase) return tl::unexpected(passphrase.error());
    const auto seed = KeySeed::random();
    const auto key = recipient_public_key(seed, type);
    if (!key) return tl::unexpected(key.error());
    const auto file = seal_key_file(seed, type, *passphrase);
    if (!file) return tl::unexpected(file.error());
    const auto record = encode_member(*key);
    auto written = write_pair({"--output", options.output}, *file, {"--record", options.record},
                              as_bytes(record), console);
    if (!written) return written;
    console.say(Text::member_made, {options.output, options.record, spoken_id(key_id(*key))});
    console.event("member", {{"kid", to_hex(key_id(*key))}});
    return {};
}

/// The department's seed, sealed to a colleague.
Result<void> wrap_member(const Options& options, Console& console) {
    const auto asked =
        need(options, console, "--key", options.key)
            .and_then([&] { return need(options, console, "--member", options.member); })
            .and_then([&] { return need(options, console, "--output", options.output); });
    if (!asked) return asked;
    if (auto free = check_outputs({{"--output", options.output}}, console); !free) return free;
    const auto member = naming(console, {"--member", options.member},
                               read_small_file(options.member, "member").and_then(decode_member));
    if (!member) return tl::unexpected(member.error());
    const auto key = read_key_file({"--key", options.key}, options, console);
    if (!key) return tl::unexpected(key.error());
    const auto wrap = wrap_for_member(key->seed, key->type, *member);
    if (!wrap) return tl::unexpected(wrap.error());
    const auto bytes = encode_member_wrap(*wrap);
    if (auto written = write_new_file(options.output, bytes); !written) {
        return naming(console, {"--output", options.output}, std::move(written));
    }
    console.say(Text::member_wrapped, {options.output, spoken_id(wrap->member)});
    console.event("wrapped",
                  {{"department", to_hex(wrap->department)}, {"member", to_hex(wrap->member)}});
    return {};
}

/// A colleague's wrap becomes a key file of the department. Anybody can make a wrap of any seed, so
/// it counts only when the signed directory lists its key.
Result<void> unwrap_member(const Options& options, Console& console) {
    if (options.arguments.size() < 2) return console.refuse(Mistake::wraps_needed, {"unwrap"});
    if (options.arguments.size() > 2) {
        return console.refuse(Mistake::argument_extra, {options.arguments[2], "members"});
    }
    const auto asked = need(options, console, "--key", options.key).and_then([&] {
        return need(options, console, "--output", options.output);
    });
    if (!asked) return asked;
    const auto server = server_for(options, console);
    if (!server) return tl::unexpected(server.error());
    if (auto free = check_outputs({{"--output", options.output}}, console); !free) return free;
    const auto wrap = naming(console, options.arguments[1], read_member_wrap(options.arguments[1]));
    if (!wrap) return tl::unexpected(wrap.error());
    auto control = control_at(*server, options, console);
    const auto authority = open_authority(control, console);
    if (!authority) return tl::unexpected(authority.error());
    const auto member = read_key_file({"--key", options.key}, options, console);
    if (!member) return tl::unexpected(member.error());
    const auto key = unwrap_as_member(*wrap, member->seed);
    if (!key) return tl::unexpected(key.error());
    const auto department = department_of(authority->directory, options.department, *key);
    if (!department) return tl::unexpected(department.error());
    const auto passphrase =
        new_passphrase("--new-passphrase-file", options.new_passphrase_file, console);
    if (!passphrase) return tl::unexpected(passphrase.error());
    const auto file = seal_key_file(key->seed, key->type, *passphrase);
    if (!file) return tl::unexpected(file.error());
    if (auto written = write_new_file(options.output, *file); !written) {
        return naming(console, {"--output", options.output}, std::move(written));
    }
    console.say(Text::member_unwrapped, {options.output, printable(full_name(**department))});
    console.event("unwrapped", {{"department", (*department)->id}});
    return {};
}

/// Who shares which key: what stands in wraps, with the departments of the directory that was seen
/// last. Opens nothing.
Result<void> list_members(const Options& options, Console& console) {
    if (options.arguments.size() < 2) return console.refuse(Mistake::wraps_needed, {"list"});
    const auto server = server_for(options, console);
    if (!server) return tl::unexpected(server.error());
    const auto directory = known_directory(*server, options, console);
    if (!directory) return tl::unexpected(directory.error());
    for (std::size_t at = 1; at < options.arguments.size(); ++at) {
        const auto& path = options.arguments[at];
        const auto wrap = naming(console, path, read_member_wrap(path));
        if (!wrap) return tl::unexpected(wrap.error());
        const auto* department = department_with(*directory, wrap->department);
        const auto shown = department != nullptr
                               ? printable(full_name(*department))
                               : std::string{text(console.language(), Text::member_unlisted)};
        console.print(fill(text(console.language(), Text::member_line),
                           {spoken_id(wrap->member), shown, printable(path)}));
        console.event("member_wrap", {{"member", to_hex(wrap->member)},
                                      {"key", to_hex(wrap->department)},
                                      {"department", department != nullptr ? department->id : ""},
                                      {"file", path}});
    }
    return {};
}

Result<void> members(const Options& options, Console& console) {
    const auto action = options.arguments.empty() ? std::string{} : options.arguments.front();
    if (action == "list") return list_members(options, console);
    if (action == "unwrap") return unwrap_member(options, console);
    if (action != "new" && action != "wrap") return console.refuse(Mistake::member_action);
    if (options.arguments.size() > 1) {
        return console.refuse(Mistake::argument_extra, {options.arguments[1], "members"});
    }
    return action == "new" ? make_member(options, console) : wrap_member(options, console);
}

/// The same key under another passphrase; a crash leaves the old file or the new one.
Result<void> change_passphrase(const Options& options, Console& console) {
    const auto path = only_argument(options, console, Mistake::key_file_needed);
    if (!path) return tl::unexpected(path.error());
    const auto key = read_key_file({"", *path}, options, console);
    if (!key) return tl::unexpected(key.error());
    const auto passphrase =
        new_passphrase("--new-passphrase-file", options.new_passphrase_file, console);
    if (!passphrase) return tl::unexpected(passphrase.error());
    const auto file = seal_key_file(key->seed, key->type, *passphrase);
    if (!file) return tl::unexpected(file.error());
    if (auto written = write_file_durably(*path, *file); !written) {
        return naming(console, *path, std::move(written));
    }
    console.say(Text::passphrase_changed);
    console.event("passphrase_changed");
    return {};
}

} // namespace

Exit run_members(const Options& options, Console& console) {
    return conclude(console, members(options, console));
}

Exit run_passphrase(const Options& options, Console& console) {
    return conclude(console, change_passphrase(options, console));
}

} // namespace plankurier::cli
