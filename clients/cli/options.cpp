#include <clients/cli/options.hpp>

#include <clients/cli/files.hpp>
#include <clients/cli/option_rules.hpp>
#include <clients/cli/option_values.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

// One entry a line:
// clang-format off
po::options_description known_globals(Options& out, std::string& config, std::string& language) {
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
        ("retries", po::value<std::string>())
        ("timeout", po::value<std::string>())
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
        ("remember-days", po::value<std::string>())
        ("lanes", po::value<std::string>())
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
        ("for", po::value<std::string>())
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

/// For a sentence that ends with the option's name and the command's help.
tl::unexpected<CommandLineError> wrong_option(const std::string& option, Mistake mistake,
                                              Command command) {
    return wrong(option, mistake, {option, std::string{name_of(command)}});
}

Read check_fitting(const po::parsed_options& parsed, Command command) {
    const auto allowed = options_of(command);
    const auto everywhere = global_options();
    for (const auto& option : parsed.options) {
        const std::string& key = option.string_key;
        const auto among = [&](auto names) { return std::ranges::find(names, key) != names.end(); };
        if (option.position_key >= 0 || among(allowed) || among(everywhere)) continue;
        return wrong("--" + key, Mistake::option_of_others,
                     {"--" + key, std::string{name_of(command)}, commands_with(key),
                      std::string{name_of(command)}});
    }
    return {};
}

tl::expected<Command, CommandLineError> command_of(const po::variables_map& map,
                                                   std::vector<std::string>& words) {
    if (map.count("version") != 0) return Command::version;
    // `plankurier send --help` asks for help about sending.
    if (map.count("help") != 0) return Command::help;
    if (words.empty()) return wrong("command", Mistake::no_command, {});
    if (const auto command = command_named(words.front())) {
        words.erase(words.begin());
        return *command;
    }
    const auto near = nearest_command(words.front());
    if (near.empty()) return wrong("command", Mistake::unknown_command, {words.front()});
    return wrong("command", Mistake::unknown_command_near, {words.front(), std::string{near}});
}

/// The command of a line that cannot be read.
Command probable_command(const std::vector<std::string>& arguments) {
    for (const auto& argument : arguments) {
        if (const auto command = command_named(argument)) return *command;
    }
    return Command::help;
}

CommandLineError syntax_error(const po::error_with_option_name& error, Command command) {
    const auto option = error.get_option_name();
    if (dynamic_cast<const po::unknown_option*>(&error) != nullptr) {
        const auto near = nearest_option(option, command);
        if (near.empty()) return wrong_option(option, Mistake::unknown_option, command).value();
        return wrong(option, Mistake::unknown_option_near,
                     {option, near, std::string{name_of(command)}})
            .value();
    }
    if (dynamic_cast<const po::multiple_occurrences*>(&error) != nullptr) {
        return wrong(option, Mistake::given_twice, {option}).value();
    }
    const auto* syntax = dynamic_cast<const po::invalid_syntax*>(&error);
    const bool is_missing = syntax == nullptr ||
                            syntax->kind() == po::invalid_syntax::missing_parameter ||
                            syntax->kind() == po::invalid_syntax::empty_adjacent_parameter;
    return wrong_option(option, is_missing ? Mistake::value_missing : Mistake::value_unwanted,
                        command)
        .value();
}

} // namespace

Language language_for(const std::vector<std::string>& arguments, const LocaleVariables& locale) {
    constexpr std::string_view option = "--lang";
    for (std::size_t at = 0; at < arguments.size(); ++at) {
        const std::string_view argument = arguments[at];
        if (argument == option && at + 1 < arguments.size()) {
            return choose_language(arguments[at + 1], locale);
        }
        if (argument.starts_with("--lang=")) {
            return choose_language(argument.substr(option.size() + 1), locale);
        }
    }
    return choose_language("", locale);
}

tl::expected<Options, CommandLineError> parse_options(const std::vector<std::string>& arguments,
                                                      const std::string& server_env,
                                                      const std::string& config_env,
                                                      const LocaleVariables& locale) {
    Options out;
    std::string config, language;
    std::vector<std::string> words;
    auto all = known_globals(out, config, language);
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
        po::variables_map map;
        po::store(parsed, map);
        po::notify(map);
        out.language = choose_language(language, locale);
        if (!language.empty()) {
            if (auto chosen = check_choice("--lang", language, "de, en"); !chosen) {
                return tl::unexpected(chosen.error());
            }
        }
        auto command = command_of(map, words);
        if (!command) return tl::unexpected(command.error());
        out.command = *command;
        out.arguments = std::move(words);
        if (out.command == Command::help) return out;
        if (config.empty()) config = config_env;
        const bool named = !config.empty();
        if (!named && has_config_folder()) config = (config_folder() / "config").string();
        const auto read = check_fitting(parsed, *command)
                              .and_then([&] { return read_config(config, named, out); })
                              .and_then([&] { return apply_values(map, server_env, out); })
                              .and_then([&] { return settle_texts(out); })
                              .and_then([&] { return settle_addresses(out); });
        if (!read) return tl::unexpected(read.error());
    } catch (const po::error_with_option_name& error) {
        return tl::unexpected(syntax_error(error, probable_command(arguments)));
    }
    return out;
}

} // namespace plankurier::cli
