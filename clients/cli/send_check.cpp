#include <clients/cli/send_check.hpp>

#include <clients/cli/addressees.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/option_rules.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/text_encoding.hpp>

#include <plankurier/contact.hpp>
#include <plankurier/layout.hpp>
#include <plankurier/receiving.hpp>

#include <iostream>
#include <iterator>

namespace plankurier::cli {

namespace {

/// A link opens a transfer to one person, instead of a password.
Result<void> check_by_link(const Options& options, Console& console) {
    if (!options.by_link) {
        const bool stray = options.command == Command::send && !options.link_file.empty();
        return stray ? Result<void>{console.refuse(Mistake::link_file_alone)} : Result<void>{};
    }
    const bool to_one =
        !options.to_citizen.empty() || (options.to.size() == 1 && is_address(options.to.front()));
    if (!to_one || options.share_phone || options.password || !options.password_file.empty() ||
        !options.word_list.empty()) {
        return console.refuse(Mistake::by_link_alone);
    }
    return {};
}

Result<void> check_phone_number(const Options& options, Console& console) {
    if (!options.share_phone) return {};
    if (options.phone.empty()) return console.refuse(Mistake::phone_needed);
    const bool has_digit = options.phone.find_first_of("0123456789") != options.phone.npos;
    if (!has_digit || !check_phone(options.phone)) {
        return console.refuse(Mistake::phone_form, {printable(options.phone)});
    }
    return {};
}

Result<void> check_contact(const Options& options, Console& console) {
    constexpr std::size_t bytes_max = 1'000;
    const std::pair<const char*, const std::string*> texts[] = {
        {"--name", &options.name},      {"--email", &options.email},
        {"--phone", &options.phone},    {"--reference", &options.reference},
        {"--clerk", &options.clerk},    {"--institution", &options.institution},
        {"--subject", &options.subject}};
    for (const auto& [option, text] : texts) {
        if (text->size() <= bytes_max) continue;
        return console.refuse(Mistake::contact_long, {option, std::to_string(bytes_max)});
    }
    return {};
}

} // namespace

Result<void> check_send_options(const Options& options, Console& console) {
    const bool by_citizen = options.command == Command::send && options.as_department.empty() &&
                            options.to_citizen.empty();
    const bool is_whole = !options.key.empty() && !options.to_citizen.empty() && options.to.empty();
    if (options.command == Command::send && !by_citizen && !is_whole) {
        return console.refuse(Mistake::as_department_needs);
    }
    const bool has_message = !options.message.empty() || !options.message_file.empty();
    if (options.arguments.empty() && !has_message) return console.refuse(Mistake::nothing_to_send);
    if (!options.message.empty() && !options.message_file.empty()) {
        return console.refuse(Mistake::message_twice);
    }
    for (const auto& [option, from] : {std::pair{"--code-from -", &options.code_from},
                                       std::pair{"--password-file -", &options.password_file}}) {
        // The message is all of standard input, and read before.
        if (options.message != "-" || *from != "-") continue;
        return console.refuse(Mistake::options_clash, {"--message -", option});
    }
    if (by_citizen && options.to.empty()) return console.refuse(Mistake::to_needed);
    if (by_citizen && options.email.empty()) return console.refuse(Mistake::address_needed);
    return check_by_link(options, console)
        .and_then([&] { return check_phone_number(options, console); })
        .and_then([&] { return check_contact(options, console); });
}

Result<void> check_with_service(const Options& options, const Service& service, Console& console) {
    if (options.by_link && !service.link_allowed) return fail(Errc::link_not_allowed, "--by-link");
    const auto& days = options.expires_days;
    if (days && (*days < service.expiry_days_min || *days > service.expiry_days_max)) {
        return console.refuse(Mistake::expires_range,
                              {std::to_string(*days), std::to_string(service.expiry_days_min),
                               std::to_string(service.expiry_days_max)});
    }
    const auto remembered = options.remember_days.value_or(0);
    if (remembered > 0 && service.remember_days_max == 0) {
        return console.refuse(Mistake::remember_never);
    }
    if (remembered > service.remember_days_max) {
        return console.refuse(Mistake::remember_range, {std::to_string(remembered),
                                                        std::to_string(service.remember_days_max)});
    }
    return {};
}

Result<void> check_typed(const std::string& address, const Service& service, Console& console) {
    if (address.empty() || !service.staff_domains) return {};
    const auto domain = in_lower_case(address.substr(address.rfind('@') + 1));
    std::string listed;
    for (const auto& one : *service.staff_domains) {
        if (in_lower_case(one) == domain) return {};
        listed += (listed.empty() ? "@" : ", @") + printable(one);
    }
    const auto mistake = listed.empty() ? Mistake::to_no_address : Mistake::to_foreign_address;
    return console.refuse(mistake, {printable(address), listed}, Errc::address_not_allowed);
}

Result<void> check_size(std::uint64_t content_bytes, const Service& service, Console& console) {
    const auto layout = BodyLayout::for_content(content_bytes);
    if (!layout) return tl::unexpected(layout.error());
    if (layout->sealed_bytes() <= service.transfer_bytes_max) return {};
    const auto shown = [&](std::uint64_t bytes) { return size_text(console.language(), bytes); };
    return console.refuse(
        Mistake::transfer_large,
        {shown(content_bytes), shown(layout->sealed_bytes()), shown(service.transfer_bytes_max)},
        Errc::too_large);
}

Result<std::string> message_of(const Options& options, const Service& service, Console& console) {
    const char* option = "--message";
    std::string message = options.message;
    if (options.message == "-") {
        message.assign(std::istreambuf_iterator<char>{std::cin}, {});
    } else if (!options.message_file.empty()) {
        option = "--message-file";
        // Twice as much: it may come in UTF-16.
        auto text = naming(console, {option, options.message_file},
                           read_file(options.message_file, 2 * service.message_bytes_max + 3));
        if (!text) return text;
        message = std::move(*text);
    }
    auto text = to_utf8(std::move(message));
    if (!text) {
        return console.refuse(Mistake::encoding_of_option,
                              {option, guessed_encoding(text.error())});
    }
    if (text->size() > service.message_bytes_max) {
        return console.refuse(Mistake::message_long,
                              {option, size_text(console.language(), text->size()),
                               size_text(console.language(), service.message_bytes_max)},
                              Errc::too_large);
    }
    return text;
}

} // namespace plankurier::cli
