#include <clients/cli/texts_mistakes.hpp>

namespace plankurier::cli {

namespace {
constexpr std::string_view short_help =
    R"(plankurier sends large files to your authority, encrypted, and fetches answers.

  plankurier trust https://…           once: enter the authority
  plankurier departments               who can be reached there
  plankurier send plan.pdf --to …      send
  plankurier fetch "LINK"              fetch
  plankurier status RECEIPT            what became of a transfer

All commands: plankurier help      One command with examples: plankurier help send)";
// One subject a line:
// clang-format off
constexpr std::pair<Mistake, std::string_view> sentences[] = {
    {Mistake::no_command, short_help},
    {Mistake::unknown_command, "There is no command \"{}\". All commands: plankurier help"},
    {Mistake::unknown_command_near, "There is no command \"{}\". Did you mean: plankurier {}\nAll commands: plankurier help"},
    {Mistake::unknown_option, "There is no option {}. Help: plankurier help {}"},
    {Mistake::unknown_option_near, "There is no option {}. Did you mean {}? Help: plankurier help {}"},
    {Mistake::option_of_others, "The option {} does not go with \"{}\" but with: {}. Help: plankurier help {}"},
    {Mistake::value_missing, "A value is missing behind {}. Help: plankurier help {}"},
    {Mistake::value_unwanted, "The option {} stands alone, without a value. Help: plankurier help {}"},
    {Mistake::given_twice, "The option {} may be given only once. Please leave one of them out."},
    {Mistake::options_clash, "{} and {} do not go together. Please leave one of them out."},
    {Mistake::option_needed, "{} is missing. For examples: plankurier help {}"},
    {Mistake::argument_extra, "\"{}\" is too much here. If the value holds a blank, please put it in quotation marks. Help: plankurier help {}"},
    {Mistake::number_range, "{}: \"{}\" is not possible. Please give a whole number from {} to {}."},
    {Mistake::days_form, "{}: \"{}\" is no period. Please give days or weeks, for example 14d or 2w."},
    {Mistake::hours_form, "{}: \"{}\" is no time. Please give hours and minutes up to a day, for example 8h or 8h30m."},
    {Mistake::one_of, "{}: there is no \"{}\". Possible are: {}."},
    {Mistake::option_empty, "The value behind {} is empty. For examples: plankurier help {}"},
    {Mistake::outputs_same, "Two options name the same file: \"{}\". Nothing was written. Please name two different ones."},
    {Mistake::config_unreadable, "The settings in {} cannot be read (--config or PLANKURIER_CONFIG). Please check path and permissions."},
    {Mistake::config_syntax, "A line in {} is no setting: \"{}\". A line looks like this: server = \"https://send.authority.example\""},
    {Mistake::config_unknown, "There is no setting \"{}\" (in {}). Possible are: server, ca, retries, timeout."},
    {Mistake::config_value, "The setting \"{}\" in {}: \"{}\" is not possible. Please give a whole number from {} to {}."},
    {Mistake::nothing_trusted, "No authority is trusted on this computer yet. The address of its service is on the authority's web site, and so is the fingerprint to compare. First:\n\n    plankurier trust https://ADDRESS-OF-THE-SERVICE\n\nThen \"plankurier departments\" shows the departments."},
    {Mistake::several_trusted, "Several authorities are trusted on this computer. Please name one of them with --server:{}"},
    {Mistake::server_untrusted, "The service {} is not trusted on this computer yet. Nothing was sent. First:\n\n    plankurier trust {}\n\nCompare the fingerprint with the one on the authority's web site."},
    {Mistake::server_needed, "The address of the service is missing, for example: plankurier trust https://send.authority.example"},
    {Mistake::server_form, "\"{}\" is no address of a service. It begins with https:// and is on the authority's web site."},
    {Mistake::link_needed, "The link of the e-mail is missing (or --link-file FILE with the link in it). Put it in quotation marks: plankurier {} \"LINK\""},
    {Mistake::receipt_needed, "The receipt is missing; that is the file that was saved when sending: plankurier {} RECEIPT"},
    {Mistake::proof_needed, "The file to verify is missing: plankurier verify FILE"},
    {Mistake::key_file_needed, "The key file is missing: plankurier passphrase FILE"},
    {Mistake::shell_needed, "Please name the shell: plankurier completion bash, zsh or fish"},
    {Mistake::member_action, "Behind \"members\" comes one of these: new, wrap, unwrap or list. For examples: plankurier help members"},
    {Mistake::wraps_needed, "The file with the wrapped key is missing: plankurier members {} FILE"},
    {Mistake::place_needed, "Please name only one: the link or --from-inbox ID."},
    {Mistake::reply_needs_one, "Please name what is answered, with one of these: --to-transfer ID or --link-file FILE (with the link in it)."},
    {Mistake::keygen_for, "Please name whose key it will be, with exactly one of these: --department ID, --clerk ADDRESS or --escrow."},
    {Mistake::keygen_name, "--name is missing: this is what the clerk or the escrow key is called in the directory."},
    {Mistake::department_id_form, "--department: \"{}\" is no id. It is made of small letters a to z, digits, - and _, for example planning (64 at most)."},
    {Mistake::epoch_fits_not, "--epoch: the old record is somebody else's. Please name the one of {}."},
    {Mistake::as_department_needs, "To write as a department give all three: --as-department ID, --key FILE and --to-citizen ADDRESS; without --to."},
    {Mistake::id_form, "{}: \"{}\" is no id of a transfer. It has 32 characters, 0 to 9 and a to f."},
    {Mistake::resume_which, "Please repeat one of these commands."},
    {Mistake::resume_none, "There is no interrupted transfer."},
    {Mistake::resume_unknown, "--resume: there is no interrupted transfer {} here; what was sent to its end or withdrawn cannot be continued. What is interrupted continues with: plankurier send --resume"},
    {Mistake::being_sent, "This transfer is being sent on this computer already. Please wait until that has ended, or stop it."},
    {Mistake::address_needed, "Your e-mail address is missing: --email ADDRESS. The code to verify it goes there."},
    {Mistake::address_form, "{}: \"{}\" is no e-mail address. An address looks like this: anna.sample@example.org"},
    {Mistake::address_local_part, "{}: the service can send no e-mail to \"{}\", since there is a letter outside a to z before the @. Please take another address."},
    {Mistake::address_domain, "{}: in \"{}\" the part behind the @ is no name on the internet. Please check it."},
    {Mistake::phone_needed, "--share-phone passes your phone number on; --phone NUMBER is missing."},
    {Mistake::phone_form, "--phone: \"{}\" cannot be passed on. Possible are digits, blanks and + - / . ( ), 64 characters at most."},
    {Mistake::contact_long, "{}: the text is too long. At most {} characters are possible; --message takes more."},
    {Mistake::to_needed, "Whom to send to is missing: --to DEPARTMENT or --to ADDRESS. For a list: plankurier departments"},
    {Mistake::to_unknown, "--to: there is no department \"{}\" here. For the list: plankurier departments"},
    {Mistake::to_unknown_near, "--to: there is no department \"{}\" here. Did you mean: --to {}\nFor the list: plankurier departments"},
    {Mistake::to_foreign_address, "--to {}: this is none of the authority's addresses; they end with {}. No code was asked for and nothing sent. Please check the address."},
    {Mistake::to_no_address, "--to {}: this authority can be written to at its departments only, not at a clerk's address. No code was asked for and nothing sent. For a list: plankurier departments"},
    {Mistake::to_many, "--to: these are {} recipients; up to {} are possible. Please send several transfers."},
    {Mistake::to_twice, "--to: \"{}\" is there twice. Please leave one out."},
    {Mistake::typed_alone, "{} has no key in the directory. Such an address is reached by a password only, and alone: please send to it separately, or leave it out here."},
    {Mistake::password_alone, "A password goes to one e-mail address only. Please leave out --password and --password-file, or name one address alone."},
    {Mistake::expires_range, "--expires: {} days are not possible here, but {} to {} days are."},
    {Mistake::remember_range, "--remember-days: {} days are not possible here, but 0 to {} are."},
    {Mistake::remember_never, "--remember-days: this authority keeps no address verified. Please leave the option out."},
    {Mistake::days_refused, "--days: {} days from now are longer than this authority keeps the transfer. Please name fewer days."},
    {Mistake::by_link_alone, "--by-link goes to one person only (one --to ADDRESS or --to-citizen ADDRESS), and not together with --password, --password-file, --word-list or --share-phone."},
    {Mistake::link_file_alone, "--link-file goes with --by-link when sending: that is where the link is saved. Please add --by-link or leave --link-file out."},
    {Mistake::nothing_to_send, "What to send is missing: name files, or write a message with --message TEXT."},
    {Mistake::message_long, "{}: the message has {}; {} are possible. Please shorten it, or send it as a PDF file."},
    {Mistake::message_twice, "The message comes either from --message or from --message-file. Please leave one out."},
    {Mistake::file_name_form, "The name of the file \"{}\" cannot be sent: it is too long or not written in UTF-8. Please rename it."},
    {Mistake::transfer_large, "The files have {} together, sealed and padded {}; up to {} are accepted here. Nothing was sent, no code either. Please split the transfer."},
    {Mistake::nobody_to_ask, "Nothing can be asked here, since nobody can type at a terminal. Please run the command in a terminal, or give everything as an option (plankurier help COMMAND)."},
    {Mistake::nobody_asks_password, "The password cannot be asked for here. Please run the command in a terminal, or name a file with the password: --password-file FILE"},
    {Mistake::nobody_asks_passphrase, "The passphrase of the key file cannot be asked for here. Please run the command in a terminal, or name a file with the passphrase: --passphrase-file FILE"},
    {Mistake::nobody_asks_new_passphrase, "A new passphrase cannot be asked for here. Please run the command in a terminal, or name a file: --passphrase-file FILE (for a changed one: --new-passphrase-file FILE)"},
    {Mistake::secret_empty, "The first line of the file behind {} is empty. Please write the password or passphrase into it."},
    {Mistake::encoding_of_option, "{}: the text is not written in UTF-8, but probably in {}. Please save it as UTF-8 (in the editor: \"Save as\", encoding UTF-8)."},
    {Mistake::encoding_of_file, "One of the files with password, passphrase, code or link (or the input) is not written in UTF-8, but probably in Latin-1 (ISO 8859-1, Windows-1252). Please save it as UTF-8."},
    {Mistake::encoding_utf16, "One of the files with password, passphrase, code or link (or the input) is written in UTF-16 without a mark at its beginning. Please save it as UTF-8."},
    {Mistake::code_form, "This cannot be a code: a code has eight characters, for example K7QM-2RFX. It stands in the middle of the e-mail; the number in the subject is not the code. No attempt was spent."},
    {Mistake::code_missing, "No code was typed; the address from --email is not verified yet. In a terminal the program asks for the code from the e-mail; else name a file with it: --code-from FILE"},
    {Mistake::passphrase_wrong, "The passphrase of the key file is not right. Please mind capital letters and the keyboard layout."},
    {Mistake::link_form, "This is no whole link. Probably a piece is missing. Please copy all of it from the e-mail once more and put it in quotation marks; it looks like this: \"https://…/t#v1.…\""},
    {Mistake::link_of_answers, "This is the secret link for the authority's answers. Fetch with it like this: plankurier fetch --return-link-file RECEIPT (or: --return-link-file - and type the link)"},
    {Mistake::link_of_code, "This is the link of the e-mail with the verification code. To fetch you need the one of the e-mail that announces a message."},
    {Mistake::link_of_receipt, "This is a file and no link. If the link stands in it: --link-file FILE; if it is the receipt: --return-link-file RECEIPT"},
    {Mistake::return_link_form, "--return-link-file: there is no whole link for answers in it. Please take the receipt itself, or copy all of the link once more; it looks like this: https://…/r#v1.…"},
    {Mistake::receipt_form, "This is no receipt, or it is damaged. A receipt is the file that was saved when sending (quittung-….json)."},
    {Mistake::receipt_without_link, "There is no link for answers in this receipt: the transfer was sent without a return key."},
    {Mistake::key_file_form, "This is no key file, or it is damaged. A key file is made by plankurier keygen or plankurier members new; the public record (.json) is none."},
    {Mistake::trust_file_form, "The file of the authorities that are trusted (trust.json in the folder of settings) is damaged. Please rename it and begin anew with: plankurier trust https://ADDRESS-OF-THE-SERVICE"},
    {Mistake::root_form, "--root: \"{}\" is no root key. It is the file root.pub from the authority's web page (or the line in it that begins with RW); a certificate is named by --ca FILE."},
    {Mistake::root_differs, "--root: this key does not belong to the service {}. Nothing was remembered. Please compare address and key with the authority's web page; if both fit, please ask the authority."},
    {Mistake::directory_form, "--directory: \"{}\" is no directory of an authority, or the file is damaged. It is the service's answer to GET /v1/directory; without the option the last one seen counts."},
    {Mistake::proof_form, "\"{}\" is no proof, or the file is damaged. What can be verified is a receipt, a file of status --save, and a message that fetch saved."},
    {Mistake::wrap_form, "This is no wrapped key, or the file is damaged (--wrap, members list, members unwrap). Such a file is made by: plankurier members wrap"},
    {Mistake::member_form, "--member: this is no public record of a member, or the file is damaged. It is made by: plankurier members new --record FILE"},
    {Mistake::service_refuses, "The service does not accept one of the values (address, phone number, period or recipient). Please check them; perhaps this program is older than the service (plankurier version)."},
    {Mistake::proxy_away, "The proxy that the connection should take cannot be reached. It stands in the environment variable https_proxy or all_proxy. Please check it; without a proxy: env -u https_proxy -u HTTPS_PROXY -u all_proxy -u ALL_PROXY plankurier …"},
    {Mistake::proxy_refuses, "The proxy does not allow the connection to the service (environment variable https_proxy or all_proxy). Please ask those who run your network whether the service can be allowed."},
    {Mistake::proxy_password, "The proxy wants a name and password. They stand in the environment variable: https_proxy=http://NAME:PASSWORD@PROXY:PORT"},
    {Mistake::proxy_setting, "In the environment variable https_proxy or all_proxy there is no address of a proxy that this program understands. It looks like this: https_proxy=http://PROXY:PORT"},
};
// clang-format on
static_assert(is_whole_catalogue<Mistake>(sentences));
} // namespace

std::string_view text_en(Mistake which) noexcept {
    return which < Mistake::count ? sentences[static_cast<std::size_t>(which)].second : "";
}

} // namespace plankurier::cli
