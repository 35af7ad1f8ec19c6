#include "relay/domain/notices.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace plankurier::relay {

namespace {

struct Text {
    std::string_view subject, body;
};
/// In the order of `Notice`. `{name}` is replaced by the fact of that name.
constexpr std::array<Text, 12> german = {{
    {"Ihr Bestätigungscode (Nr. {code_number})",
     "{authority}\n\nIhr Bestätigungscode lautet:\n\n    {code}\n\n"
     "Geben Sie ihn dort ein, wo nach dem Code der E-Mail Nr. {code_number} gefragt wird. Er gilt "
     "{minutes} Minuten. Geben Sie "
     "ihn niemandem weiter; niemand von uns fragt danach.\n\n"
     "Zum Anzeigen des Codes: {link}\n\n"
     "Haben Sie nichts angefordert? Dann müssen Sie nichts tun. Wollen Sie nie wieder Post von "
     "hier: {never_link}\n"},
    {"Eine vertrauliche Nachricht wartet",
     "{authority}\n\nFür Sie oder Ihre Stelle wartet eine vertrauliche Nachricht.\n\n    {link}\n\n"
     "Zum Öffnen brauchen Sie Ihren Schlüssel oder den Ihrer Stelle:\n"
     "plankurier fetch LINK --key SCHLÜSSELDATEI\n\n"
     "Sie wird am {expires} automatisch gelöscht.\n"},
    {"Eine vertrauliche Nachricht wartet",
     "{authority}\n\nFür Sie wartet eine vertrauliche Nachricht.\n\n    {link}\n\n"
     "Zum Öffnen brauchen Sie das Passwort der absendenden Person; es kommt am Telefon.\n"
     "Bestätigte Adresse: {sender_email}\n{phone_line}"
     "Öffnen mit: plankurier fetch LINK\n\nSie wird am {expires} automatisch gelöscht.\n"},
    {"Ihre Nachricht wurde abgerufen",
     "{authority}\n\nIhre Übertragung vom {created} (Nummer {receipt_number}) wurde vollständig "
     "abgerufen.\n\nSie wird am {expires} automatisch gelöscht.\n"},
    {"Ihre Nachricht wurde nicht abgerufen",
     "{authority}\n\nIhre Übertragung vom {created} (Nummer {receipt_number}) wurde bis zum Ablauf "
     "nicht abgerufen und ist jetzt gelöscht.\n"},
    {"Eine Antwort liegt bereit",
     "{authority}\n\nEine Antwort auf Ihre Nachricht liegt für Sie bereit.\n\n    {link}\n\n"
     "Zum Öffnen brauchen Sie den Rücklink aus Ihrer Quittung. Haben Sie ihn nicht mehr, sagen Sie "
     "es Ihrer Ansprechperson; dann kommt die Antwort mit Passwort.\n"
     "Öffnen mit: plankurier fetch LINK\n\nSie wird am {expires} automatisch gelöscht.\n"},
    {"Eine Nachricht liegt bereit",
     "{authority}\n\nEine vertrauliche Nachricht liegt für Sie bereit.\n\n    {link}\n\n"
     "Zum Öffnen brauchen Sie ein Passwort; wir sagen es Ihnen am Telefon oder schreiben es Ihnen "
     "in einem Brief, nie in einer E-Mail.\n"
     "Öffnen mit: plankurier fetch LINK\n\nSie wird am {expires} automatisch gelöscht.\n"},
    {"Ihre Nachricht ist noch nicht abgerufen",
     "{authority}\n\nIhre Übertragung vom {created} (Nummer {receipt_number}) ist noch nicht "
     "abgerufen.\n\nSie wird am {expires} automatisch gelöscht.\n"},
    {"Eine vertrauliche Nachricht wartet noch",
     "{authority}\n\nEine vertrauliche Nachricht ist noch nicht abgerufen.\n\n    {link}\n\n"
     "Zum Öffnen brauchen Sie dasselbe, das in unserer ersten E-Mail dazu steht.\n\n"
     "Sie wird am {expires} automatisch gelöscht.\n"},
    {"Ihre Nachricht ist nicht zustellbar",
     "{authority}\n\nZu Ihrer Übertragung vom {created} (Nummer {receipt_number}) konnten wir die "
     "Empfängerin oder den Empfänger nicht per E-Mail benachrichtigen. Bitte prüfen Sie die "
     "Adresse "
     "oder melden Sie sich auf anderem Weg.\n\nSie wird am {expires} automatisch gelöscht.\n"},
    {"Eine Nachricht wartet auf Ihren Link",
     "{authority}\n\nEine vertrauliche Nachricht wartet auf Sie.\n\n    {link}\n\n"
     "Dieser Link allein öffnet sie nicht. Den vollständigen Link, mit dem Schlüssel darin, gibt "
     "Ihnen die absendende Person selbst; wir haben ihn nicht und schicken ihn nie in einer "
     "E-Mail.\n\nSie wird am {expires} automatisch gelöscht.\n"},
    {"Ihre Nachricht ging verloren: bitte senden Sie noch einmal",
     "{authority}\n\nDie Dateien Ihrer Übertragung vom {created} (Nummer {receipt_number}) sind "
     "bei "
     "uns durch einen technischen Fehler verloren gegangen und können nicht mehr zugestellt "
     "werden. Bitte senden Sie sie noch einmal.\n\nNiemand hat sie deshalb gelesen: sie waren "
     "verschlüsselt.\n"},
}};
constexpr std::array<Text, 12> english = {{
    {"Your verification code (no. {code_number})",
     "{authority}\n\nYour verification code is:\n\n    {code}\n\n"
     "Type it in where the code of e-mail no. {code_number} is asked for. It is valid for "
     "{minutes} minutes. Do not pass it on; "
     "none of us will ask for it.\n\nTo display the code: {link}\n\n"
     "You did not ask for a code? Then there is nothing to do. To get no mail from here ever "
     "again: {never_link}\n"},
    {"A confidential message is waiting", "{authority}\n\nA confidential message is waiting for "
                                          "you or your department.\n\n    {link}\n\n"
                                          "You need your key or that of your department to open "
                                          "it:\nplankurier fetch LINK --key KEYFILE\n\n"
                                          "It will be deleted automatically on {expires}.\n"},
    {"A confidential message is waiting",
     "{authority}\n\nA confidential message is waiting for you.\n\n    {link}\n\n"
     "You need the sender's password to open it; it comes by phone.\n"
     "Verified address: {sender_email}\n{phone_line}"
     "Open it with: plankurier fetch LINK\n\nIt will be deleted automatically on {expires}.\n"},
    {"Your message was fetched",
     "{authority}\n\nYour transfer of {created} (number {receipt_number}) was fetched "
     "completely.\n\nIt will be deleted automatically on {expires}.\n"},
    {"Your message was not fetched",
     "{authority}\n\nYour transfer of {created} (number {receipt_number}) was not fetched before "
     "its end and is now deleted.\n"},
    {"An answer is ready",
     "{authority}\n\nAn answer to your message is ready for you.\n\n    {link}\n\n"
     "You need the return link of your receipt to open it. If you have lost it, tell your contact; "
     "the answer will then come with a password.\n"
     "Open it with: plankurier fetch LINK\n\nIt will be deleted automatically on {expires}.\n"},
    {"A message is ready",
     "{authority}\n\nA confidential message is ready for you.\n\n    {link}\n\n"
     "You need a password to open it; we tell you on the phone or in a letter, never by e-mail.\n"
     "Open it with: plankurier fetch LINK\n\nIt will be deleted automatically on {expires}.\n"},
    {"Your message has not been fetched yet",
     "{authority}\n\nYour transfer of {created} (number {receipt_number}) has not been fetched "
     "yet.\n\nIt will be deleted automatically on {expires}.\n"},
    {"A confidential message is still waiting",
     "{authority}\n\nA confidential message has not been fetched yet.\n\n    {link}\n\n"
     "To open it you need what our first e-mail about it says.\n\n"
     "It will be deleted automatically on {expires}.\n"},
    {"Your message is undeliverable",
     "{authority}\n\nWe could not tell the recipient of your transfer of {created} (number "
     "{receipt_number}) by e-mail. Please check the address or get in touch another way.\n\n"
     "It will be deleted automatically on {expires}.\n"},
    {"A message is waiting for your link",
     "{authority}\n\nA confidential message is waiting for you.\n\n    {link}\n\n"
     "This link alone does not open it. The sender gives you the whole link, with the key in it, "
     "in person; we do not have it and never send it by e-mail.\n\n"
     "It will be deleted automatically on {expires}.\n"},
    {"Your message was lost: please send it again",
     "{authority}\n\nThe files of your transfer of {created} (number {receipt_number}) were lost "
     "here by a technical fault and cannot be delivered any more. Please send them again.\n\n"
     "Nobody has read them: they were encrypted.\n"},
}};

std::string filled(std::string_view text,
                   std::initializer_list<std::pair<std::string_view, std::string>> facts) {
    std::string out;
    while (!text.empty()) {
        const std::size_t open = std::min(text.find('{'), text.size());
        out += text.substr(0, open);
        text.remove_prefix(open);
        if (text.empty()) break;
        const std::size_t close = text.find('}');
        expects(close != text.npos, "notice text");
        for (const auto& [name, value] : facts) {
            if (name == text.substr(1, close - 1)) out += value;
        }
        text.remove_prefix(close + 1);
    }
    return out;
}

/// UTC: "2026-11-23", or "23.11.2026" in German.
std::string date_text(std::int64_t time, bool in_english) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(
        std::chrono::sys_seconds{std::chrono::seconds{time}})};
    std::array<char, 32> text{};
    const int year = static_cast<int>(date.year());
    const auto month = static_cast<unsigned>(date.month());
    const auto day = static_cast<unsigned>(date.day());
    if (in_english) {
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", year, month, day);
    } else {
        std::snprintf(text.data(), text.size(), "%02u.%02u.%04d", day, month, year);
    }
    return text.data();
}

} // namespace

std::string_view senders_language(const TransferRow& row) {
    return row.to_citizen ? std::string_view{"de"} : std::string_view{row.language};
}

Mail write_notice(Notice notice, std::string_view language, const NoticeFacts& facts) {
    const bool in_english = language == "en";
    const Text& text = (in_english ? english : german)[static_cast<std::size_t>(notice)];
    const std::string phone_line =
        facts.sender_phone.empty()
            ? std::string{}
            : (in_english ? "Phone for questions: " : "Telefon für Rückfragen: ") +
                  facts.sender_phone + "\n";
    Mail mail;
    mail.subject = filled(text.subject, {{"code_number", facts.code_number}});
    mail.text = filled(text.body, {{"authority", facts.authority},
                                   {"link", facts.link},
                                   {"code", facts.code},
                                   {"code_number", facts.code_number},
                                   {"never_link", facts.never_link},
                                   {"minutes", std::to_string(facts.valid_minutes)},
                                   {"expires", date_text(facts.expires, in_english)},
                                   {"created", date_text(facts.created, in_english)},
                                   {"receipt_number", facts.receipt_number},
                                   {"sender_email", facts.sender_email},
                                   {"phone_line", phone_line}});
    return mail;
}

} // namespace plankurier::relay
