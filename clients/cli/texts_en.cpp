#include <clients/cli/texts.hpp>

namespace plankurier::cli {

namespace {
constexpr std::string_view usage_text = R"(Usage: plankurier [options] COMMAND …

  trust URL (--root FILE | --fingerprint TEXT)    trust the key of an authority
  departments                                     list departments
  send FILE… --to DEPARTMENT|ADDRESS              send sealed
  send --resume [ID]                              continue an interrupted transfer
  fetch LINK [-o FOLDER] [--key FILE]             fetch
        [--via https|swarm|auto]                  how: from the servers by HTTPS (auto and
                                                  https), or as a peer of their swarm
  fetch --return-link-file RECEIPT|FILE|-         fetch the authority's answers by the secret
        [--transfer ID]                           link of the receipt
  inbox --department ID --key FILE                list what waits for a department
  fetch --from-inbox ID --key FILE                fetch one of these, without a link
  reply --to-transfer ID --key FILE [FILE…] --message TEXT   answer a citizen, signed by the
        (or --link-file FILE)                     department
  send FILE… --as-department ID --key FILE --to-citizen ADDRESS
                                                  first message to a citizen, with a password
  status RECEIPT                                  state of a transfer
  revoke RECEIPT                                  withdraw a transfer
  keygen --department ID -o FILE --record FILE    make the key of a department
  completion bash|zsh|fish                        completion for the shell
  version

Exit codes: 0 ok, 1 general, 2 usage, 3 resumable, 4 code, 5 password or key,
6 expired or deleted, 7 network, 8 integrity, 9 not allowed, 130 interrupted
)";
} // namespace

// One subject a line:
// clang-format off
std::string_view text_en(Text which) noexcept {
    switch (which) {
    case Text::usage: return usage_text;
    case Text::version_line: return "plankurier {}";
    case Text::bad_usage: return "The command cannot be run like this. Help: plankurier --help";
    case Text::trust_question: return "The authority \"{}\" at {} shows this fingerprint:\n\n  {}\n\nCompare it with the one on the authority's web site. Trust it? (yes/no) ";
    case Text::trust_pinned: return "Trusted: \"{}\"\nFingerprint {}";
    case Text::trust_no_key: return "The service does not state its root key. Please give the file from the authority's web site with --root.";
    case Text::trust_mismatch: return "The fingerprint is not that of the service's key. Nothing was remembered.";
    case Text::ask_code: return "Code from the e-mail (empty: send again): ";
    case Text::ask_code_sent: return "A code is on its way to your e-mail address (please look into the spam folder too). It is good for {} minutes.";
    case Text::working_for_code: return "Very many codes are being asked for just now. So that you get one too, your computer solves a small puzzle; that takes some seconds …";
    case Text::no_room: return "The service has no room for this transfer just now ({}). Nothing of it was transferred yet.";
    case Text::code_wrong_left: return "The code is not right. Attempts left: {}.";
    case Text::ask_password: return "Password: "; case Text::ask_password_again: return "Repeat password: ";
    case Text::ask_passphrase: return "Passphrase of the key file: "; case Text::ask_passphrase_again: return "Repeat passphrase: ";
    case Text::password_differs: return "The two entries differ.";
    case Text::password_generated: return "Password for the authority:\n\n    {}\n\nPlease write it down now: without it the authority cannot read anything, and it is not shown again.\nTell it by phone, not by e-mail.";
    case Text::checking: return "Checking files …";
    case Text::sending: return "Sending"; case Text::fetching: return "Fetching";
    case Text::progress_line: return "{} {} %, {} of {}, {}/s, {} left";
    case Text::network_retry: return "The connection is interrupted. Next try in {} s.";
    case Text::resumable_hint: return "The state is kept. Continue with: plankurier send --resume {}";
    case Text::nothing_to_resume: return "There is no interrupted transfer.";
    case Text::several_to_resume: return "Several transfers are interrupted. Please choose one:";
    case Text::resume_entry: return "  plankurier send --resume {}   ({}, {} files, begun {})";
    case Text::resumed: return "Continuing; {} % are safely stored already.";
    case Text::receipt_text: return "Sent.\n  Receipt:          {}\n  To:               {} ({})\n  Available until:  {} (then everything is deleted)\n  See the state:    plankurier status {}\n  Withdraw:         plankurier revoke {}";
    case Text::receipt_saved: return "Receipt saved: {}";
    case Text::receipt_fallback: return "The receipt could not be saved there; it is here now: {}";
    case Text::message_from: return "From: {} <{}> (address verified)";
    case Text::message_unverified: return "WARNING: the message names {} as its sender, but the address that was verified is {}. Ask back before you act on it.";
    case Text::message_phone: return "Phone: {}";
    case Text::message_reference: return "File number: {}";
    case Text::message_clerk: return "Clerk: {}";
    case Text::message_institution: return "Institution: {}";
    case Text::message_subject: return "Subject: {}";
    case Text::message_files: return "Files: {} ({})";
    case Text::file_saved: return "Saved: {}";
    case Text::fetch_done: return "Everything is fetched and verified.";
    case Text::department_line: return "{}\t{}\t{}";
    case Text::status_line: return "State: {}, available until {}";
    case Text::status_fetched: return "Fetched on {}."; case Text::status_not_fetched: return "Not fetched yet.";
    case Text::revoked_done: return "Withdrawn. Message and files are being deleted on all servers.";
    case Text::revoke_question: return "The transfer will be deleted for good. Go on? (yes/no) ";
    case Text::keygen_done: return "Key file: {}\nPublic record for the administration: {}\nKeep key file and passphrase safe: without them nobody can read the transfers.";
    case Text::file_named: return "  concerns: {}";
    case Text::answer_yes: return "yes";
    case Text::interrupted: return "Stopped.";
    case Text::waiting_for_relay: return "Everything is transferred; the service is still writing it to disk …";
    case Text::relay_lost: return "Server {} of the authority does not answer. Continuing with the others.";
    case Text::copies_made: return "Everything is transferred; the servers are making copies ({} of {} so far). This may take some minutes …";
    case Text::relay_lied: return "WARNING: server {} ({}) delivered wrong bytes. None of them were kept, and it is not asked again. Please tell whoever runs it.";
    case Text::swarm_gave_up: return "Not everything comes by swarm; the rest is fetched by HTTPS.";
    case Text::return_link: return "\nFetch the authority's answers with this link. It is secret and stands in the receipt too; whoever has it can read the answers:\n\n    {}\n";
    case Text::return_link_in_receipt: return "The secret link for the authority's answers stands in the receipt: {}";
    case Text::password_for_citizen: return "Password for the recipient:\n\n    {}\n\nPlease write it down now: it is not shown again.\nTell it by phone or in a letter, never by e-mail.";
    case Text::reply_subject: return "Re: {}";
    case Text::no_return_key: return "This transfer has no return key, so it cannot be answered like this. With a password it works: plankurier send --as-department … --to-citizen ADDRESS";
    case Text::message_signed: return "Signed by: {} (signature verified)";
    case Text::message_from_signed: return "From: {}";
    case Text::message_unsigned: return "WARNING: no department has signed this message. It is not certain that it comes from the authority. Ask back before you act on it.";
    case Text::inbox_line: return "{}  {}  up to {}  available until {}  {}";
    case Text::inbox_new: return "new"; case Text::inbox_fetched: return "fetched";
    case Text::inbox_empty: return "Nothing waits to be fetched.";
    case Text::inbox_all_fetched: return "Everything is fetched already. To fetch again: --transfer ID";
    case Text::count: break;
    }
    return {};
}

std::string_view text_en(Errc code) noexcept {
    switch (code) {
    case Errc::invalid_argument: return "A value is not allowed. Please check what you entered (help: plankurier --help).";
    case Errc::malformed: return "Data that was received or read does not have the right form. Please try again; if it stays, ask the authority.";
    case Errc::unsupported: return "This version of the program cannot do that. Please install the current one.";
    case Errc::not_found: return "There is no such thing, or not any more. Please check the link or receipt.";
    case Errc::wrong_code: return "The code is not right. Please look into the newest e-mail.";
    case Errc::code_expired: return "The code is too old. Please start again to get a new one.";
    case Errc::too_many_attempts: return "That was tried too often. If it is about a code, please start again to get a new one.";
    case Errc::too_early: return "It is too early for that. Please wait a moment.";
    case Errc::not_verified: return "The e-mail address is not verified (any more). Please start again.";
    case Errc::unknown_department: return "There is no such department. For a list: plankurier departments";
    case Errc::address_not_allowed: return "Sending to or from this address is not allowed. Only the authority's own addresses can be written to, and some accept certain senders only.";
    case Errc::type_not_allowed: return "This file type is not allowed, or name and content do not agree. Possible are .pdf, .jpg and .png, or what the department accepts of these.";
    case Errc::too_large: return "This is larger than the authority accepts. Please split it.";
    case Errc::too_many_files: return "These are more files than the authority accepts in one transfer. Please split it.";
    case Errc::quota_exceeded: return "Too many transfers of this address are unfinished, or too much was sent today. Please finish what was begun or try again tomorrow.";
    case Errc::rate_limited: return "Too many requests in a short time. Please try again in some minutes.";
    case Errc::conflict: return "This step does not fit the state of the transfer. Please look with plankurier status.";
    case Errc::expired: return "The time is over; it was or will be deleted. If this is about the authority's directory, please ask the authority.";
    case Errc::revoked: return "The sender has withdrawn the transfer.";
    case Errc::purged: return "The transfer is deleted already.";
    case Errc::wrong_password: return "The password is not right. Ask the sender and try again.";
    case Errc::wrong_key: return "This key does not open the transfer. It went to somebody else or to an earlier key.";
    case Errc::untrusted_root: return "This service is not trusted yet, or its key is not the remembered one. Nothing was sent. First: plankurier trust URL --root FILE (the key is on the authority's web site).";
    case Errc::rolled_back: return "The service shows an older directory than last time. Please send nothing and ask the authority.";
    case Errc::bad_signature: return "A signature of the authority is not right. Please send nothing and ask the authority.";
    case Errc::tampered: return "Data was altered on the way or on the server. Nothing of it was accepted. Please tell the authority.";
    case Errc::file_changed: return "A file changed while it was being sent. Please close it in other programs and send anew.";
    case Errc::file_unreadable: return "A file cannot be opened, read or written. Please check path and permissions.";
    case Errc::exists: return "This file exists already and is not overwritten. Please choose another name.";
    case Errc::no_space: return "Storage is full, here or at the service. Please make room or try later; what was begun can be continued.";
    case Errc::network: return "The service cannot be reached, or the connection broke. Please check the network and try again.";
    case Errc::tls: return "The service's certificate is not trusted. Please check the address; name a certificate of your own with --ca FILE.";
    case Errc::unavailable: return "The service cannot do this now. Please try again later.";
    case Errc::canceled: return "Stopped.";
    }
    return {};
}

// clang-format on

} // namespace plankurier::cli
