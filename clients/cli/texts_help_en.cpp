#include <clients/cli/texts_help.hpp>

namespace plankurier::cli {

namespace {

constexpr std::string_view of_help =
    R"(plankurier sends large files to your authority, encrypted, and fetches answers.

Send and fetch
  trust         once: trust an authority
  departments   show departments and clerks
  send          send files and a message, continue what was interrupted
  fetch         fetch what waits for you
After sending
  status        state of a transfer
  revoke        withdraw a transfer
  expire        change the period
  resend        tell the recipient once more
  verify        check a receipt or message without the network
For the authority
  inbox         show what waits for a department
  reply         answer
  report        withhold a suspicious transfer
  keygen        make a key
  members       share a department's key
  passphrase    change the passphrase of a key file
  unlock        unlock a key for the day
  lock          lock it again
Others
  completion    completion for the shell
  version       show the version
  help          this overview, or with a COMMAND the help of that

Possible everywhere
  --server URL       the authority's service; needed only when several are trusted
  --lang de|en       language
  --yes              answer questions with yes
  --quiet, --no-progress, --verbose, --json    say less or more, or for programs
  --ca FILE          a certificate of the authority's own
  --retries N, --timeout SECONDS, --config FILE
Exit codes: 0 ok, 1 general, 2 usage, 3 resumable, 4 code, 5 password or key,
6 expired or deleted, 7 network, 8 bytes altered, 9 not allowed, 130 stopped

Examples:
  plankurier help send
  plankurier send --help
)";
constexpr std::string_view of_trust = R"(plankurier trust URL [--root FILE | --fingerprint TEXT]
Remembers an authority's key. Without an option it shows the fingerprint and asks.

  --root FILE           the authority's key, from its web site
  --fingerprint TEXT    the fingerprint from its web site; then nothing is asked

Examples:
  plankurier trust https://send.authority.example
  plankurier trust https://send.authority.example --root authority.pub
)";
constexpr std::string_view of_departments = R"(plankurier departments
Shows id and name of the departments, and clerks with a key of their own.

Examples:
  plankurier departments
  plankurier departments --server https://send.authority.example
)";
constexpr std::string_view of_send =
    R"(plankurier send FILE… --to DEPARTMENT|ADDRESS --email ADDRESS [options]
plankurier send --resume [ID]
Sends files and a message, encrypted. A code comes to your e-mail address.

To whom
  --to DEPARTMENT|ADDRESS   up to 8 times; an address without a key goes alone, with a password
  --password                with a password, even if the address has a key
  --password-file FILE      your own password instead of a generated one
  --word-list FILE          words of which the password is made
  --by-link [--link-file FILE]    instead of a password a link that you pass on yourself
From whom
  --name NAME --email ADDRESS [--phone NUMBER] [--institution NAME]
  --share-phone             write the phone number into the notice
  --remember-days N         keep the address verified on this computer for N days (0: forget)
  --code-from FILE|-        read the code from there instead of asking
What about
  --message TEXT|- | --message-file FILE      message; - reads the input
  --subject TEXT --reference FILE_NUMBER --clerk NAME
How
  --expires 14d|2w          when everything is deleted
  --notify on-fetch|none    a mail to you when it was fetched
  --notify-unfetched        a mail to you before the end, if not fetched
  --remind-recipient        a reminder to the recipient
  --receipt FILE            where the receipt goes
  --lanes N                 connections at once, 1 to 16
  --resume [ID]             continue what was interrupted
As an authority to a citizen, with a password or --by-link
  --as-department ID --key FILE --to-citizen ADDRESS [--passphrase-file FILE] [--wrap FILE]

Examples:
  plankurier send plan.pdf --to planning --name "Ann Sample" --email ann.sample@example.org
  plankurier send --resume
)";
constexpr std::string_view of_fetch = R"(plankurier fetch "LINK" [-o FOLDER] [options]
Fetches what waits behind the link of an e-mail. A password is asked for.

  -o, --output FOLDER       where the files go
  --link-file FILE|-        read the link from there
  --key FILE                key file of your department [--passphrase-file FILE]
  --wrap FILE               wrapped key that --key opens
  --password-file FILE      read the password from there
  --return-link-file RECEIPT|FILE|-   fetch the authority's answers with the secret link
  --transfer ID             of these only that one
  --from-inbox ID --key FILE [--department ID]   without a link, from the list of inbox
  --save FILE               keep the encrypted message, to check it later
  --via https|swarm|auto    way of the data
  --lanes N                 connections at once, 1 to 16

Examples:
  plankurier fetch "https://send.authority.example/t#v1.0123456789abcdef0123456789abcdef" -o in
  plankurier fetch --return-link-file receipt.json
)";
constexpr std::string_view of_inbox = R"(plankurier inbox --key FILE [--department ID|ADDRESS]
Shows what waits for a department or clerk.

  --key FILE               key file [--passphrase-file FILE]
  --wrap FILE              wrapped key that --key opens
  --department ID          needed only when several have this key

Examples:
  plankurier inbox --key planning.key
  plankurier inbox --key my.key --wrap planning.wrap --department planning
)";
constexpr std::string_view of_reply =
    R"(plankurier reply [FILE…] --to-transfer ID --key FILE --message TEXT
Answers a transfer, signed by the department.

  --to-transfer ID         what is answered (from the list of inbox)
  --link-file FILE         or the link of the notice, from a file
  --key FILE               key file [--passphrase-file FILE] [--wrap FILE]
  --department ID          needed only when several have this key
  --message TEXT | --message-file FILE
  --name, --email, --phone, --reference, --subject   stand in the message
  --expires 14d|2w --notify on-fetch|none --notify-unfetched --remind-recipient
  --receipt FILE --lanes N

Examples:
  plankurier reply --to-transfer 0123456789abcdef0123456789abcdef --key planning.key --message Thanks
  plankurier reply decision.pdf --link-file link.txt --key planning.key
)";
constexpr std::string_view of_status = R"(plankurier status RECEIPT [--save FILE] [--html FILE]
Shows what became of a transfer.

  --save FILE    keep the signed history as a file
  --html FILE    a page to print

Examples:
  plankurier status receipt.json
  plankurier status receipt.json --html record.html
)";
constexpr std::string_view of_revoke = R"(plankurier revoke RECEIPT
Withdraws a transfer: message and files are deleted on all servers.

Examples:
  plankurier revoke receipt.json
  plankurier revoke receipt.json --yes
)";
constexpr std::string_view of_expire = R"(plankurier expire RECEIPT --days N
Changes the period: deleted in N days. Longer than before only where the authority allows it.

  --days N    from today

Examples:
  plankurier expire receipt.json --days 3
  plankurier expire receipt.json --days 2w
)";
constexpr std::string_view of_resend = R"(plankurier resend RECEIPT
Tells the recipient once more, if the e-mail cannot be found any more.

Examples:
  plankurier resend receipt.json
  plankurier resend receipt.json --json
)";
constexpr std::string_view of_report = R"(plankurier report "LINK" | --from-inbox ID [--key FILE]
Withholds a suspicious transfer: nobody can read it any more, you included.

  --from-inbox ID [--department ID]    without a link, from the list of inbox
  --link-file FILE|-         read the link from there
  --key FILE                 key file [--passphrase-file FILE] [--wrap FILE]
  --password-file FILE       read the password from there
  --return-link-file RECEIPT|FILE      for answers of the authority

Examples:
  plankurier report --from-inbox 0123456789abcdef0123456789abcdef --key planning.key
  plankurier report --link-file link.txt
)";
constexpr std::string_view of_verify = R"(plankurier verify FILE [options]
Checks without the network what the authority signed: receipt, history or message (fetch --save).

  --directory FILE            the authority's directory, instead of the one seen last
  --return-link-file RECEIPT|FILE      opens a saved answer
  --link-file FILE            opens a transfer that a link alone opens
  --key FILE [--passphrase-file FILE] [--wrap FILE]       opens with a key file
  --password-file FILE        opens with a password

Examples:
  plankurier verify receipt.json
  plankurier verify message.json --return-link-file receipt.json
)";
constexpr std::string_view of_keygen =
    R"(plankurier keygen --department ID | --clerk ADDRESS --name NAME | --escrow --name NAME
                  -o FILE --record FILE
Makes a key and the public record that goes into the directory.

  --department ID        key of a department
  --clerk ADDRESS        key of a clerk
  --escrow               escrow key of the authority
  --name NAME            what it is called in the directory
  -o, --output FILE      key file
  --record FILE          public record
  --epoch OLD_RECORD     a new epoch: somebody leaves, or a new year
  --type p256|x25519     kind of key
  --passphrase-file FILE

Examples:
  plankurier keygen --department planning --name "Planning" -o planning.key --record planning.json
  plankurier keygen --clerk ann.green@authority.example --name "Ann Green" -o a.key --record a.json
)";
constexpr std::string_view of_members =
    R"(plankurier members new -o FILE --record FILE               a member's own key pair
plankurier members wrap --key FILE --member RECORD -o FILE      wrap the key for a member
plankurier members unwrap FILE --key FILE -o FILE          … and unwrap it there
plankurier members list FILE…                              who shares which key
With --wrap FILE behind --key the wrapped key counts, without unwrapping it.

  --key FILE             key file: the department's (wrap), your own (unwrap)
  --member RECORD        the member's public record
  -o, --output FILE      what is made
  --record FILE          public record that is made
  --type p256|x25519     kind of key
  --department ID        for which department it is unwrapped
  --directory FILE       the authority's directory, instead of the one seen last
  --passphrase-file FILE, --new-passphrase-file FILE

Examples:
  plankurier members new -o my.key --record my.json
  plankurier members wrap --key planning.key --member my.json -o planning.wrap
)";
constexpr std::string_view of_passphrase = R"(plankurier passphrase FILE
Changes the passphrase of a key file. Older copies keep the old one.

  --passphrase-file FILE         passphrase so far
  --new-passphrase-file FILE     new passphrase

Examples:
  plankurier passphrase planning.key
  plankurier passphrase planning.key --passphrase-file old.txt --new-passphrase-file new.txt
)";
constexpr std::string_view of_unlock = R"(plankurier unlock --key FILE [--for 8h]
Asks for the passphrase once; then fetch, inbox and reply with this file do not ask any more.
The key is locked again when the time is over, the computer has slept, or you log out.

  --for TIME                     up to a day, for example 8h or 90m
  --passphrase-file FILE         passphrase from a file

Examples:
  plankurier unlock --key planning.key
  plankurier unlock --key planning.key --for 4h
)";
constexpr std::string_view of_lock = R"(plankurier lock
Locks all unlocked keys again.

Examples:
  plankurier lock
  plankurier lock --quiet
)";
constexpr std::string_view of_completion = R"(plankurier completion bash|zsh|fish
Prints the completion for a shell.

Examples:
  plankurier completion bash
  plankurier completion fish
)";
constexpr std::string_view of_version = R"(plankurier version
Shows the version of this program.

Examples:
  plankurier version
  plankurier version --json
)";

} // namespace

std::string_view help_en(Command command) noexcept {
    switch (command) {
    case Command::help: return of_help;
    case Command::trust: return of_trust;
    case Command::departments: return of_departments;
    case Command::send: return of_send;
    case Command::fetch: return of_fetch;
    case Command::inbox: return of_inbox;
    case Command::reply: return of_reply;
    case Command::status: return of_status;
    case Command::revoke: return of_revoke;
    case Command::expire: return of_expire;
    case Command::resend: return of_resend;
    case Command::report: return of_report;
    case Command::verify: return of_verify;
    case Command::keygen: return of_keygen;
    case Command::members: return of_members;
    case Command::passphrase: return of_passphrase;
    case Command::unlock: return of_unlock;
    case Command::lock: return of_lock;
    case Command::completion: return of_completion;
    case Command::version: return of_version;
    }
    return {};
}

} // namespace plankurier::cli
