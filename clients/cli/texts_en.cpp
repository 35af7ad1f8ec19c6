#include <clients/cli/texts.hpp>

namespace plankurier::cli {

namespace {
// One subject a line:
// clang-format off
constexpr std::pair<Text, std::string_view> sentences[] = {
    {Text::version_line, "plankurier {}"},
    {Text::trust_question, "The authority \"{}\" at {} shows this fingerprint:\n\n  {}\n\nCompare it with the one on the authority's web site. Trust it? (yes/no) "},
    {Text::trust_pinned, "Trusted: \"{}\"\nFingerprint {}"},
    {Text::trust_no_key, "The service does not state its root key. Please give the file from the authority's web site with --root."},
    {Text::trust_mismatch, "The fingerprint is not that of the service's key. Nothing was remembered."},
    {Text::ask_code, "Code from the e-mail (empty: send again): "},
    {Text::ask_code_number, "Code from e-mail no. {} (empty: send again): "},
    {Text::ask_code_sent, "A code is on its way to your e-mail address (please look into the spam folder too). The e-mail has no. {} in its subject; the code is good for {} minutes."},
    {Text::waiting_for_code, "The code is read from {} as soon as it stands there; until then this waits (stop: Ctrl-C)."},
    {Text::working_for_code, "Very many codes are being asked for just now. So that you get one too, your computer solves a small puzzle; that takes some seconds …"},
    {Text::too_much_work, "For a code the service asks for more computing just now than this program does for it. Nothing was computed and nothing sent. Please try again later; if it stays like this, ask the authority."},
    {Text::no_room, "The service has no room for this transfer just now ({}). Nothing of it was transferred yet."},
    {Text::no_room_yet, "The service has no room for new transfers just now. Nothing was transferred yet."},
    {Text::no_room_waits, "The service has no room left just now. It goes on by itself as soon as there is room again."},
    {Text::code_wrong_left, "The code is not right. Attempts left: {}."},
    {Text::ask_password, "Password: "},
    {Text::ask_password_again, "Repeat password: "},
    {Text::ask_passphrase, "Passphrase of the key file: "},
    {Text::ask_passphrase_again, "Repeat passphrase: "},
    {Text::password_differs, "The two entries differ."},
    {Text::password_generated, "Password for the authority:\n\n    {}\n\nPlease write it down now: without it the authority cannot read anything, and it is not shown again.\nTell it by phone, not by e-mail."},
    {Text::checking, "Checking files …"},
    {Text::sending, "Sending"},
    {Text::fetching, "Fetching"},
    {Text::progress_line, "{} {} %, {} of {}, {}/s, {} left"},
    {Text::network_retry, "The service cannot be reached just now. Next try in {} s."},
    {Text::resumable_hint, "The state is kept. Continue with: plankurier send --resume {}"},
    {Text::several_to_resume, "Several transfers are interrupted. Please choose one:"},
    {Text::resume_entry, "  plankurier send --resume {}   ({}, to {}; files: {}; begun {})"},
    {Text::resumed, "Continuing; {} % are safely stored already."},
    {Text::receipt_text, "Sent.\n  Receipt:          {}\n  To:               {} ({})\n  Available until:  {} (then everything is deleted)\n  See the state:    plankurier status {}\n  Withdraw:         plankurier revoke {}"},
    {Text::receipt_saved, "Receipt saved: {}"},
    {Text::receipt_fallback, "The receipt could not be saved where it was wanted (--receipt {}); it is here now: {}"},
    {Text::sent_as, "“{}” is sent under the name “{}”."},
    {Text::withdrawn, "What had been transferred of it was withdrawn."},
    {Text::not_withdrawn, "What had been transferred of it could not be withdrawn just now. Try later: plankurier send --resume {}"},
    {Text::elsewhere_hint, "The state is kept. If the files are in another place now: plankurier send --resume {} FILE…"},
    {Text::file_withheld, "This file is not what its name says, or of no type that is allowed. It was not saved; the others are there. Please ask the sender before you accept it by other means."},
    {Text::report_unsigned, "All files have arrived. The service did not accept the signed confirmation; it notes the fetch without a signature. Please tell the administrator: the key of your department may have been renewed, or a clock is wrong."},
    {Text::flaw_empty, "The file is empty (0 bytes). Perhaps it is still being written, or it is only in an online storage so far. Please open it once, then send it again."},
    {Text::flaw_placeholder, "The file holds nothing but zeros: its content is not on this computer yet (OneDrive, iCloud and others make such placeholders), or it is damaged. Please choose “Always keep on this device” there or open the file once, then send it again."},
    {Text::flaw_shortcut, "This is only a shortcut. Please name the file itself that it points to."},
    {Text::flaw_name, "The content is {}, the name says something else. Please rename the file so that its name ends with {}."},
    {Text::flaw_photo, "This is a photo in the format HEIC or AVIF, as smartphones take them. Please save it as JPEG (iPhone: Settings, Camera, Formats, “Most Compatible”; or open it on a computer and export it as JPEG)."},
    {Text::flaw_image, "This image format is not accepted. Please save the image as PDF, JPEG or PNG."},
    {Text::flaw_drawing, "This is a drawing of a CAD program (DWG, DXF, IFC …). Please export it there as PDF (print or plot it, with “PDF” as the printer)."},
    {Text::flaw_archive, "This is an archive (ZIP, 7z, RAR …). Please unpack it and name the files in it; one transfer takes many."},
    {Text::flaw_document, "This is a document for editing (Word, Excel, LibreOffice, text …). Please save it there as PDF (File, Export or Save as, PDF)."},
    {Text::no_home, "There is no known place where keys and state would be safe: HOME is not set or is no full path. Nothing of that is written into the current folder. Please set HOME (or XDG_STATE_HOME and XDG_CONFIG_HOME)."},
    {Text::output_failed, "The output could not be written completely (is the target full or closed?)."},
    {Text::reason_rights, "  Reason: permission denied. Please choose a place of your own, or have the permissions changed."},
    {Text::reason_read_only, "  Reason: the disk is read-only. Please choose another place."},
    {Text::reason_missing, "  Reason: the file or its folder does not exist (any more). Please check the path; plug a removed disk in again."},
    {Text::reason_not_a_folder, "  Reason: a part of the path is a file where a folder should be."},
    {Text::reason_a_folder, "  Reason: this is a folder. Please name the files in it (for example FOLDER/*.pdf)."},
    {Text::reason_no_file, "  Reason: this is no regular file, but a pipe or a device, for example. Please save its content as a file first."},
    {Text::reason_open_files, "  Reason: the system does not allow so many open files. Please allow more (ulimit -n 4096) or split the transfer."},
    {Text::reason_too_large, "  Reason: this disk takes no files of that size (FAT: 4 GiB at most), or a limit of the system forbids it (ulimit -f). Please choose another place."},
    {Text::reason_device, "  Reason: the disk does not answer or is damaged. Please plug it in again or use another one."},
    {Text::reason_long_name, "  Reason: the name is too long for this disk."},
    {Text::message_from, "From: {} <{}> (address verified)"},
    {Text::message_unverified, "WARNING: the message names {} as its sender, but the address that was verified is {}. Ask back before you act on it."},
    {Text::message_phone, "Phone: {}"},
    {Text::message_reference, "File number: {}"},
    {Text::message_clerk, "Clerk: {}"},
    {Text::message_institution, "Institution: {}"},
    {Text::message_subject, "Subject: {}"},
    {Text::message_files, "Files: {} ({})"},
    {Text::file_saved, "Saved: {}"},
    {Text::fetch_done, "Everything is fetched and verified."},
    {Text::department_line, "{}\t{}\t{}"},
    {Text::status_line, "State: {}, available until {}"},
    {Text::status_fetched, "Fetched on {}."},
    {Text::status_not_fetched, "Not fetched yet."},
    {Text::revoked_done, "Withdrawn. Message and files are being deleted on all servers."},
    {Text::revoke_question, "The transfer will be deleted for good. Go on? (yes/no) "},
    {Text::keygen_done, "Key file: {}\nPublic record for the administration: {}\nKeep key file and passphrase safe: without them nobody can read the transfers."},
    {Text::file_named, "  concerns: {}"},
    {Text::answer_yes, "yes"},
    {Text::interrupted, "Stopped."},
    {Text::waiting_for_relay, "Everything is transferred; the service is still writing it to disk …"},
    {Text::relay_lost, "Server {} of the authority does not answer. Continuing with the others."},
    {Text::sent_anew, "No server of the authority confirms that it has everything. So all of it goes to server {} (what is there already is not transferred again)."},
    {Text::copies_made, "Everything is transferred; the servers are making copies ({} of {} so far). This may take some minutes …"},
    {Text::relay_lied, "WARNING: server {} ({}) delivered wrong bytes. None of them were kept, and it is not asked again. Please tell whoever runs it."},
    {Text::swarm_gave_up, "Not everything comes by swarm; the rest is fetched by HTTPS."},
    {Text::fetched_elsewhere, "This transfer is just being fetched on this computer. Please wait until that has ended, or stop it."},
    {Text::fetch_goes_on, "What is here already stays on this computer; the same command goes on fetching."},
    {Text::checking_kept, "Checking what lies here already from an earlier start …"},
    {Text::kept_spoilt, "WARNING: some of what lay here already was changed meanwhile, by another program or by a fault of the disk (pieces: {}). It is fetched again."},
    {Text::damaged_state_removed, "A transfer that was begun long ago ({}) could not be continued any more, since its state is damaged. What was kept of it, keys and contact data included, is deleted now."},
    {Text::return_link, "\nFetch the authority's answers with this link. It is secret and stands in the receipt too; whoever has it can read the answers:\n\n    {}\n"},
    {Text::return_link_in_receipt, "The secret link for the authority's answers stands in the receipt: {}"},
    {Text::password_for_citizen, "Password for the recipient:\n\n    {}\n\nPlease write it down now: it is not shown again.\nTell it by phone or in a letter, never by e-mail."},
    {Text::link_to_pass_on, "Link for the recipient:\n\n    {}\n\nPlease copy it now: without it the transfer cannot be opened, and it is not shown again.\nPass it on yourself, by hand, by phone or by a messenger. Whoever has it can read everything; we do not send it by e-mail."},
    {Text::link_incomplete, "To open this transfer you need the whole link that the sender gives you. The link of the e-mail alone is not enough."},
    {Text::reply_subject, "Re: {}"},
    {Text::no_return_key, "This transfer has no return key, so it cannot be answered like this. With a password it works: plankurier send --as-department … --to-citizen ADDRESS"},
    {Text::message_signed, "Signed by: {} (signature verified)"},
    {Text::message_from_signed, "From: {}"},
    {Text::message_unsigned, "WARNING: no department has signed this message. It is not certain that it comes from the authority. Ask back before you act on it."},
    {Text::event_accepted, "Accepted; the transfer begins"},
    {Text::event_stored, "Stored completely and verified (servers: {})"},
    {Text::event_available, "Available: the recipient can fetch it"},
    {Text::event_fetched, "Fetched (told by the recipient's program)"},
    {Text::event_fetched_signed, "Fetched (signed by the recipient)"},
    {Text::event_expired, "Expired, as promised"},
    {Text::event_purged, "Deleted: keys, rows and all data are gone"},
    {Text::event_revoked, "Withdrawn by the sender"},
    {Text::history_line, "{}  {}"},
    {Text::record_line, "Verified address: {}, verified on {}"},
    {Text::verified_by, "The signature is right: {} (directory of {})."},
    {Text::state_uploading, "being transferred"},
    {Text::state_available, "available"},
    {Text::state_fetched, "fetched"},
    {Text::state_expired, "expired"},
    {Text::state_revoked, "withdrawn"},
    {Text::state_withheld, "withheld by the recipient"},
    {Text::ask_new_passphrase, "New passphrase: "},
    {Text::member_made, "Your key file: {}\nPublic record for your colleague: {}\nId (please compare by phone): {}"},
    {Text::member_wrapped, "The department's key is wrapped: {}\nIt opens for the member with the id {} only. Compare it by phone before you hand the file on."},
    {Text::member_unwrapped, "Key file: {}\nIt opens the transfers to: {}"},
    {Text::member_line, "Member {}  {}  {}"},
    {Text::member_unlisted, "(no department's key any more)"},
    {Text::passphrase_changed, "The passphrase is changed. Older copies of the file still have the old one."},
    {Text::page_title, "Record of a transfer"},
    {Text::page_authority, "Authority"},
    {Text::page_recipient, "Recipient"},
    {Text::page_number, "Receipt number"},
    {Text::page_transfer, "Transfer"},
    {Text::page_state, "State"},
    {Text::page_expires, "Available until"},
    {Text::page_history, "History"},
    {Text::page_footer, "The history is signed by the authority's service; the signature was checked when this page was made. What can be checked again is the file of plankurier status --save, with plankurier verify."},
    {Text::expiry_changed, "Available until {}."},
    {Text::notice_resent, "The recipient's notice is on its way again. Times left: {}."},
    {Text::status_stored, "Stored and verified: {} (with padding), servers: {}."},
    {Text::status_notices, "The notice can be sent again, times left: {} (plankurier resend)."},
    {Text::status_undeliverable, "WARNING: the notice could not be delivered. The recipient probably does not know of the transfer. Please check the address or ask the authority."},
    {Text::status_lost, "WARNING: the service has lost the files by a technical fault; nobody can fetch them any more. Please send them again."},
    {Text::status_withheld, "The recipient has reported the transfer; it is not handed out any more and will be deleted at its end. Please ask the authority."},
    {Text::report_question, "Nobody can read the transfer afterwards, you included. Report it? (yes/no) "},
    {Text::reported, "Reported. Nobody can read the transfer any more; it will be deleted at its end."},
    {Text::address_remembered, "Your address stays verified on this computer until {}. To forget: --remember-days 0"},
    {Text::address_known, "Your address is still verified; no code is needed."},
    {Text::inbox_line, "{}  {}  up to {}  available until {}  {}"},
    {Text::inbox_new, "new"},
    {Text::inbox_fetched, "fetched"},
    {Text::inbox_empty, "Nothing waits to be fetched."},
    {Text::inbox_all_fetched, "Everything is fetched already. To fetch again: --transfer ID"},
    {Text::no_usable_key, "{} has no key that can be used any more: it was withdrawn, or its time is over. Perhaps somebody has left. Nothing was sent. Please choose another recipient (plankurier departments) or ask the authority."},
    {Text::clerk_line, "{}\t{}\tclerk with an own key"},
    {Text::clerk_made, "Id: {} (stands for the address wherever that must not stand)"},
    {Text::escrow_told, "Please note: besides the recipients the authority itself can open this transfer, with its escrow key \"{}\"."},
    {Text::escrow_listed, "The authority can open what goes to these recipients too, with its escrow key \"{}\". {}"},
    {Text::escrow_opened, "Opened with the authority's escrow key. The sender sees that it was fetched, without a recipient's signature."},
    {Text::escrow_made, "Key file: {}\nPublic record for the administration: {}\nThis key will open everything that is sealed to departments and clerks once the record stands in the directory; every sender is told so. Keep key file and passphrase off line, apart from each other."},
    {Text::receipt_escrow, "  Escrow key:       the authority can open it too, with \"{}\""},
    {Text::page_escrow, "Escrow key (the authority can open it too)"},
    {Text::clock_wrong, "This computer's clock is wrong: here it is {}, at the service {}. Please set date and time right, best automatically. (If they are right, it is the service's clock: please tell the authority.)"},
    {Text::clock_first, "With this clock it cannot be checked whether the service's certificate and keys hold. Nothing was lost. Please set the clock right first, then repeat the command."},
    {Text::key_unlocked, "The key is unlocked until {}. Sooner ended by: plankurier lock, sleep, logging out."},
    {Text::keys_locked, "Locked. From now on the passphrase is asked for again."},
    {Text::nothing_unlocked, "No key was unlocked."},
    {Text::memory_not_locked, "This computer does not allow a key to be kept from being swapped out (ulimit -l). So it stays locked."},
};
static_assert(is_whole_catalogue<Text>(sentences));

} // namespace

std::string_view text_en(Text which) noexcept {
    return which < Text::count ? sentences[static_cast<std::size_t>(which)].second : "";
}

std::string_view text_en(Errc code) noexcept {
    switch (code) {
    case Errc::invalid_argument: return "A value is not allowed. Please check what you entered (help: plankurier help COMMAND).";
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
    case Errc::link_not_allowed: return "This authority does not allow transfers that a link alone opens. Please send without --by-link, with a password then.";
    case Errc::too_large: return "This is larger than the authority accepts. Please split it.";
    case Errc::too_many_files: return "These are more files than the authority accepts in one transfer. Please split it.";
    case Errc::quota_exceeded: return "Too many transfers of this address are unfinished, or too much was sent today. Please finish what was begun or try again tomorrow.";
    case Errc::rate_limited: return "Too many requests in a short time. Please try again in some minutes.";
    case Errc::conflict: return "This step does not fit the state of the transfer. Please look with plankurier status.";
    case Errc::expired: return "The time is over; it was or will be deleted. If this is about the authority's directory, please ask the authority.";
    case Errc::revoked: return "The sender has withdrawn the transfer.";
    case Errc::purged: return "The transfer is deleted already.";
    case Errc::lost: return "The service has lost the files by a technical fault. The sender knows and is asked to send them again.";
    case Errc::wrong_password: return "The password is not right. Ask the sender and try again.";
    case Errc::wrong_key: return "This key or link does not open the transfer. It went to somebody else or to an earlier key, or a part of the link is missing.";
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
    case Errc::busy: return "The service is much in demand just now. Please try again in some minutes.";
    case Errc::unavailable: return "The service cannot do this now. Please try again later.";
    case Errc::canceled: return "Stopped.";
    }
    return {};
}

// clang-format on

} // namespace plankurier::cli
