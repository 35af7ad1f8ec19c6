#include <clients/cli/commands.hpp>

#include <clients/cli/outputs.hpp>

#include <plankurier/directory.hpp>
#include <plankurier/receiving.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

/// Keys are replaced yearly at the latest; a month more lets two overlap.
constexpr std::int64_t key_seconds = std::int64_t{396} * 86'400;

KeyId signing_key_id(const SigningPublicKey& key) {
    const auto hash = sha256(key);
    KeyId id{};
    std::copy_n(hash.begin(), id.size(), id.begin());
    return id;
}

bool id_allowed(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               letter == '-' || letter == '_';
    });
}

Result<Department> make_record(const Options& options, const KeySeed& seed, StanzaType type) {
    auto key = recipient_public_key(seed, type);
    if (!key) return tl::unexpected(key.error());
    const auto from = unix_now() - 300; // clocks differ
    const auto until = from + key_seconds;
    const auto signing = signing_public_key(signing_seed(seed));
    Department record;
    const bool is_clerk = !options.clerk.empty();
    record.id = is_clerk ? random_clerk_id() : options.department;
    record.address = options.clerk;
    record.name = !options.name.empty() ? options.name : is_clerk ? options.clerk : record.id;
    record.keys.push_back({key_id(*key), *key, from, until});
    record.signing_keys.push_back({signing_key_id(signing), signing, from, until});
    return record;
}

/// What the old record still is good for comes along: older keys open what was sealed before, and
/// their signing keys verify what was signed. The new one wins, since it begins last.
Result<void> add_epochs(const std::string& old_record, Department& record, Console& console) {
    const auto old = naming(console, {"--epoch", old_record},
                            read_file(old_record, 1u << 20).and_then([](const std::string& text) {
                                return parse_department(text);
                            }));
    if (!old) return tl::unexpected(old.error());
    // A clerk keeps the id, by which what waits is found.
    if (!record.address.empty() && !old->address.empty()) record.id = old->id;
    if (old->id != record.id || old->address != record.address) {
        const auto& wanted = record.address.empty() ? record.id : record.address;
        return console.refuse(Mistake::epoch_fits_not, {printable(wanted)});
    }
    const auto now = unix_now();
    for (const auto& key : old->keys) {
        if (key.until > now) record.keys.push_back(key);
    }
    for (const auto& key : old->signing_keys) {
        if (key.until > now) record.signing_keys.push_back(key);
    }
    const bool no_name = record.name == record.id || record.name == record.address;
    if (no_name) record.name = old->name;
    record.group = old->group;
    record.hint = old->hint;
    return {};
}

/// Exactly one of the three is asked for.
Result<void> check_asked(const Options& options, Console& console) {
    const bool of_department = !options.department.empty(), of_clerk = !options.clerk.empty();
    if (int{of_department} + int{of_clerk} + int{options.escrow} != 1) {
        return console.refuse(Mistake::keygen_for);
    }
    if (of_department && !id_allowed(options.department)) {
        return console.refuse(Mistake::department_id_form, {printable(options.department)});
    }
    if (!of_department && options.name.empty() && options.epoch.empty()) {
        return console.refuse(Mistake::keygen_name);
    }
    if (options.escrow && !options.epoch.empty()) {
        return console.refuse(Mistake::options_clash, {"--escrow", "--epoch"});
    }
    return no_argument(options, console)
        .and_then([&] { return need(options, console, "--output", options.output); })
        .and_then([&] { return need(options, console, "--record", options.record); });
}

Result<void> write_both(const Options& options, const KeySeed& seed, StanzaType type,
                        const SecretText& passphrase, const std::string& record, Console& console) {
    const auto key_file = seal_key_file(seed, type, passphrase);
    if (!key_file) return tl::unexpected(key_file.error());
    return write_pair({"--output", options.output}, *key_file, {"--record", options.record},
                      as_bytes(record), console);
}

Result<void> make_escrow(const Options& options, const KeySeed& seed, StanzaType type,
                         const SecretText& passphrase, Console& console) {
    auto record = make_record(options, seed, type);
    if (!record) return tl::unexpected(record.error());
    const Escrow escrow{options.name, {}, std::move(record->keys)};
    auto written = write_both(options, seed, type, passphrase, encode_escrow(escrow), console);
    if (!written) return written;
    console.say(Text::escrow_made, {options.output, options.record});
    console.event("key", {{"escrow", escrow.name}, {"kid", to_hex(escrow.keys.front().kid)}});
    return {};
}

Result<void> make_listed(const Options& options, const KeySeed& seed, StanzaType type,
                         const SecretText& passphrase, Console& console) {
    auto record = make_record(options, seed, type);
    if (!record) return tl::unexpected(record.error());
    if (!options.epoch.empty()) {
        if (auto added = add_epochs(options.epoch, *record, console); !added) return added;
    }
    const auto text = encode_department(*record);
    if (!parse_department(text)) {
        return console.refuse(Mistake::address_form, {"--clerk", printable(options.clerk)});
    }
    auto written = write_both(options, seed, type, passphrase, text, console);
    if (!written) return written;
    console.say(Text::keygen_done, {options.output, options.record});
    if (!record->address.empty()) console.say(Text::clerk_made, {record->id});
    console.event("key", {{"department", record->id}, {"kid", to_hex(record->keys.front().kid)}});
    return {};
}

Result<void> keygen(const Options& options, Console& console) {
    if (auto asked = check_asked(options, console); !asked) return asked;
    // Before a passphrase is thought of.
    if (auto free =
            check_outputs({{"--output", options.output}, {"--record", options.record}}, console);
        !free)
        return free;
    const auto type = options.type == "p256" ? StanzaType::hpke_p256 : StanzaType::hpke_x25519;
    auto passphrase =
        options.passphrase_file.empty()
            ? console.ask_new_secret(Text::ask_new_passphrase, Text::ask_passphrase_again)
            : naming(console, {"--passphrase-file", options.passphrase_file},
                     read_secret_line(options.passphrase_file));
    if (!passphrase) return tl::unexpected(passphrase.error());
    if (passphrase->empty()) return console.refuse(Mistake::secret_empty, {"--passphrase-file"});
    const auto seed = KeySeed::random();
    const auto make = options.escrow ? make_escrow : make_listed;
    return make(options, seed, type, *passphrase, console);
}

} // namespace

Exit run_keygen(const Options& options, Console& console) {
    return conclude(console, keygen(options, console));
}

} // namespace plankurier::cli
