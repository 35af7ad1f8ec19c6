#include <clients/cli/texts.hpp>

namespace plankurier::cli {

namespace {
constexpr std::string_view usage_text = R"(Aufruf: plankurier [Optionen] BEFEHL …

  trust URL (--root DATEI | --fingerprint TEXT)   dem Schlüssel einer Behörde vertrauen
  departments                                     Sachgebiete anzeigen
  send DATEI… --to SACHGEBIET|ADRESSE             verschlüsselt senden
  send --resume [KENNUNG]                         unterbrochenes Senden fortsetzen
  fetch LINK [-o ORDNER] [--key DATEI]            abholen
        [--via https|swarm|auto]                  Weg: von den Servern über HTTPS (auto und
                                                  https) oder als Teilnehmer ihres Schwarms
  fetch --return-link-file QUITTUNG|DATEI|-       Antworten der Behörde abholen, mit dem
        [--transfer KENNUNG]                      geheimen Link aus der Quittung
  inbox --department KENNUNG --key DATEI          zeigen, was für ein Sachgebiet bereitliegt
  fetch --from-inbox KENNUNG --key DATEI          eine davon abholen, ohne Link
  reply --to-transfer KENNUNG --key DATEI [DATEI…] --message TEXT   einer Bürgerin oder einem
        (oder --link-file DATEI)                  Bürger antworten, vom Sachgebiet unterschrieben
  send DATEI… --as-department KENNUNG --key DATEI --to-citizen ADRESSE
                                                  erste Nachricht an Bürger, mit Passwort
  status QUITTUNG                                 Stand einer Sendung
  revoke QUITTUNG                                 Sendung zurückziehen
  keygen --department KENNUNG -o DATEI --record DATEI   Schlüssel eines Sachgebiets erzeugen
  completion bash|zsh|fish                        Vervollständigung für die Shell
  version

Rückgabewerte: 0 gut, 1 allgemein, 2 Aufruf, 3 fortsetzbar, 4 Code, 5 Passwort oder Schlüssel,
6 abgelaufen oder gelöscht, 7 Netz, 8 Bytes verfälscht, 9 nicht zugelassen, 130 abgebrochen
)";
} // namespace

// One subject a line:
// clang-format off
std::string_view text_de(Text which) noexcept {
    switch (which) {
    case Text::usage: return usage_text;
    case Text::version_line: return "plankurier {}";
    case Text::bad_usage: return "So lässt sich der Befehl nicht ausführen. Hilfe: plankurier --help";
    case Text::trust_question: return "Die Behörde „{}“ unter {} zeigt diesen Fingerabdruck:\n\n  {}\n\nVergleichen Sie ihn mit dem auf der Internetseite der Behörde. Vertrauen? (ja/nein) ";
    case Text::trust_pinned: return "Vertraut: „{}“\nFingerabdruck {}";
    case Text::trust_no_key: return "Der Dienst nennt seinen Wurzelschlüssel nicht. Bitte die Datei von der Internetseite der Behörde mit --root angeben.";
    case Text::trust_mismatch: return "Der Fingerabdruck stimmt nicht mit dem Schlüssel des Dienstes überein. Es wurde nichts gemerkt.";
    case Text::ask_code: return "Code aus der E-Mail (leer: noch einmal senden): ";
    case Text::ask_code_sent: return "Ein Code ist unterwegs an Ihre E-Mail-Adresse (bitte auch im Spam-Ordner nachsehen). Er gilt {} Minuten.";
    case Text::working_for_code: return "Gerade werden sehr viele Codes angefordert. Damit auch Sie einen bekommen, löst Ihr Rechner eine kleine Aufgabe; das dauert einige Sekunden …";
    case Text::no_room: return "Der Dienst hat gerade keinen Platz für diese Sendung ({}). Übertragen wurde noch nichts davon.";
    case Text::code_wrong_left: return "Der Code stimmt nicht. Verbleibende Versuche: {}.";
    case Text::ask_password: return "Passwort: "; case Text::ask_password_again: return "Passwort wiederholen: ";
    case Text::ask_passphrase: return "Passphrase der Schlüsseldatei: "; case Text::ask_passphrase_again: return "Passphrase wiederholen: ";
    case Text::password_differs: return "Die beiden Eingaben sind verschieden.";
    case Text::password_generated: return "Passwort für die Behörde:\n\n    {}\n\nBitte jetzt aufschreiben: Ohne dieses Passwort kann die Behörde nichts lesen, und es wird nicht noch einmal angezeigt.\nSagen Sie es der Behörde am Telefon, nicht per E-Mail.";
    case Text::checking: return "Dateien werden geprüft …";
    case Text::sending: return "Senden"; case Text::fetching: return "Abholen";
    case Text::progress_line: return "{} {} %, {} von {}, {}/s, noch {}";
    case Text::network_retry: return "Die Verbindung ist unterbrochen. Neuer Versuch in {} s.";
    case Text::resumable_hint: return "Der Stand ist gesichert. Fortsetzen mit: plankurier send --resume {}";
    case Text::nothing_to_resume: return "Es gibt kein unterbrochenes Senden.";
    case Text::several_to_resume: return "Mehrere Sendungen sind unterbrochen. Bitte eine wählen:";
    case Text::resume_entry: return "  plankurier send --resume {}   ({}, {} Dateien, begonnen {})";
    case Text::resumed: return "Wird fortgesetzt; {} % sind schon sicher gespeichert.";
    case Text::receipt_text: return "Gesendet.\n  Quittung:       {}\n  An:             {} ({})\n  Verfügbar bis:  {} (dann wird alles gelöscht)\n  Stand ansehen:  plankurier status {}\n  Zurückziehen:   plankurier revoke {}";
    case Text::receipt_saved: return "Quittung gespeichert: {}";
    case Text::receipt_fallback: return "Die Quittung konnte dort nicht gespeichert werden; sie liegt jetzt hier: {}";
    case Text::message_from: return "Von: {} <{}> (Adresse bestätigt)";
    case Text::message_unverified: return "ACHTUNG: Die Nachricht nennt als Absender {}, bestätigt wurde aber die Adresse {}. Fragen Sie nach, bevor Sie darauf eingehen.";
    case Text::message_phone: return "Telefon: {}";
    case Text::message_reference: return "Aktenzeichen: {}";
    case Text::message_clerk: return "Ansprechpartner: {}";
    case Text::message_institution: return "Einrichtung: {}";
    case Text::message_subject: return "Betreff: {}";
    case Text::message_files: return "Dateien: {} ({})";
    case Text::file_saved: return "Gespeichert: {}";
    case Text::fetch_done: return "Alles abgeholt und geprüft.";
    case Text::department_line: return "{}\t{}\t{}";
    case Text::status_line: return "Stand: {}, verfügbar bis {}";
    case Text::status_fetched: return "Abgeholt am {}."; case Text::status_not_fetched: return "Noch nicht abgeholt.";
    case Text::revoked_done: return "Zurückgezogen. Nachricht und Dateien werden auf allen Servern gelöscht.";
    case Text::revoke_question: return "Die Sendung wird endgültig gelöscht. Fortfahren? (ja/nein) ";
    case Text::keygen_done: return "Schlüsseldatei: {}\nÖffentlicher Eintrag für die Verwaltung: {}\nBewahren Sie Schlüsseldatei und Passphrase sicher auf: Ohne sie kann niemand die Sendungen lesen.";
    case Text::file_named: return "  betrifft: {}";
    case Text::answer_yes: return "ja";
    case Text::interrupted: return "Abgebrochen.";
    case Text::waiting_for_relay: return "Alles ist übertragen; der Dienst sichert es noch auf Platte …";
    case Text::relay_lost: return "Server {} der Behörde antwortet nicht. Es geht mit den anderen weiter.";
    case Text::copies_made: return "Alles ist übertragen; die Server legen Kopien an (bisher {} von {}). Das kann einige Minuten dauern …";
    case Text::relay_lied: return "ACHTUNG: Server {} ({}) hat falsche Bytes geliefert. Nichts davon wurde behalten, und er wird nicht mehr gefragt. Bitte sagen Sie seinem Betreiber Bescheid.";
    case Text::swarm_gave_up: return "Nicht alles kommt über den Schwarm; der Rest wird über HTTPS geholt.";
    case Text::return_link: return "\nAntworten der Behörde holen Sie mit diesem Link ab. Er ist geheim und steht auch in der Quittung; wer ihn hat, kann die Antworten lesen:\n\n    {}\n";
    case Text::return_link_in_receipt: return "Der geheime Link für Antworten der Behörde steht in der Quittung: {}";
    case Text::password_for_citizen: return "Passwort für die Empfängerin oder den Empfänger:\n\n    {}\n\nBitte jetzt aufschreiben: Es wird nicht noch einmal angezeigt.\nSagen Sie es am Telefon oder schreiben Sie es in einem Brief, nie per E-Mail.";
    case Text::reply_subject: return "AW: {}";
    case Text::no_return_key: return "Diese Sendung hat keinen Rückschlüssel; darauf lässt sich so nicht antworten. Mit Passwort geht es: plankurier send --as-department … --to-citizen ADRESSE";
    case Text::message_signed: return "Unterschrieben von: {} (Unterschrift geprüft)";
    case Text::message_from_signed: return "Von: {}";
    case Text::message_unsigned: return "ACHTUNG: Diese Nachricht ist von keinem Sachgebiet unterschrieben. Es ist nicht sicher, dass sie von der Behörde kommt. Fragen Sie nach, bevor Sie darauf eingehen.";
    case Text::inbox_line: return "{}  {}  bis zu {}  verfügbar bis {}  {}";
    case Text::inbox_new: return "neu"; case Text::inbox_fetched: return "abgeholt";
    case Text::inbox_empty: return "Es liegt nichts bereit.";
    case Text::inbox_all_fetched: return "Alles ist schon abgeholt. Noch einmal holen: --transfer KENNUNG";
    case Text::count: break;
    }
    return {};
}

std::string_view text_de(Errc code) noexcept {
    switch (code) {
    case Errc::invalid_argument: return "Eine Angabe ist nicht zulässig. Bitte prüfen Sie die Angaben (Hilfe: plankurier --help).";
    case Errc::malformed: return "Empfangene oder gelesene Daten haben nicht die richtige Form. Bitte versuchen Sie es noch einmal; bleibt es dabei, wenden Sie sich an die Behörde.";
    case Errc::unsupported: return "Das kann diese Programmversion nicht. Bitte installieren Sie die aktuelle Version.";
    case Errc::not_found: return "Das gibt es nicht oder nicht mehr. Bitte prüfen Sie Link oder Quittung.";
    case Errc::wrong_code: return "Der Code stimmt nicht. Bitte sehen Sie in der neuesten E-Mail nach.";
    case Errc::code_expired: return "Der Code ist zu alt. Bitte beginnen Sie neu, dann kommt ein neuer Code.";
    case Errc::too_many_attempts: return "Das wurde zu oft versucht. Geht es um einen Code, beginnen Sie bitte neu, dann kommt ein neuer.";
    case Errc::too_early: return "Dafür ist es noch zu früh. Bitte warten Sie einen Moment.";
    case Errc::not_verified: return "Die E-Mail-Adresse ist nicht (mehr) bestätigt. Bitte beginnen Sie neu.";
    case Errc::unknown_department: return "Dieses Sachgebiet gibt es nicht. Eine Liste zeigt: plankurier departments";
    case Errc::address_not_allowed: return "An diese oder von dieser Adresse ist das Senden nicht zugelassen. Möglich sind nur Adressen der Behörde selbst, und manche Stellen nehmen nur von bestimmten Absendern an.";
    case Errc::type_not_allowed: return "Dieser Dateityp ist nicht zugelassen, oder Name und Inhalt passen nicht zusammen. Möglich sind .pdf, .jpg und .png, oder was das Sachgebiet davon annimmt.";
    case Errc::too_large: return "Das ist größer, als die Behörde annimmt. Bitte teilen Sie die Sendung auf.";
    case Errc::too_many_files: return "Das sind mehr Dateien, als die Behörde in einer Sendung annimmt. Bitte teilen Sie die Sendung auf.";
    case Errc::quota_exceeded: return "Von dieser Adresse sind zu viele Sendungen unfertig, oder es wurde heute zu viel gesendet. Bitte beenden Sie Begonnenes oder versuchen Sie es morgen noch einmal.";
    case Errc::rate_limited: return "Zu viele Anfragen in kurzer Zeit. Bitte versuchen Sie es in einigen Minuten noch einmal.";
    case Errc::conflict: return "Dieser Schritt passt nicht zum Stand der Sendung. Bitte sehen Sie mit plankurier status nach.";
    case Errc::expired: return "Die Frist ist abgelaufen; es wurde oder wird gelöscht. Ist das Verzeichnis der Behörde gemeint, wenden Sie sich bitte an die Behörde.";
    case Errc::revoked: return "Die Sendung wurde vom Absender zurückgezogen.";
    case Errc::purged: return "Die Sendung wurde bereits gelöscht.";
    case Errc::wrong_password: return "Das Passwort stimmt nicht. Fragen Sie beim Absender nach und versuchen Sie es noch einmal.";
    case Errc::wrong_key: return "Dieser Schlüssel öffnet die Sendung nicht. Sie ging an jemand anderen oder an einen früheren Schlüssel.";
    case Errc::untrusted_root: return "Diesem Dienst wird noch nicht vertraut, oder sein Schlüssel ist ein anderer als der gemerkte. Gesendet wurde nichts. Zuerst: plankurier trust URL --root DATEI (den Schlüssel gibt es auf der Internetseite der Behörde).";
    case Errc::rolled_back: return "Der Dienst zeigt ein älteres Verzeichnis als beim letzten Mal. Bitte senden Sie nichts und wenden Sie sich an die Behörde.";
    case Errc::bad_signature: return "Eine Unterschrift der Behörde stimmt nicht. Bitte senden Sie nichts und wenden Sie sich an die Behörde.";
    case Errc::tampered: return "Daten wurden unterwegs oder auf dem Server verändert. Nichts davon wurde übernommen. Bitte wenden Sie sich an die Behörde.";
    case Errc::file_changed: return "Eine Datei hat sich während des Sendens geändert. Bitte schließen Sie sie in anderen Programmen und senden Sie neu.";
    case Errc::file_unreadable: return "Eine Datei lässt sich nicht öffnen, lesen oder schreiben. Bitte prüfen Sie Pfad und Rechte.";
    case Errc::exists: return "Diese Datei gibt es schon; sie wird nicht überschrieben. Bitte einen anderen Namen wählen.";
    case Errc::no_space: return "Der Speicherplatz ist voll, hier oder beim Dienst. Bitte schaffen Sie Platz oder versuchen Sie es später; Begonnenes lässt sich fortsetzen.";
    case Errc::network: return "Der Dienst ist nicht erreichbar, oder die Verbindung brach ab. Bitte prüfen Sie das Netz und versuchen Sie es noch einmal.";
    case Errc::tls: return "Dem Zertifikat des Dienstes wird nicht vertraut. Bitte prüfen Sie die Adresse; ein eigenes Zertifikat nennt --ca DATEI.";
    case Errc::unavailable: return "Der Dienst kann das gerade nicht. Bitte versuchen Sie es später noch einmal.";
    case Errc::canceled: return "Abgebrochen.";
    }
    return {};
}

// clang-format on

} // namespace plankurier::cli
