#include <clients/cli/commands.hpp>

#include <clients/cli/files.hpp>

#include <plankurier/directory.hpp>

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
    record.id = options.department;
    record.name = options.name.empty() ? options.department : options.name;
    record.keys.push_back({key_id(*key), *key, from, until});
    record.signing_keys.push_back({signing_key_id(signing), signing, from, until});
    return record;
}

/// What the old record still is good for comes along: older keys open what was sealed before, and
/// their signing keys verify what was signed. The new one wins, since it begins last.
Result<void> add_epochs(const std::string& old_record, Department& record) {
    const auto old = read_file(old_record, 1u << 20).and_then([](const std::string& text) {
        return parse_department(text);
    });
    if (!old) return tl::unexpected(old.error());
    if (old->id != record.id) return fail(Errc::invalid_argument, "--epoch");
    const auto now = unix_now();
    for (const auto& key : old->keys) {
        if (key.until > now) record.keys.push_back(key);
    }
    for (const auto& key : old->signing_keys) {
        if (key.until > now) record.signing_keys.push_back(key);
    }
    if (record.name == record.id) record.name = old->name;
    record.group = old->group;
    record.hint = old->hint;
    return {};
}

Result<void> keygen(const Options& options, Console& console) {
    const bool known_type = options.type == "p256" || options.type == "x25519";
    if (!id_allowed(options.department) || options.output.empty() || options.record.empty() ||
        !known_type || !options.arguments.empty()) {
        return fail(Errc::invalid_argument, "keygen");
    }
    const auto type = options.type == "p256" ? StanzaType::hpke_p256 : StanzaType::hpke_x25519;
    auto passphrase = options.passphrase_file.empty()
                          ? console.ask_new_secret(Text::ask_passphrase, Text::ask_passphrase_again)
                          : read_secret_line(options.passphrase_file);
    if (!passphrase) return tl::unexpected(passphrase.error());
    if (passphrase->empty()) return fail(Errc::invalid_argument, "empty passphrase");
    const auto seed = KeySeed::random();
    auto record = make_record(options, seed, type);
    if (!record) return tl::unexpected(record.error());
    if (!options.epoch.empty()) {
        if (auto added = add_epochs(options.epoch, *record); !added) return added;
    }
    const auto key_file = seal_key_file(seed, type, *passphrase);
    if (!key_file) return tl::unexpected(key_file.error());
    if (auto written = write_new_file(options.output, *key_file); !written) return written;
    const auto json = encode_department(*record) + "\n";
    if (auto written = write_new_file(options.record, as_bytes(json)); !written) return written;
    console.say(Text::keygen_done, {options.output, options.record});
    console.event("key", {{"department", record->id}, {"kid", to_hex(record->keys.front().kid)}});
    return {};
}

} // namespace

Exit run_keygen(const Options& options, Console& console) {
    return conclude(console, keygen(options, console));
}

} // namespace plankurier::cli
