#include "relay/nginx_pages.hpp"

namespace plankurier::relay {

namespace {

/// HTML, inside an nginx string in single quotes where "$" would begin a variable.
std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '\'': out += "&#39;"; break;
        case '"': out += "&quot;"; break;
        case '$': out += "&#36;"; break;
        case '\\': out += "&#92;"; break;
        default: out += c;
        }
    }
    return out;
}

struct Words {
    const char* title;
    const char* text; ///< HTML
};
struct Page {
    Words german, english;
};

constexpr const char* style = "body{font:1.1rem/1.5 sans-serif;max-width:42rem;margin:2rem auto;"
                              "padding:0 1rem;color:#1a1a1a;background:#fff}"
                              "h1{font-size:1.5rem;line-height:1.3}section{margin-bottom:3rem}"
                              "pre{padding:.75rem;background:#f2f2f2;white-space:pre-wrap}";

constexpr Page transfer_page{
    {"Eine vertrauliche Nachricht wartet auf Sie",
     "<p>Sie öffnen sie mit dem Programm <b>plankurier</b>. Kopieren Sie dazu den ganzen Link aus "
     "der E-Mail, auch was hinter dem Zeichen # steht, und geben Sie ein:</p>"
     "<pre>plankurier fetch &quot;LINK&quot;</pre>"
     "<p>Das Programm fragt nach dem Passwort, das Sie am Telefon oder in einem Brief erfahren. "
     "Haben Sie eine Schlüsseldatei, so nennen Sie sie dahinter:</p>"
     "<pre>plankurier fetch &quot;LINK&quot; --key DATEI</pre>"
     "<p>Durch diese Seite ist nichts abgerufen worden, und nichts geht verloren, solange die "
     "Frist "
     "in der E-Mail läuft.</p>"},
    {"A confidential message is waiting for you",
     "<p>You open it with the program <b>plankurier</b>. Copy the whole link of the e-mail, also "
     "what stands behind the sign #, and type:</p><pre>plankurier fetch &quot;LINK&quot;</pre>"
     "<p>The program asks for the password, which you are told on the phone or in a letter. If you "
     "have a key file, name it too:</p><pre>plankurier fetch &quot;LINK&quot; --key FILE</pre>"
     "<p>This page has fetched nothing, and nothing is lost before the date in the e-mail.</p>"}};

constexpr Page code_page{
    {"Ihr Bestätigungscode steht in der E-Mail",
     "<p>Tippen Sie ihn dort ein, wo Sie ihn angefordert haben: im Programm <b>plankurier</b>, das "
     "gerade danach fragt. Geben Sie ihn nicht weiter; niemand von uns fragt danach.</p>"
     "<p>Haben Sie keinen Code angefordert, ist nichts zu tun.</p>"},
    {"Your verification code stands in the e-mail",
     "<p>Type it in where you asked for it: in the program <b>plankurier</b>, which is asking for "
     "it just now. Do not pass it on; none of us will ask for it.</p>"
     "<p>If you did not ask for a code, there is nothing to do.</p>"}};

constexpr Page answers_page{
    {"Antworten der Behörde",
     "<p>Mit diesem geheimen Link holen Sie die Antworten auf Ihre Nachricht. Er steht auch in "
     "Ihrer Quittung; geben Sie ihn nicht weiter. Mit dem Programm <b>plankurier</b>:</p>"
     "<pre>plankurier fetch --return-link-file QUITTUNG</pre>"
     "<p>Haben Sie nur den Link, geben Sie <b>-</b> statt der Quittung an und fügen Sie ihn dann "
     "ein.</p>"},
    {"Answers of the authority",
     "<p>With this secret link you fetch the answers to your message. It stands in your receipt "
     "too; do not pass it on. With the program <b>plankurier</b>:</p>"
     "<pre>plankurier fetch --return-link-file RECEIPT</pre>"
     "<p>If you only have the link, type <b>-</b> instead of the receipt and paste it then.</p>"}};

constexpr Page never_page{
    {"Nie wieder E-Mails von hier",
     "<p>Bis jetzt ist nichts geändert. Schreiben oder sagen Sie der Behörde, dass Ihre Adresse "
     "keine E-Mails von hier bekommen soll; sie trägt das ein.</p>"
     "<p>Haben Sie keinen Code angefordert, hat sich vermutlich jemand vertippt: dann ist nichts "
     "zu "
     "tun.</p>"},
    {"Never again mail from here",
     "<p>Nothing has been changed yet. Write to the authority, or tell it, that your address "
     "should "
     "get no mail from here; it will see to it.</p>"
     "<p>If you did not ask for a code, somebody has probably mistyped an address: then there is "
     "nothing to do.</p>"}};

constexpr Page start_page{
    {"Vertrauliche Nachrichten und große Dateien",
     "<p>Hier nimmt die Behörde vertrauliche Nachrichten mit Plänen und Bildern an, vor dem Senden "
     "verschlüsselt. Mit dem Programm <b>plankurier</b>:</p><pre>plankurier departments\n"
     "plankurier send DATEI --to ABTEILUNG</pre>"},
    {"Confidential messages and large files",
     "<p>Here the authority takes confidential messages with plans and images, sealed before they "
     "are sent. With the program <b>plankurier</b>:</p><pre>plankurier departments\n"
     "plankurier send FILE --to DEPARTMENT</pre>"}};

constexpr Page missing_page{
    {"Diese Seite gibt es nicht",
     "<p>Bitte kopieren Sie den ganzen Link aus der E-Mail. Haben Sie ihn nicht mehr, hilft Ihnen "
     "die Behörde weiter.</p>"},
    {"There is no such page",
     "<p>Please copy the whole link of the e-mail. If you have lost it, ask the authority.</p>"}};

std::string section(const char* language, const Words& words) {
    return std::string{"<section lang=\""} + language + "\"><h1>" + words.title + "</h1>" +
           words.text + "</section>";
}

std::string html(const Page& page, const std::string& authority) {
    return "<!doctype html><html lang=\"de\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width\"><title>" +
           std::string{page.german.title} +
           "</title><link rel=\"stylesheet\" href=\"/style.css\">" + "</head><body><p>" +
           escaped(authority) + "</p><main>" + section("de", page.german) +
           section("en", page.english) + "</main></body></html>\n";
}

std::string location(const std::string& where, const std::string& status, const std::string& type,
                     const std::string& body) {
    return "location " + where + " {\n    types { }\n    default_type \"" + type + "\";\n" +
           "    return " + status + " '" + body + "';\n}\n";
}

} // namespace

std::string nginx_pages_text(const std::string& authority) {
    const std::string type = "text/html; charset=utf-8";
    const auto page = [&](const std::string& where, const Page& one) {
        return location(where, "200", type, html(one, authority));
    };
    // Behind the letter: nothing, or no sign of a word ("/#", "/?", "/%23…", "//").
    const auto letter = [](const char* one) {
        return std::string{"~ \"^/"} + one + "([^a-z0-9]|$)\"";
    };
    return "# Written by plankurier-relay; what is changed here is lost.\n" +
           page("= /", start_page) + page(letter("t"), transfer_page) +
           page(letter("c"), code_page) + page(letter("r"), answers_page) +
           page(letter("n"), never_page) +
           location("= /style.css", "200", "text/css; charset=utf-8", style) +
           location("@missing", "404", type, html(missing_page, authority));
}

} // namespace plankurier::relay
