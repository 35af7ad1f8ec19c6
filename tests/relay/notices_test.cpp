// The mails word for word where it matters: in each language each says what it is for, and holds no
// fact that does not belong there.
#include "relay/domain/notices.hpp"

#include <catch2/catch.hpp>

#include <set>

namespace plankurier::test::notices_test {

namespace {

using relay::Notice;

/// Each fact is a word of its own, so that a test sees where it stands.
relay::NoticeFacts facts() {
    relay::NoticeFacts out;
    out.authority = "AUTHORITY";
    out.link = "LINK-1";
    out.code = "CODE";
    out.never_link = "NEVER";
    out.receipt_number = "NUMBER";
    out.sender_email = "SENDER";
    out.sender_phone = "PHONE";
    out.created = 1'700'000'000; // 2023-11-14
    out.expires = 1'710'000'000; // 2024-03-09
    out.valid_minutes = 30;
    out.code_number = "417";
    return out;
}
struct Expected {
    Notice notice;
    std::string german_subject, english_subject;
    std::string german_words, english_words; ///< what it says in its own words
    std::set<std::string> facts;             ///< those that stand in it, besides the authority
};
const std::string expires_de = "09.03.2024", expires_en = "2024-03-09";
const std::set<std::string> of_a_recipient{"LINK-1", "expires"},
    of_a_sender{"NUMBER", "created", "expires"};

const std::vector<Expected>& all_notices() {
    static const std::vector<Expected> notices = {
        {Notice::code,
         "Ihr Bestätigungscode (Nr. 417)",
         "Your verification code (no. 417)",
         "nach dem Code der E-Mail Nr. 417",
         "where the code of e-mail no. 417",
         {"LINK-1", "CODE", "NEVER"}},
        {Notice::department, "Eine vertrauliche Nachricht wartet",
         "A confidential message is waiting", "Für Sie oder Ihre Stelle wartet",
         "for you or your department", of_a_recipient},
        {Notice::password,
         "Eine vertrauliche Nachricht wartet",
         "A confidential message is waiting",
         "es kommt am Telefon",
         "it comes by phone",
         {"LINK-1", "expires", "SENDER", "PHONE"}},
        {Notice::fetched, "Ihre Nachricht wurde abgerufen", "Your message was fetched",
         "vollständig abgerufen", "was fetched completely", of_a_sender},
        {Notice::not_fetched,
         "Ihre Nachricht wurde nicht abgerufen",
         "Your message was not fetched",
         "ist jetzt gelöscht",
         "is now deleted",
         {"NUMBER", "created"}},
        {Notice::answer, "Eine Antwort liegt bereit", "An answer is ready", "Rücklink",
         "return link", of_a_recipient},
        {Notice::message, "Eine Nachricht liegt bereit", "A message is ready",
         "nie in einer E-Mail", "never by e-mail", of_a_recipient},
        {Notice::not_yet_fetched, "Ihre Nachricht ist noch nicht abgerufen",
         "Your message has not been fetched yet", "ist noch nicht abgerufen",
         "has not been fetched yet", of_a_sender},
        {Notice::reminder, "Eine vertrauliche Nachricht wartet noch",
         "A confidential message is still waiting", "ist noch nicht abgerufen",
         "has not been fetched yet", of_a_recipient},
        {Notice::undeliverable, "Ihre Nachricht ist nicht zustellbar",
         "Your message is undeliverable", "prüfen Sie die Adresse", "check the address",
         of_a_sender},
        {Notice::by_link, "Eine Nachricht wartet auf Ihren Link",
         "A message is waiting for your link", "Dieser Link allein öffnet sie nicht",
         "This link alone does not open it", of_a_recipient},
        {Notice::lost,
         "Ihre Nachricht ging verloren: bitte senden Sie noch einmal",
         "Your message was lost: please send it again",
         "können nicht mehr zugestellt werden",
         "cannot be delivered any more",
         {"NUMBER", "created"}},
    };
    return notices;
}

std::set<std::string> facts_in(const std::string& text, const std::string& created,
                               const std::string& expires) {
    std::set<std::string> out;
    for (const char* fact : {"LINK-1", "CODE", "NEVER", "NUMBER", "SENDER", "PHONE"}) {
        if (text.find(fact) != text.npos) out.insert(fact);
    }
    if (text.find(created) != text.npos) out.insert("created");
    if (text.find(expires) != text.npos) out.insert("expires");
    return out;
}

} // namespace

TEST_CASE("each mail says in German and English what it is for, and nothing else") {
    CHECK(all_notices().size() == static_cast<std::size_t>(Notice::lost) + 1);
    for (const Expected& expected : all_notices()) {
        INFO(expected.english_subject);
        const relay::Mail german = write_notice(expected.notice, "de", facts());
        const relay::Mail english = write_notice(expected.notice, "en", facts());
        CHECK(german.subject == expected.german_subject);
        CHECK(english.subject == expected.english_subject);
        CHECK(german.text.find(expected.german_words) != std::string::npos);
        CHECK(english.text.find(expected.english_words) != std::string::npos);
        CHECK(facts_in(german.text, "14.11.2023", expires_de) == expected.facts);
        CHECK(facts_in(english.text, "2023-11-14", expires_en) == expected.facts);
        for (const relay::Mail& mail : {german, english}) {
            CHECK(mail.text.starts_with("AUTHORITY\n"));
            CHECK(mail.text.ends_with("\n"));
            CHECK(mail.text.find_first_of("{}") == std::string::npos);
        }
        CHECK(write_notice(expected.notice, "fr", facts()).text == german.text);
    }
}

TEST_CASE("a phone number that was not given leaves no line") {
    auto without = facts();
    without.sender_phone.clear();
    for (const char* language : {"de", "en"}) {
        const relay::Mail mail = write_notice(Notice::password, language, without);
        CHECK(mail.text.find("SENDER\n") != std::string::npos);
        CHECK(mail.text.find("Telefon für") == std::string::npos);
        CHECK(mail.text.find("Phone for") == std::string::npos);
    }
}

} // namespace plankurier::test::notices_test
