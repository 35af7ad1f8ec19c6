#include <clients/cli/options.hpp>

#include <clients/cli/files.hpp>

#include <boost/program_options.hpp>

#include <charconv>
#include <fstream>

namespace plankurier::cli {

namespace po = boost::program_options;

namespace {

constexpr std::pair<std::string_view, Command> commands[] = {
    {"help", Command::help},
    {"trust", Command::trust},
    {"departments", Command::departments},
    {"send", Command::send},
    {"fetch", Command::fetch},
    {"inbox", Command::inbox},
    {"reply", Command::reply},
    {"status", Command::status},
    {"revoke", Command::revoke},
    {"expire", Command::expire},
    {"resend", Command::resend},
    {"report", Command::report},
    {"verify", Command::verify},
    {"keygen", Command::keygen},
    {"members", Command::members},
    {"passphrase", Command::passphrase},
    {"completion", Command::completion},
    {"version", Command::version},
};

// One entry a line:
// clang-format off
po::options_description global_options(Options& out, std::string& config, std::string& language) {
    po::options_description all;
    all.add_options()
        ("help,h", "")
        ("version", "")
        ("quiet,q", po::bool_switch(&out.quiet))
        ("verbose,v", po::bool_switch(&out.verbose))
        ("json", po::bool_switch(&out.json))
        ("no-progress", po::bool_switch(&out.no_progress))
        ("yes,y", po::bool_switch(&out.yes))
        ("config", po::value(&config))
        ("server", po::value<std::string>())
        ("ca", po::value<std::string>())
        ("retries", po::value<unsigned>())
        ("timeout", po::value<unsigned>())
        ("lang", po::value(&language));
    return all;
}

void add_send_options(po::options_description& all, Options& out) {
    all.add_options()
        ("to", po::value(&out.to))
        ("as-department", po::value(&out.as_department))
        ("to-citizen", po::value(&out.to_citizen))
        ("to-transfer", po::value(&out.to_transfer))
        ("name", po::value(&out.name))
        ("email", po::value(&out.email))
        ("phone", po::value(&out.phone))
        ("reference", po::value(&out.reference))
        ("clerk", po::value(&out.clerk))
        ("institution", po::value(&out.institution))
        ("subject", po::value(&out.subject))
        ("message", po::value(&out.message))
        ("message-file", po::value(&out.message_file))
        ("expires", po::value<std::string>())
        ("notify", po::value(&out.notify))
        ("password", po::bool_switch(&out.password))
        ("password-file", po::value(&out.password_file))
        ("word-list", po::value(&out.word_list))
        ("code-from", po::value(&out.code_from))
        ("receipt", po::value(&out.receipt))
        ("share-phone", po::bool_switch(&out.share_phone))
        ("by-link", po::bool_switch(&out.by_link))
        ("notify-unfetched", po::bool_switch(&out.notify_unfetched))
        ("remind-recipient", po::bool_switch(&out.remind_recipient))
        ("remember-days", po::value<unsigned>())
        ("lanes", po::value(&out.lanes))
        ("resume", po::value(&out.resume_id)->implicit_value(""));
}

void add_other_options(po::options_description& all, Options& out) {
    all.add_options()
        ("root", po::value(&out.root))
        ("fingerprint", po::value(&out.fingerprint))
        ("output,o", po::value(&out.output))
        ("key", po::value(&out.key))
        ("link-file", po::value(&out.link_file))
        ("via", po::value(&out.via))
        ("return-link-file", po::value(&out.return_link_file))
        ("transfer", po::value(&out.transfer))
        ("from-inbox", po::value(&out.from_inbox))
        ("save", po::value(&out.save))
        ("html", po::value(&out.html))
        ("days", po::value<std::string>())
        ("directory", po::value(&out.directory))
        ("passphrase-file", po::value(&out.passphrase_file))
        ("department", po::value(&out.department))
        ("type", po::value(&out.type))
        ("escrow", po::bool_switch(&out.escrow))
        ("epoch", po::value(&out.epoch))
        ("member", po::value(&out.member))
        ("wrap", po::value(&out.wrap))
        ("new-passphrase-file", po::value(&out.new_passphrase_file))
        ("record", po::value(&out.record));
}
// clang-format on

/// What a command takes besides the global options.
std::vector<std::string> allowed_for(Command command) {
    switch (command) {
    case Command::trust: return {"root", "fingerprint"};
    case Command::send:
        return {"to",
                "name",
                "email",
                "phone",
                "reference",
                "clerk",
                "institution",
                "subject",
                "message",
                "message-file",
                "expires",
                "notify",
                "password",
                "password-file",
                "word-list",
                "code-from",
                "receipt",
                "share-phone",
                "by-link",
                "link-file",
                "lanes",
                "resume",
                "as-department",
                "to-citizen",
                "key",
                "passphrase-file",
                "wrap",
                "notify-unfetched",
                "remind-recipient",
                "remember-days"};
    case Command::fetch:
        return {"output",        "key",        "link-file",  "passphrase-file",
                "password-file", "lanes",      "via",        "return-link-file",
                "transfer",      "from-inbox", "department", "save",
                "wrap"};
    case Command::reply:
        return {"to-transfer",     "link-file",  "key",
                "passphrase-file", "department", "name",
                "email",           "phone",      "reference",
                "subject",         "message",    "message-file",
                "expires",         "notify",     "receipt",
                "lanes",           "wrap",       "notify-unfetched",
                "remind-recipient"};
    case Command::status: return {"save", "html"};
    case Command::report:
        return {"key",           "wrap",
                "link-file",     "passphrase-file",
                "password-file", "return-link-file",
                "from-inbox",    "department"};
    case Command::expire: return {"days"};
    case Command::verify:
        return {"directory", "return-link-file", "link-file",    "key",
                "wrap",      "passphrase-file",  "password-file"};
    case Command::inbox: return {"department", "key", "wrap", "passphrase-file"};
    case Command::keygen:
        return {"department", "clerk", "escrow",          "type", "output",
                "record",     "name",  "passphrase-file", "epoch"};
    case Command::members:
        return {"key",      "member",     "output",          "record",
                "type",     "department", "passphrase-file", "new-passphrase-file",
                "directory"};
    case Command::passphrase: return {"passphrase-file", "new-passphrase-file"};
    default: return {};
    }
}

bool is_global(const std::string& option) {
    for (const auto* global : {"help", "version", "quiet", "verbose", "json", "no-progress", "yes",
                               "config", "server", "ca", "retries", "timeout", "lang"}) {
        if (option == global) return true;
    }
    return false;
}

Result<void> check_fitting(const po::parsed_options& parsed, Command command) {
    const auto allowed = allowed_for(command);
    for (const auto& option : parsed.options) {
        if (option.position_key >= 0 || is_global(option.string_key)) continue;
        const bool fits =
            std::find(allowed.begin(), allowed.end(), option.string_key) != allowed.end();
        if (!fits) return fail(Errc::invalid_argument, "--" + option.string_key);
    }
    return {};
}

/// `key = value` lines; the same names as the global options.
Result<void> read_config(const std::filesystem::path& path, bool must_exist,
                         po::variables_map& map) {
    std::ifstream file{path};
    if (!file) {
        if (must_exist) return fail(Errc::file_unreadable, "--config");
        return {};
    }
    po::options_description known;
    known.add_options()("server", po::value<std::string>())("ca", po::value<std::string>())(
        "retries", po::value<unsigned>())("timeout", po::value<unsigned>());
    po::store(po::parse_config_file(file, known, true), map);
    return {};
}

std::string unquoted(std::string value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
    }
    while (value.ends_with('/')) value.pop_back();
    return value;
}

Result<void> apply_values(const po::variables_map& map, const std::string& server_env,
                          const po::variables_map& config, Options& out) {
    const auto text = [&](const char* key) -> std::string {
        if (map.count(key) != 0) return unquoted(map[key].as<std::string>());
        return config.count(key) != 0 ? unquoted(config[key].as<std::string>()) : std::string{};
    };
    const auto number = [&](const char* key, unsigned otherwise) {
        if (map.count(key) != 0) return map[key].as<unsigned>();
        return config.count(key) != 0 ? config[key].as<unsigned>() : otherwise;
    };
    out.server = text("server");
    if (map.count("server") == 0 && !server_env.empty()) out.server = unquoted(server_env);
    out.ca = text("ca");
    out.retries = number("retries", out.retries);
    out.timeout_s = number("timeout", out.timeout_s);
    out.resume = map.count("resume") != 0;
    if (map.count("remember-days") != 0) out.remember_days = map["remember-days"].as<unsigned>();
    for (const auto& [key, wanted] :
         {std::pair{"expires", &out.expires_days}, std::pair{"days", &out.days}}) {
        if (map.count(key) == 0) continue;
        auto days = parse_days(map[key].as<std::string>());
        if (!days) return fail(Errc::invalid_argument, std::string{"--"} + key);
        *wanted = *days;
    }
    if (out.timeout_s == 0) return fail(Errc::invalid_argument, "--timeout");
    if (out.lanes == 0 || out.lanes > 16) return fail(Errc::invalid_argument, "--lanes");
    if (out.notify != "on-fetch" && out.notify != "none") {
        return fail(Errc::invalid_argument, "--notify");
    }
    if (out.via != "auto" && out.via != "https" && out.via != "swarm") {
        return fail(Errc::invalid_argument, "--via");
    }
    return {};
}

Result<Command> command_of(const po::variables_map& map, std::vector<std::string>& words) {
    if (map.count("help") != 0) return Command::help;
    if (map.count("version") != 0) return Command::version;
    if (words.empty()) return fail(Errc::invalid_argument, "command");
    for (const auto& [command_name, command] : commands) {
        if (words.front() != command_name) continue;
        words.erase(words.begin());
        return command;
    }
    return fail(Errc::invalid_argument, "command");
}

} // namespace

Result<std::uint32_t> parse_days(std::string_view text) {
    std::uint32_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    const std::string_view unit{stop, static_cast<std::size_t>(end - stop)};
    if (error != std::errc{} || value == 0 || value > 3'650) {
        return fail(Errc::invalid_argument, "days");
    }
    if (unit.empty() || unit == "d") return value;
    if (unit == "w" && value <= 520) return value * 7;
    return fail(Errc::invalid_argument, "days");
}

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const std::string& server_env, const std::string& config_env,
                              const std::string& lang_env) {
    Options out;
    std::string config, language;
    std::vector<std::string> words;
    auto all = global_options(out, config, language);
    add_send_options(all, out);
    add_other_options(all, out);
    all.add_options()("words", po::value(&words));
    po::positional_options_description positions;
    positions.add("words", -1);
    try {
        // No abbreviations: an option added later must not change what a script means.
        const auto style =
            po::command_line_style::unix_style ^ po::command_line_style::allow_guessing;
        const auto parsed = po::command_line_parser(arguments)
                                .options(all)
                                .positional(positions)
                                .style(style)
                                .run();
        po::variables_map map, config_map;
        po::store(parsed, map);
        po::notify(map);
        out.language = choose_language(language, lang_env);
        if (!language.empty() && language != "de" && language != "en") {
            return fail(Errc::invalid_argument, "--lang");
        }
        auto command = command_of(map, words);
        if (!command) return tl::unexpected(command.error());
        out.command = *command;
        if (auto fits = check_fitting(parsed, *command); !fits) return tl::unexpected(fits.error());
        if (config.empty()) config = config_env;
        const auto path =
            config.empty() ? config_folder() / "config" : std::filesystem::path{config};
        auto read = read_config(path, !config.empty(), config_map);
        if (!read) return tl::unexpected(read.error());
        auto applied = apply_values(map, server_env, config_map, out);
        if (!applied) return tl::unexpected(applied.error());
    } catch (const po::error_with_option_name& error) {
        return fail(Errc::invalid_argument, error.get_option_name());
    } catch (const po::error&) {
        return fail(Errc::invalid_argument, "options");
    }
    out.arguments = std::move(words);
    return out;
}

} // namespace plankurier::cli
