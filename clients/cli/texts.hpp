#pragma once
/// What the program says, in German and English. Each language is one catalogue in one file
/// (texts_de.cpp, texts_en.cpp); nothing else in the program holds sentences. Any thread.

#include <plankurier/error.hpp>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace plankurier::cli {

enum class Language { de, en };

/// What the environment says about the language; empty when not set.
struct LocaleVariables {
    std::string language, lc_all, lc_messages, lang; ///< LANGUAGE, LC_ALL, LC_MESSAGES, LANG
};
/// The language for `--lang` (empty when not given) and the environment, which is read as GNU
/// gettext does: the first of LC_ALL, LC_MESSAGES and LANG that is set counts, and LANGUAGE, a
/// list, comes before it unless that is the locale "C". German unless told otherwise, since that is
/// what the authority speaks.
[[nodiscard]] Language choose_language(std::string_view option, const LocaleVariables& environment);
/// "de" or "en".
[[nodiscard]] std::string_view tag(Language language) noexcept;

// Those that belong together stand together:
// clang-format off
/// Every sentence that is not about a failure. `{}` is filled in by `fill`.
enum class Text {
    version_line,
    trust_question, trust_pinned, trust_no_key, trust_mismatch,
    ask_code, ask_code_number, ask_code_sent, waiting_for_code, working_for_code, too_much_work,
    no_room, no_room_yet, no_room_waits, code_wrong_left,
    ask_password, ask_password_again,
    ask_passphrase, ask_passphrase_again, password_differs, password_generated,
    checking, sending, fetching, progress_line, network_retry, resumable_hint, several_to_resume,
    resume_entry, resumed,
    receipt_text, receipt_saved, receipt_fallback,
    sent_as, withdrawn, not_withdrawn, elsewhere_hint, file_withheld, report_unsigned,
    flaw_empty, flaw_placeholder, flaw_shortcut, flaw_name, flaw_photo, flaw_image, flaw_drawing,
    flaw_archive, flaw_document, no_home, output_failed,
    reason_rights, reason_read_only, reason_missing, reason_not_a_folder, reason_a_folder,
    reason_no_file, reason_open_files, reason_too_large, reason_device, reason_long_name,
    message_from, message_unverified, message_phone, message_reference, message_clerk,
    message_institution, message_subject, message_files, file_saved,
    fetch_done, department_line, status_line, status_fetched, status_not_fetched, revoked_done,
    revoke_question, keygen_done, file_named, answer_yes, interrupted, waiting_for_relay,
    relay_lost, sent_anew, copies_made, relay_lied, swarm_gave_up, fetched_elsewhere, fetch_goes_on,
    checking_kept, kept_spoilt, damaged_state_removed,
    return_link, return_link_in_receipt, password_for_citizen, link_to_pass_on, link_incomplete,
    reply_subject, no_return_key,
    message_signed, message_from_signed, message_unsigned,
    event_accepted, event_stored, event_available, event_fetched, event_fetched_signed,
    event_expired, event_purged, event_revoked, history_line, record_line, verified_by,
    state_uploading, state_available, state_fetched, state_expired, state_revoked, state_withheld,
    ask_new_passphrase, member_made, member_wrapped, member_unwrapped,
    member_line, member_unlisted, passphrase_changed,
    page_title, page_authority, page_recipient, page_number, page_transfer, page_state,
    page_expires, page_history, page_footer, expiry_changed, notice_resent,
    status_stored, status_notices, status_undeliverable, status_lost, status_withheld, report_question, reported,
    address_remembered, address_known,
    inbox_line, inbox_new, inbox_fetched, inbox_empty, inbox_all_fetched,
    no_usable_key, clerk_line, clerk_made,
    escrow_told, escrow_listed, escrow_opened, escrow_made, receipt_escrow, page_escrow,
    clock_wrong, clock_first,
    key_unlocked, keys_locked, nothing_unlocked, memory_not_locked,
    count ///< number of sentences, no sentence itself
};
// clang-format on

/// The sentence in a language.
[[nodiscard]] std::string_view text(Language language, Text which) noexcept;
/// What happened and what to do about it. Complete for every code.
[[nodiscard]] std::string_view text(Language language, Errc code) noexcept;
/// Replaces each `{}` of `pattern` by the next of `values`; missing values leave nothing.
[[nodiscard]] std::string fill(std::string_view pattern,
                               std::initializer_list<std::string_view> values);

/// Exit codes of the program, stable and documented.
enum class Exit : int {
    ok = 0,
    general = 1,
    usage = 2,
    resumable = 3,
    code = 4,
    password = 5,
    gone = 6,
    network = 7,
    integrity = 8,
    policy = 9,
    interrupted = 130
};
/// The exit code for a failure. `state_kept`: what was begun can be continued, so that failures of
/// the line and of space become `resumable`.
[[nodiscard]] Exit exit_for(Errc code, bool state_kept = false) noexcept;

/// True when there is every sentence once, in the order of its enumeration.
template <typename Which = Text>
[[nodiscard]] constexpr bool
is_whole_catalogue(std::span<const std::pair<Which, std::string_view>> sentences) {
    std::size_t at = 0;
    for (const auto& sentence : sentences) {
        if (static_cast<std::size_t>(sentence.first) != at++) return false;
    }
    return at == static_cast<std::size_t>(Which::count);
}

/// The catalogues; use `text`.
[[nodiscard]] std::string_view text_de(Text which) noexcept;
[[nodiscard]] std::string_view text_en(Text which) noexcept;
[[nodiscard]] std::string_view text_de(Errc code) noexcept;
[[nodiscard]] std::string_view text_en(Errc code) noexcept;

} // namespace plankurier::cli
