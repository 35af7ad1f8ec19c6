#include <clients/cli/commands.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/option_rules.hpp>
#include <clients/cli/signals.hpp>
#include <clients/cli/texts_help.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace {

using namespace plankurier;
using namespace plankurier::cli;

std::string environment(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr ? value : "";
}

/// A transfer holds up to a thousand files open.
void allow_many_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Of one command, or what commands there are.
Exit show_help(const Options& options, Console& console) {
    auto shown = Command::help;
    if (!options.arguments.empty()) {
        const auto& word = options.arguments.front();
        const auto command = command_named(word);
        if (!command) {
            const auto near = nearest_command(word);
            return conclude(console, near.empty() ? console.refuse(Mistake::unknown_command, {word})
                                                  : console.refuse(Mistake::unknown_command_near,
                                                                   {word, near}));
        }
        shown = *command;
    }
    std::fputs(std::string{help_text(options.language, shown)}.c_str(), stdout);
    return Exit::ok;
}

Exit show_completion(const Options& options, Console& console) {
    const auto script = completion_script(options.arguments.empty() ? "" : options.arguments[0]);
    if (!script) return conclude(console, console.refuse(Mistake::shell_needed));
    std::fputs(script->c_str(), stdout);
    return Exit::ok;
}

Exit dispatch(const Options& options, Console& console) {
    switch (options.command) {
    case Command::help: return show_help(options, console);
    case Command::version:
        console.print(fill(text(options.language, Text::version_line), {PLANKURIER_VERSION}));
        console.event("version", {{"version", std::string{PLANKURIER_VERSION}}});
        return Exit::ok;
    case Command::trust: return run_trust(options, console);
    case Command::departments: return run_departments(options, console);
    case Command::send: return run_send(options, console);
    case Command::fetch: return run_fetch(options, console);
    case Command::reply: return run_reply(options, console);
    case Command::inbox: return run_inbox(options, console);
    case Command::status: return run_status(options, console);
    case Command::revoke: return run_revoke(options, console);
    case Command::expire: return run_expire(options, console);
    case Command::resend: return run_resend(options, console);
    case Command::report: return run_report(options, console);
    case Command::verify: return run_verify(options, console);
    case Command::keygen: return run_keygen(options, console);
    case Command::members: return run_members(options, console);
    case Command::passphrase: return run_passphrase(options, console);
    case Command::unlock: return run_unlock(options, console);
    case Command::lock: return run_lock(options, console);
    case Command::completion: return show_completion(options, console);
    }
    return Exit::usage;
}

/// A sentence has five places at most.
std::string sentence_of(const CommandLineError& error, Language language) {
    auto values = error.values;
    values.resize(5);
    return fill(text(language, error.mistake),
                {values[0], values[1], values[2], values[3], values[4]});
}

/// A closed standard stream would give its number to the next file that is opened, and what is
/// printed would land there. What is printed to such a place fails instead.
void fill_standard_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
        static_cast<void>(::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
}

/// What a command printed must have arrived, whatever command it was.
int with_checked_output(int exit, Language language) {
    const bool arrived = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (arrived) return exit;
    std::fprintf(stderr, "%s\n", std::string{text(language, Text::output_failed)}.c_str());
    return exit == 0 ? static_cast<int>(Exit::general) : exit;
}

int run(const std::vector<std::string>& arguments) {
    const LocaleVariables locale{environment("LANGUAGE"), environment("LC_ALL"),
                                 environment("LC_MESSAGES"), environment("LANG")};
    const auto options = parse_options(arguments, environment("PLANKURIER_SERVER"),
                                       environment("PLANKURIER_CONFIG"), locale);
    if (!options) {
        const auto language = language_for(arguments, locale);
        std::fprintf(stderr, "%s\n", sentence_of(options.error(), language).c_str());
        return static_cast<int>(exit_for(options.error().code));
    }
    Console console{options->language, options->quiet, options->json, options->no_progress};
    try {
        const auto exit = static_cast<int>(dispatch(*options, console));
        return with_checked_output(exit, options->language);
    } catch (const NoHome&) {
        console.warn(Text::no_home);
        console.event("error", {{"code", std::string{name(Errc::file_unreadable)}},
                                {"exit", std::int64_t{static_cast<int>(Exit::general)}}});
        return static_cast<int>(Exit::general);
    } catch (const std::system_error& error) {
        const bool full = error.code() == std::errc::no_space_on_device;
        return static_cast<int>(
            conclude(console, fail(full ? Errc::no_space : Errc::file_unreadable, "system"), true));
    } catch (const std::exception&) {
        return static_cast<int>(conclude(console, fail(Errc::unavailable, "environment"), true));
    }
}

} // namespace

int main(int argc, char** argv) {
    fill_standard_streams();
    forbid_dumps();
    catch_signals();
    allow_many_files();
    return run({argv + 1, argv + argc});
}
