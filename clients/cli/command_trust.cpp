#include <clients/cli/commands.hpp>

#include <clients/cli/directory_memory.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/signals.hpp>
#include <clients/cli/typed_address.hpp>

#include <plankurier/receiving.hpp>

#include <cctype>
#include <ctime>

namespace plankurier::cli {

namespace {

/// Only the hexadecimal digits, lower case: people group and write them in many ways.
std::string digits_of(std::string_view fingerprint_text) {
    std::string digits;
    for (const char letter : fingerprint_text) {
        const auto value = static_cast<unsigned char>(letter);
        if (std::isxdigit(value) != 0) digits += static_cast<char>(std::tolower(value));
    }
    return digits;
}

Result<MinisignPublicKey> root_from(const Options& options, const SignedDirectory& answer,
                                    Console& console) {
    if (!options.root.empty()) {
        // The key is one short line, so it may also stand on the command line itself.
        if (auto root = parse_minisign_public_key(options.root)) return root;
        const auto text = read_small_file(options.root, "root key");
        if (!text && text.error().code != Errc::malformed) {
            return naming(console, {"--root", options.root},
                          Result<MinisignPublicKey>{tl::unexpected(text.error())});
        }
        auto root = parse_minisign_public_key(text ? *text : std::string{});
        if (root) return root;
        return console.refuse(Mistake::root_form, {printable(options.root)}, root.error().code);
    }
    if (answer.root_pub.empty()) {
        console.warn(Text::trust_no_key);
        return fail(Errc::untrusted_root, "no root key");
    }
    auto root = parse_minisign_public_key(answer.root_pub);
    if (!root || options.fingerprint.empty()) return root;
    if (digits_of(options.fingerprint) != digits_of(fingerprint(*root))) {
        console.warn(Text::trust_mismatch);
        return fail(Errc::untrusted_root, "fingerprint");
    }
    return root;
}

/// Checks the chain under `root`, asks when `ask`, and pins.
Result<Directory> check_and_pin(const std::string& server, const SignedDirectory& answer,
                                const MinisignPublicKey& root, bool ask, Console& console) {
    TrustStore store{config_folder()};
    const auto before = store.find(server);
    TrustAnchor anchor{root, 0};
    if (before && before->anchor.root == root)
        anchor.highest_serial = before->anchor.highest_serial;
    auto directory = open_directory(answer, anchor, unix_now());
    if (!directory) return directory;
    const auto authority = printable(directory->authority);
    if (ask && !console.ask_yes(Text::trust_question, {authority, server, fingerprint(root)})) {
        return fail(Errc::untrusted_root, "not confirmed");
    }
    auto pinned =
        store.pin({server, directory->authority, {root, directory->serial}}).and_then([&] {
            return remember_directory(config_folder(), server, answer);
        });
    if (!pinned) return tl::unexpected(pinned.error());
    console.say(Text::trust_pinned, {authority, fingerprint(root)});
    console.event("trusted", {{"server", server},
                              {"authority", directory->authority},
                              {"fingerprint", fingerprint(root)}});
    return directory;
}

Result<Directory> trusted_directory(ControlClient& control, Console& console) {
    TrustStore store{config_folder()};
    auto pinned = store.find(control.server());
    if (!pinned && pinned.error().code != Errc::untrusted_root) {
        return tl::unexpected(pinned.error());
    }
    if (!pinned && !console.can_ask()) {
        return console.refuse(Mistake::server_untrusted, {control.server(), control.server()},
                              Errc::untrusted_root);
    }
    const auto answer = control.directory();
    if (!answer) return tl::unexpected(answer.error());
    if (!pinned) {
        auto root = root_from({}, *answer, console);
        if (!root) return tl::unexpected(root.error());
        return check_and_pin(control.server(), *answer, *root, true, console);
    }
    auto directory = open_directory(*answer, pinned->anchor, unix_now());
    if (!directory) return directory;
    if (directory->serial > pinned->anchor.highest_serial) {
        pinned->anchor.highest_serial = directory->serial;
        if (auto saved = store.pin(*pinned); !saved) return tl::unexpected(saved.error());
    }
    // For `verify` off line. Another command may write it just now, and this one needs it not.
    static_cast<void>(remember_directory(config_folder(), control.server(), *answer));
    return directory;
}

Result<void> trust(const Options& options, Console& console) {
    std::string server = options.server;
    if (!options.arguments.empty() || server.empty()) {
        const auto named = only_argument(options, console, Mistake::server_needed);
        if (!named) return tl::unexpected(named.error());
        server = settle_server(*named);
    }
    if (!url_allowed(server)) return console.refuse(Mistake::server_form, {server});
    auto control = control_at(server, options, console);
    const auto answer = control.directory();
    // As of a web server that speaks HTTPS only: nothing that stands in these options.
    if (!answer && answer.error().detail == "status 400") {
        return console.refuse(Mistake::server_form, {printable(server)});
    }
    if (!answer) return tl::unexpected(answer.error());
    auto root = root_from(options, *answer, console);
    if (!root) return tl::unexpected(root.error());
    const bool told = !options.root.empty() || !options.fingerprint.empty();
    if (!told && !console.can_ask()) return fail(Errc::untrusted_root, "nobody to ask");
    auto pinned = check_and_pin(server, *answer, *root, !told, console);
    if (pinned) return {};
    if (!options.root.empty() && pinned.error().code == Errc::untrusted_root) {
        return console.refuse(Mistake::root_differs, {server}, Errc::untrusted_root);
    }
    return tl::unexpected(pinned.error());
}

/// Registered clerks are listed openly; so is the escrow key, where there is one.
void show_clerks(const Directory& directory, Console& console) {
    const auto language = console.language();
    for (const auto& clerk : directory.clerks) {
        console.print(fill(text(language, Text::clerk_line),
                           {printable(clerk.address), printable(clerk.name)}));
        console.event("clerk", {{"id", clerk.id},
                                {"address", clerk.address},
                                {"name", clerk.name},
                                {"hint", clerk.hint}});
    }
    if (!directory.escrow) return;
    console.print(fill(text(language, Text::escrow_listed),
                       {printable(directory.escrow->name), printable(directory.escrow->hint)}));
    console.event("escrow", {{"name", directory.escrow->name}, {"hint", directory.escrow->hint}});
}

Result<void> departments(const Options& options, Console& console) {
    if (auto none = no_argument(options, console); !none) return none;
    const auto server = server_for(options, console);
    if (!server) return tl::unexpected(server.error());
    auto control = control_at(*server, options, console);
    const auto directory = trusted_directory(control, console);
    if (!directory) return tl::unexpected(directory.error());
    for (const auto& department : directory->departments) {
        const auto group = printable(department.group);
        const auto shown = printable(department.name);
        console.print(
            fill(text(console.language(), Text::department_line), {department.id, shown, group}));
        console.event("department", {{"id", department.id},
                                     {"name", department.name},
                                     {"group", department.group},
                                     {"hint", department.hint}});
    }
    show_clerks(*directory, console);
    return {};
}

} // namespace

HttpSettings http_settings(const Options& options) { return {options.ca, options.timeout_s}; }

ControlClient control_at(const std::string& server, const Options& options, Console& console) {
    if (!options.ca.empty()) {
        // curl does not say why it refuses one.
        const auto ca = read_file(options.ca);
        const bool is_one = ca && ca->find("-----BEGIN") != std::string::npos;
        if (!is_one) console.warn(Text::file_named, {shown({"--ca", options.ca})});
    }
    ControlClient control{server, http_settings(options)};
    control.on_wrong_clock(
        [&console](const ServiceClock& clock) { console.wrong_clock(unix_now(), clock.now()); });
    if (options.retries > 0) {
        control.be_patient([&console](unsigned seconds) {
            console.say(Text::network_retry, {std::to_string(seconds)});
        });
    }
    return control;
}

std::int64_t unix_now() noexcept { return std::time(nullptr); }

Exit conclude(Console& console, const Result<void>& result, bool state_kept) {
    if (result) return Exit::ok;
    const auto code = interrupted() ? Errc::canceled : result.error().code;
    const auto exit = exit_for(code, state_kept);
    const auto detail = interrupted() ? std::string{} : result.error().detail;
    console.failure({code, detail}, exit);
    return exit;
}

Result<Authority> open_authority(ControlClient& control, Console& console) {
    auto directory = trusted_directory(control, console);
    if (!directory) return tl::unexpected(directory.error());
    auto service = control.service(directory->record_key);
    if (!service) return tl::unexpected(service.error());
    return Authority{std::move(*directory), std::move(*service)};
}

Exit run_trust(const Options& options, Console& console) {
    return conclude(console, trust(options, console));
}

Exit run_departments(const Options& options, Console& console) {
    return conclude(console, departments(options, console));
}

} // namespace plankurier::cli
