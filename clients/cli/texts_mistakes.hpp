#pragma once
/// What is wrong with what a person typed, pasted or handed over, and the way out: the part of the
/// catalogue (texts.hpp) that goes with exit code 2 and its like. Each sentence names the option or
/// argument, the fault of its value, and what would be right. Any thread.

#include <clients/cli/texts.hpp>

#include <optional>

namespace plankurier::cli {

// Those that belong together stand together:
// clang-format off
enum class Mistake {
    // the command line itself
    no_command, unknown_command, unknown_command_near, unknown_option, unknown_option_near,
    option_of_others, value_missing, value_unwanted, given_twice, options_clash, option_needed,
    argument_extra, number_range, days_form, hours_form, one_of, option_empty, outputs_same,
    config_unreadable, config_syntax, config_unknown, config_value,
    // servers and trust
    nothing_trusted, several_trusted, server_untrusted, server_needed, server_form,
    // what a command needs
    link_needed, receipt_needed, proof_needed, key_file_needed, shell_needed, member_action,
    wraps_needed, place_needed, reply_needs_one, keygen_for, keygen_name, department_id_form,
    epoch_fits_not, as_department_needs, id_form, resume_which, resume_none, resume_unknown,
    being_sent,
    // addresses and contact data
    address_needed, address_form, address_local_part, address_domain, phone_needed, phone_form,
    contact_long, to_needed, to_unknown, to_unknown_near,
    to_foreign_address, to_no_address, to_many, to_twice, typed_alone, password_alone,
    // the transfer
    expires_range, remember_range, remember_never, days_refused, by_link_alone, link_file_alone,
    nothing_to_send, message_long, message_twice, file_name_form, transfer_large,
    // secrets, texts and people
    nobody_to_ask, nobody_asks_password, nobody_asks_passphrase, nobody_asks_new_passphrase,
    secret_empty, encoding_of_option, encoding_of_file, encoding_utf16, code_form, code_missing,
    passphrase_wrong,
    // links and files that are not what they should be
    link_form, link_of_answers, link_of_code, link_of_receipt, return_link_form, receipt_form,
    receipt_without_link, key_file_form, trust_file_form, root_form, root_differs, directory_form,
    proof_form, wrap_form, member_form,
    // the way to the service
    service_refuses, proxy_away, proxy_refuses, proxy_password, proxy_setting,
    count ///< number of sentences, no sentence itself
};
// clang-format on

/// The sentence in a language; `{}` is filled in by `fill`.
[[nodiscard]] std::string_view text(Language language, Mistake which) noexcept;
/// The sentence for a failure that its `detail` tells more of than its code; nullopt for others.
[[nodiscard]] std::optional<Mistake> mistake_of(const Error& error) noexcept;

/// The catalogues; use `text`.
[[nodiscard]] std::string_view text_de(Mistake which) noexcept;
[[nodiscard]] std::string_view text_en(Mistake which) noexcept;

} // namespace plankurier::cli
