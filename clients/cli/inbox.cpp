#include <clients/cli/inbox.hpp>

#include <clients/cli/addressees.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/key_agent.hpp>
#include <clients/cli/receipt.hpp>

#include <plankurier/challenge.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

constexpr unsigned passphrase_tries = 3;

/// From challenge to session; begun anew as a whole, since a challenge is answered once.
template <typename Ask, typename Answer>
Result<std::string> prove(const KeySeed& seed, StanzaType type, const RetryRule& retry, Ask ask,
                          Answer answer) {
    return with_retries(
        retry,
        [&]() -> Result<std::string> {
            const Result<Bytes> challenge = ask();
            if (!challenge) return tl::unexpected(challenge.error());
            const auto proof = answer_challenge(seed, type, *challenge);
            if (!proof) return tl::unexpected(proof.error());
            return answer(*proof);
        },
        [](unsigned) {});
}

bool has_key(const Department& department, const KeyId& kid) noexcept {
    return std::any_of(department.keys.begin(), department.keys.end(),
                       [&](const DepartmentKey& one) { return one.kid == kid; });
}

} // namespace

namespace {

/// Touches the console only where a person is asked.
KeyAttempt try_key_file(const NamedPath& named, const Options& options, Console& console) {
    const auto file = read_small_file(named.path, "key file");
    if (!file) return {tl::unexpected(file.error()), shown(named)};
    const bool asks = options.passphrase_file.empty();
    const NamedPath from{"--passphrase-file", options.passphrase_file};
    for (unsigned tries = 1;; ++tries) {
        auto passphrase = asks ? console.ask_secret(Text::ask_passphrase)
                               : read_secret_line(options.passphrase_file);
        if (!passphrase) return {tl::unexpected(passphrase.error()), asks ? "" : shown(from)};
        auto key = open_key_file(as_bytes(*file), *passphrase);
        const bool is_wrong = !key && key.error().code == Errc::wrong_password;
        if (!asks || tries >= passphrase_tries || !is_wrong) {
            const bool both = is_wrong && !asks;
            return {std::move(key), both ? shown(named) + ", " + shown(from) : shown(named)};
        }
        console.warn(Mistake::passphrase_wrong);
    }
}

Result<OpenedKeyFile> told(KeyAttempt attempt, Console& console) {
    const bool is_news = !attempt.key && !Console::is_told(attempt.key.error());
    if (is_news && !attempt.about.empty()) console.warn(Text::file_named, {attempt.about});
    return std::move(attempt.key);
}

} // namespace

Result<OpenedKeyFile> read_key_file(const NamedPath& file, const Options& options,
                                    Console& console) {
    return told(try_key_file(file, options, console), console);
}

Result<MemberWrap> read_member_wrap(const std::string& path) {
    const auto bytes = read_small_file(path, "member wrap");
    if (!bytes) return tl::unexpected(bytes.error());
    return decode_member_wrap(as_bytes(*bytes));
}

namespace {
/// Unlocked for the day, or by its passphrase.
KeyAttempt daily_key(const Options& options, Console& console) {
    const NamedPath named{"--key", options.key};
    if (options.passphrase_file.empty()) {
        const auto file = read_small_file(options.key, "key file");
        if (!file) return {tl::unexpected(file.error()), shown(named)};
        if (auto key = unlocked_key(as_bytes(*file))) return {std::move(*key)};
    }
    return try_key_file(named, options, console);
}
} // namespace

std::future<KeyAttempt> begin_key_file(const Options& options, Console& console) {
    const auto& from = options.passphrase_file;
    const bool asks = from.empty() || from == "-";
    return std::async(asks ? std::launch::deferred : std::launch::async,
                      [&] { return daily_key(options, console); });
}

Result<OpenedKeyFile> read_department_key(const Options& options, Console& console,
                                          const Directory& directory) {
    return read_department_key(begin_key_file(options, console), options, console, directory);
}

Result<OpenedKeyFile> read_department_key(std::future<KeyAttempt> begun, const Options& options,
                                          Console& console, const Directory& directory) {
    auto key = told(begun.get(), console);
    if (!key || options.wrap.empty()) return key;
    const NamedPath named{"--wrap", options.wrap};
    const auto wrap = naming(console, named, read_member_wrap(options.wrap));
    if (!wrap) return tl::unexpected(wrap.error());
    auto shared = naming(console, named, unwrap_as_member(*wrap, key->seed));
    if (!shared) return shared;
    // Anybody can make a wrap of any seed.
    const auto department = department_of(directory, "", *shared);
    if (!department) return tl::unexpected(department.error());
    return shared;
}

namespace {
Result<ReturnLink> return_link_in(const std::string& path) {
    auto text = read_secret_text(path);
    if (!text) return tl::unexpected(text.error());
    if (text->reveal().starts_with('{') && path != "-") {
        auto receipt = decode_receipt(text->reveal());
        if (!receipt) return tl::unexpected(receipt.error());
        if (receipt->return_link.empty()) return fail(Errc::not_found, "return link");
        *text = std::move(receipt->return_link);
    }
    auto link = parse_return_link(tidy_link(*text));
    if (!link) link = parse_return_link(tidy_link(first_line(*text))); // a note stands below it
    if (!link) return fail(Errc::invalid_argument, "return link");
    return link;
}
} // namespace

Result<ReturnLink> read_return_link(const Options& options, Console& console) {
    const auto& path = options.return_link_file;
    return naming(console, {"--return-link-file", path}, return_link_in(path));
}

const Department* department_with(const Directory& directory, const KeyId& kid) noexcept {
    for (const auto* list : {&directory.departments, &directory.clerks}) {
        for (const auto& department : *list) {
            if (has_key(department, kid)) return &department;
        }
    }
    return nullptr;
}

Result<const Department*> department_of(const Directory& directory, const std::string& named,
                                        const OpenedKeyFile& key) {
    const auto public_key = recipient_public_key(key.seed, key.type);
    if (!public_key) return tl::unexpected(public_key.error());
    const auto kid = key_id(*public_key);
    if (!named.empty()) {
        const auto* department = find_listed(directory, named);
        if (department == nullptr) return fail(Errc::unknown_department, "--department");
        if (!has_key(*department, kid)) return fail(Errc::wrong_key, "not the department's");
        return department;
    }
    const auto* department = department_with(directory, kid);
    if (department == nullptr) return fail(Errc::wrong_key, "no department's");
    return department;
}

Result<std::string> open_department_session(ControlClient& control, const std::string& department,
                                            const OpenedKeyFile& key, const RetryRule& retry) {
    const auto public_key = recipient_public_key(key.seed, key.type);
    if (!public_key) return tl::unexpected(public_key.error());
    return prove(
        key.seed, key.type, retry,
        [&] { return control.department_challenge(department, key_id(*public_key)); },
        [&](const Hash256& answer) { return control.department_session(department, answer); });
}

Result<std::string> open_inbox_session(ControlClient& control, const ReturnLink& link,
                                       const RetryRule& retry) {
    const auto public_key = recipient_public_key(link.seed, link.type);
    if (!public_key) return tl::unexpected(public_key.error());
    return prove(
        link.seed, link.type, retry, [&] { return control.inbox_challenge(*public_key); },
        [&](const Hash256& answer) { return control.inbox_session(link.inbox, answer); });
}

void show_inbox(const std::vector<InboxEntry>& entries, Console& console) {
    const auto language = console.language();
    if (entries.empty()) console.say(Text::inbox_empty);
    for (const auto& one : entries) {
        console.print(fill(text(language, Text::inbox_line),
                           {one.transfer.hex(), time_text(language, one.created),
                            size_text(language, one.body_len), time_text(language, one.expires),
                            text(language, one.fetched ? Text::inbox_fetched : Text::inbox_new)}));
        console.event("waiting", {{"transfer", one.transfer.hex()},
                                  {"created", one.created},
                                  {"expires", one.expires},
                                  {"size", static_cast<std::int64_t>(one.body_len)},
                                  {"fetched", one.fetched}});
    }
}

} // namespace plankurier::cli
