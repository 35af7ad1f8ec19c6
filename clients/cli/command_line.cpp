// What commands ask of a command line before they begin.
#include <clients/cli/commands.hpp>

#include <clients/cli/directory_memory.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/option_rules.hpp>
#include <clients/cli/outputs.hpp>

#include <plankurier/receiving.hpp>

namespace plankurier::cli {

Result<std::string> only_argument(const Options& options, Console& console, Mistake missing) {
    const auto& arguments = options.arguments;
    const auto command = name_of(options.command);
    if (arguments.empty()) return console.refuse(missing, {command});
    if (arguments.size() > 1) {
        return console.refuse(Mistake::argument_extra, {arguments[1], command});
    }
    return arguments.front();
}

Result<void> no_argument(const Options& options, Console& console) {
    if (options.arguments.empty()) return {};
    return console.refuse(Mistake::argument_extra,
                          {options.arguments.front(), name_of(options.command)});
}

Result<void> need(const Options& options, Console& console, const char* option,
                  const std::string& value) {
    if (!value.empty()) return {};
    return console.refuse(Mistake::option_needed, {option, name_of(options.command)});
}

Result<std::string> server_for(const Options& options, Console& console) {
    if (!options.server.empty()) {
        if (!url_allowed(options.server)) {
            return console.refuse(Mistake::server_form, {options.server});
        }
        return options.server;
    }
    const auto pinned = TrustStore{config_folder()}.all();
    if (!pinned) return tl::unexpected(pinned.error());
    if (pinned->empty()) {
        return console.refuse(Mistake::nothing_trusted, {}, Errc::untrusted_root);
    }
    if (pinned->size() == 1) return pinned->front().server;
    std::string list;
    for (const auto& one : *pinned) {
        list += "\n    --server " + one.server + "   " + printable(one.authority);
    }
    return console.refuse(Mistake::several_trusted, {list});
}

Result<Directory> known_directory(const std::string& server, const Options& options,
                                  Console& console) {
    const auto& file = options.directory;
    auto directory = recall_directory(config_folder(), server, file);
    if (directory || file.empty()) return directory;
    const auto code = directory.error().code;
    if (code == Errc::malformed || code == Errc::too_large) {
        return console.refuse(Mistake::directory_form, {printable(file)}, Errc::malformed);
    }
    return code == Errc::file_unreadable
               ? naming(console, {"--directory", file}, std::move(directory))
               : directory;
}

Result<TransferId> transfer_id(const char* option, const std::string& typed, Console& console) {
    const auto id = TransferId::from_hex(typed);
    if (!id) return console.refuse(Mistake::id_form, {option, printable(typed)});
    return id;
}

} // namespace plankurier::cli
