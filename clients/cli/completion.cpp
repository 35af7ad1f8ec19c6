#include <clients/cli/options.hpp>

namespace plankurier::cli {

namespace {

constexpr std::string_view bash_script = R"(_plankurier() {
    local word=${COMP_WORDS[COMP_CWORD]}
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "--to --as-department --to-citizen --to-transfer --name --email --phone --reference --clerk --institution --subject --message --message-file --expires --notify --password --password-file --word-list --code-from --receipt --share-phone --by-link --notify-unfetched --remind-recipient --remember-days --resume --lanes --root --fingerprint --output --key --link-file --via --return-link-file --transfer --from-inbox --save --html --days --directory --escrow --epoch --member --wrap --new-passphrase-file --for --passphrase-file --department --type --record --quiet --verbose --json --no-progress --config --server --ca --retries --timeout --lang --yes --help --version" -- "$word"))
    elif [[ $COMP_CWORD == 1 ]]; then
        COMPREPLY=($(compgen -W "trust departments send fetch inbox reply status revoke expire resend report verify keygen members passphrase unlock lock completion version help" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -o filenames -F _plankurier plankurier
)";

constexpr std::string_view zsh_script = R"(#compdef plankurier
_plankurier() {
    local -a commands
    commands=(trust departments send fetch inbox reply status revoke expire resend report verify keygen members passphrase unlock lock completion version help)
    if (( CURRENT == 2 )); then
        compadd -a commands
    else
        _files
    fi
}
compdef _plankurier plankurier
)";

constexpr std::string_view fish_script =
    R"(complete -c plankurier -l via -xa "auto https swarm"
complete -c plankurier -n __fish_use_subcommand -xa "trust departments send fetch inbox reply status revoke expire resend report verify keygen members passphrase unlock lock completion version help"
for option in to name email phone reference clerk institution subject message expires notify lang server retries timeout department type fingerprint resume lanes transfer from-inbox days remember-days as-department to-citizen to-transfer for
    complete -c plankurier -l $option -x
end
for option in message-file password-file word-list code-from receipt root output key link-file return-link-file passphrase-file save html directory epoch member wrap new-passphrase-file record config ca
    complete -c plankurier -l $option -r
end
for option in password escrow share-phone by-link notify-unfetched remind-recipient quiet verbose json no-progress yes help version
    complete -c plankurier -l $option
end
)";

} // namespace

Result<std::string> completion_script(std::string_view shell) {
    if (shell == "bash") return std::string{bash_script};
    if (shell == "zsh") return std::string{zsh_script};
    if (shell == "fish") return std::string{fish_script};
    return fail(Errc::invalid_argument, "shell");
}

} // namespace plankurier::cli
