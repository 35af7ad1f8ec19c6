#include <clients/cli/texts.hpp>

namespace plankurier::cli {

namespace {
// One subject a line:
// clang-format off
constexpr std::pair<Text, std::string_view> sentences[] = {
    {Text::version_line, "plankurier {}"},
    {Text::trust_question, "Die Behörde „{}“ unter {} zeigt diesen Fingerabdruck:\n\n  {}\n\nVergleichen Sie ihn mit dem auf der Internetseite der Behörde. Vertrauen? (ja/nein) "},
    {Text::trust_pinned, "Vertraut: „{}“\nFingerabdruck {}"},
    {Text::trust_no_key, "Der Dienst nennt seinen Wurzelschlüssel nicht. Bitte die Datei von der Internetseite der Behörde mit --root angeben."},
    {Text::trust_mismatch, "Der Fingerabdruck stimmt nicht mit dem Schlüssel des Dienstes überein. Es wurde nichts gemerkt."},
    {Text::ask_code, "Code aus der E-Mail (leer: noch einmal senden): "},
    {Text::ask_code_number, "Code aus der E-Mail Nr. {} (leer: noch einmal senden): "},
    {Text::ask_code_sent, "Ein Code ist unterwegs an Ihre E-Mail-Adresse (bitte auch im Spam-Ordner nachsehen). Die E-Mail hat die Nr. {} im Betreff; der Code gilt {} Minuten."},
    {Text::waiting_for_code, "Der Code wird aus {} gelesen, sobald er darin steht; so lange wird gewartet (abbrechen: Strg-C)."},
    {Text::working_for_code, "Gerade werden sehr viele Codes angefordert. Damit auch Sie einen bekommen, löst Ihr Rechner eine kleine Aufgabe; das dauert einige Sekunden …"},
    {Text::too_much_work, "Für einen Code verlangt der Dienst gerade mehr Rechenarbeit, als dieses Programm für ihn leistet. Es wurde nichts gerechnet und nichts gesendet. Bitte versuchen Sie es später noch einmal; bleibt es dabei, wenden Sie sich an die Behörde."},
    {Text::no_room, "Der Dienst hat gerade keinen Platz für diese Sendung ({}). Übertragen wurde noch nichts davon."},
    {Text::no_room_yet, "Der Dienst hat gerade keinen Platz für neue Sendungen. Übertragen wurde noch nichts."},
    {Text::no_room_waits, "Der Dienst hat gerade keinen Platz mehr. Es geht von selbst weiter, sobald wieder Platz ist."},
    {Text::code_wrong_left, "Der Code stimmt nicht. Verbleibende Versuche: {}."},
    {Text::ask_password, "Passwort: "},
    {Text::ask_password_again, "Passwort wiederholen: "},
    {Text::ask_passphrase, "Passphrase der Schlüsseldatei: "},
    {Text::ask_passphrase_again, "Passphrase wiederholen: "},
    {Text::password_differs, "Die beiden Eingaben sind verschieden."},
    {Text::password_generated, "Passwort für die Behörde:\n\n    {}\n\nBitte jetzt aufschreiben: Ohne dieses Passwort kann die Behörde nichts lesen, und es wird nicht noch einmal angezeigt.\nSagen Sie es der Behörde am Telefon, nicht per E-Mail."},
    {Text::checking, "Dateien werden geprüft …"},
    {Text::sending, "Senden"},
    {Text::fetching, "Abholen"},
    {Text::progress_line, "{} {} %, {} von {}, {}/s, noch {}"},
    {Text::network_retry, "Der Dienst ist gerade nicht zu erreichen. Neuer Versuch in {} s."},
    {Text::resumable_hint, "Der Stand ist gesichert. Fortsetzen mit: plankurier send --resume {}"},
    {Text::several_to_resume, "Mehrere Sendungen sind unterbrochen. Bitte eine wählen:"},
    {Text::resume_entry, "  plankurier send --resume {}   ({}, an {}; Dateien: {}; begonnen {})"},
    {Text::resumed, "Wird fortgesetzt; {} % sind schon sicher gespeichert."},
    {Text::receipt_text, "Gesendet.\n  Quittung:       {}\n  An:             {} ({})\n  Verfügbar bis:  {} (dann wird alles gelöscht)\n  Stand ansehen:  plankurier status {}\n  Zurückziehen:   plankurier revoke {}"},
    {Text::receipt_saved, "Quittung gespeichert: {}"},
    {Text::receipt_fallback, "Die Quittung konnte am gewünschten Ort nicht gespeichert werden (--receipt {}); sie liegt jetzt hier: {}"},
    {Text::sent_as, "„{}“ wird unter dem Namen „{}“ gesendet."},
    {Text::withdrawn, "Was davon schon übertragen war, ist zurückgezogen."},
    {Text::not_withdrawn, "Was davon schon übertragen war, ließ sich gerade nicht zurückziehen. Später noch einmal: plankurier send --resume {}"},
    {Text::elsewhere_hint, "Der Stand bleibt gesichert. Liegen die Dateien jetzt an einem anderen Ort: plankurier send --resume {} DATEI…"},
    {Text::file_withheld, "Diese Datei ist nicht, was ihr Name sagt, oder von keiner zugelassenen Art. Sie wurde nicht gespeichert; die anderen sind da. Bitte fragen Sie die absendende Person, bevor Sie sie auf anderem Weg annehmen."},
    {Text::report_unsigned, "Die Dateien sind vollständig da. Der Dienst hat die unterschriebene Empfangsbestätigung nicht angenommen; er vermerkt die Abholung ohne Unterschrift. Bitte sagen Sie das der Administration: Der Schlüssel Ihrer Abteilung ist vielleicht erneuert, oder eine Uhr geht falsch."},
    {Text::flaw_empty, "Die Datei ist leer (0 Bytes). Vielleicht wird sie noch geschrieben, oder sie liegt bisher nur in einem Online-Speicher. Bitte öffnen Sie sie einmal, und senden Sie sie dann noch einmal."},
    {Text::flaw_placeholder, "Die Datei enthält nur Nullen: Ihr Inhalt ist noch nicht auf diesem Rechner (OneDrive, iCloud und andere legen solche Platzhalter an) oder beschädigt. Bitte wählen Sie dort „Immer auf diesem Gerät behalten“ oder öffnen Sie die Datei einmal, und senden Sie sie dann noch einmal."},
    {Text::flaw_shortcut, "Das ist nur eine Verknüpfung. Bitte geben Sie die Datei selbst an, auf die sie zeigt."},
    {Text::flaw_name, "Der Inhalt ist {}, der Name sagt etwas anderes. Bitte benennen Sie die Datei so um, dass ihr Name auf {} endet."},
    {Text::flaw_photo, "Das ist ein Foto im Format HEIC oder AVIF, wie es Smartphones aufnehmen. Bitte speichern Sie es als JPEG (iPhone: Einstellungen, Kamera, Formate, „Maximale Kompatibilität“; oder am Rechner öffnen und als JPEG exportieren)."},
    {Text::flaw_image, "Dieses Bildformat wird nicht angenommen. Bitte speichern Sie das Bild als PDF, JPEG oder PNG."},
    {Text::flaw_drawing, "Das ist eine Zeichnung eines CAD-Programms (DWG, DXF, IFC …). Bitte geben Sie sie dort als PDF aus (Drucken oder Plotten, als Drucker „PDF“)."},
    {Text::flaw_archive, "Das ist ein Archiv (ZIP, 7z, RAR …). Bitte packen Sie es aus und geben Sie die Dateien einzeln an; eine Sendung nimmt viele auf."},
    {Text::flaw_document, "Das ist ein Dokument zum Weiterbearbeiten (Word, Excel, LibreOffice, Text …). Bitte speichern Sie es dort als PDF (Datei, Exportieren oder Speichern unter, PDF)."},
    {Text::no_home, "Es ist kein Ort bekannt, an dem Schlüssel und Stand sicher liegen: HOME ist nicht gesetzt oder kein vollständiger Pfad. In den aktuellen Ordner wird nichts davon geschrieben. Bitte setzen Sie HOME (oder XDG_STATE_HOME und XDG_CONFIG_HOME)."},
    {Text::output_failed, "Die Ausgabe ließ sich nicht vollständig schreiben (ist das Ziel voll oder geschlossen?)."},
    {Text::reason_rights, "  Grund: Die Rechte reichen nicht. Bitte einen Ort wählen, der Ihnen gehört, oder die Rechte ändern lassen."},
    {Text::reason_read_only, "  Grund: Der Datenträger ist schreibgeschützt. Bitte einen anderen Ort wählen."},
    {Text::reason_missing, "  Grund: Die Datei oder ihren Ordner gibt es nicht (mehr). Bitte den Pfad prüfen; einen Datenträger bitte wieder anschließen."},
    {Text::reason_not_a_folder, "  Grund: Ein Teil des Pfades ist eine Datei, wo ein Ordner stehen müsste."},
    {Text::reason_a_folder, "  Grund: Das ist ein Ordner. Bitte die Dateien darin angeben (zum Beispiel ORDNER/*.pdf)."},
    {Text::reason_no_file, "  Grund: Das ist keine gewöhnliche Datei, sondern etwa eine Pipe oder ein Gerät. Bitte den Inhalt zuerst als Datei speichern."},
    {Text::reason_open_files, "  Grund: Das System lässt nicht so viele offene Dateien zu. Bitte mehr erlauben (ulimit -n 4096) oder die Sendung aufteilen."},
    {Text::reason_too_large, "  Grund: So große Dateien nimmt dieser Datenträger nicht auf (FAT: höchstens 4 GiB), oder eine Grenze des Systems lässt sie nicht zu (ulimit -f). Bitte einen anderen Ort wählen."},
    {Text::reason_device, "  Grund: Der Datenträger antwortet nicht oder ist beschädigt. Bitte neu anschließen oder einen anderen nehmen."},
    {Text::reason_long_name, "  Grund: Der Name ist für diesen Datenträger zu lang."},
    {Text::message_from, "Von: {} <{}> (Adresse bestätigt)"},
    {Text::message_unverified, "ACHTUNG: Die Nachricht nennt als Absender {}, bestätigt wurde aber die Adresse {}. Fragen Sie nach, bevor Sie darauf eingehen."},
    {Text::message_phone, "Telefon: {}"},
    {Text::message_reference, "Aktenzeichen: {}"},
    {Text::message_clerk, "Ansprechpartner: {}"},
    {Text::message_institution, "Einrichtung: {}"},
    {Text::message_subject, "Betreff: {}"},
    {Text::message_files, "Dateien: {} ({})"},
    {Text::file_saved, "Gespeichert: {}"},
    {Text::fetch_done, "Alles abgeholt und geprüft."},
    {Text::department_line, "{}\t{}\t{}"},
    {Text::status_line, "Stand: {}, verfügbar bis {}"},
    {Text::status_fetched, "Abgeholt am {}."},
    {Text::status_not_fetched, "Noch nicht abgeholt."},
    {Text::revoked_done, "Zurückgezogen. Nachricht und Dateien werden auf allen Servern gelöscht."},
    {Text::revoke_question, "Die Sendung wird endgültig gelöscht. Fortfahren? (ja/nein) "},
    {Text::keygen_done, "Schlüsseldatei: {}\nÖffentlicher Eintrag für die Verwaltung: {}\nBewahren Sie Schlüsseldatei und Passphrase sicher auf: Ohne sie kann niemand die Sendungen lesen."},
    {Text::file_named, "  betrifft: {}"},
    {Text::answer_yes, "ja"},
    {Text::interrupted, "Abgebrochen."},
    {Text::waiting_for_relay, "Alles ist übertragen; der Dienst sichert es noch auf Platte …"},
    {Text::relay_lost, "Server {} der Behörde antwortet nicht. Es geht mit den anderen weiter."},
    {Text::sent_anew, "Kein Server der Behörde bestätigt, dass er alles hat. Es geht deshalb noch einmal vollständig an Server {} (was dort schon liegt, wird nicht neu übertragen)."},
    {Text::copies_made, "Alles ist übertragen; die Server legen Kopien an (bisher {} von {}). Das kann einige Minuten dauern …"},
    {Text::relay_lied, "ACHTUNG: Server {} ({}) hat falsche Bytes geliefert. Nichts davon wurde behalten, und er wird nicht mehr gefragt. Bitte sagen Sie seinem Betreiber Bescheid."},
    {Text::swarm_gave_up, "Nicht alles kommt über den Schwarm; der Rest wird über HTTPS geholt."},
    {Text::fetched_elsewhere, "Diese Sendung wird auf diesem Rechner gerade schon abgeholt. Bitte warten Sie, bis das zu Ende ist, oder brechen Sie es ab."},
    {Text::fetch_goes_on, "Was schon da ist, bleibt auf diesem Rechner; derselbe Befehl setzt das Abholen fort."},
    {Text::checking_kept, "Was von einem früheren Start schon hier liegt, wird geprüft …"},
    {Text::kept_spoilt, "ACHTUNG: Von dem, was schon hier lag, wurde inzwischen etwas verändert, durch ein anderes Programm oder einen Fehler des Datenträgers (Teile: {}). Es wird neu abgeholt."},
    {Text::damaged_state_removed, "Eine vor langer Zeit begonnene Sendung ({}) ließ sich nicht mehr fortsetzen, weil ihr gemerkter Stand beschädigt ist. Was davon aufbewahrt war, auch Schlüssel und Kontaktdaten, ist jetzt gelöscht."},
    {Text::return_link, "\nAntworten der Behörde holen Sie mit diesem Link ab. Er ist geheim und steht auch in der Quittung; wer ihn hat, kann die Antworten lesen:\n\n    {}\n"},
    {Text::return_link_in_receipt, "Der geheime Link für Antworten der Behörde steht in der Quittung: {}"},
    {Text::password_for_citizen, "Passwort für die Empfängerin oder den Empfänger:\n\n    {}\n\nBitte jetzt aufschreiben: Es wird nicht noch einmal angezeigt.\nSagen Sie es am Telefon oder schreiben Sie es in einem Brief, nie per E-Mail."},
    {Text::link_to_pass_on, "Link für die Empfängerin oder den Empfänger:\n\n    {}\n\nBitte jetzt kopieren: Ohne ihn lässt sich die Sendung nicht öffnen, und er wird nicht noch einmal angezeigt.\nGeben Sie ihn selbst weiter, von Hand, am Telefon oder mit einem Messenger. Wer ihn hat, kann alles lesen; wir schicken ihn nicht per E-Mail."},
    {Text::link_incomplete, "Zum Öffnen dieser Sendung brauchen Sie den vollständigen Link, den Ihnen die absendende Person selbst gibt. Der Link aus der E-Mail allein genügt nicht."},
    {Text::reply_subject, "AW: {}"},
    {Text::no_return_key, "Diese Sendung hat keinen Rückschlüssel; darauf lässt sich so nicht antworten. Mit Passwort geht es: plankurier send --as-department … --to-citizen ADRESSE"},
    {Text::message_signed, "Unterschrieben von: {} (Unterschrift geprüft)"},
    {Text::message_from_signed, "Von: {}"},
    {Text::message_unsigned, "ACHTUNG: Diese Nachricht ist von keinem Sachgebiet unterschrieben. Es ist nicht sicher, dass sie von der Behörde kommt. Fragen Sie nach, bevor Sie darauf eingehen."},
    {Text::event_accepted, "Angenommen; die Übertragung beginnt"},
    {Text::event_stored, "Vollständig und geprüft gespeichert (Server: {})"},
    {Text::event_available, "Verfügbar: Der Empfänger kann abholen"},
    {Text::event_fetched, "Abgeholt (vom Programm des Empfängers gemeldet)"},
    {Text::event_fetched_signed, "Abgeholt (vom Empfänger unterschrieben)"},
    {Text::event_expired, "Abgelaufen, wie zugesagt"},
    {Text::event_purged, "Gelöscht: Schlüssel, Einträge und alle Daten sind weg"},
    {Text::event_revoked, "Vom Absender zurückgezogen"},
    {Text::history_line, "{}  {}"},
    {Text::record_line, "Bestätigte Adresse: {}, bestätigt am {}"},
    {Text::verified_by, "Die Unterschrift stimmt: {} (Verzeichnis vom {})."},
    {Text::state_uploading, "wird übertragen"},
    {Text::state_available, "verfügbar"},
    {Text::state_fetched, "abgeholt"},
    {Text::state_expired, "abgelaufen"},
    {Text::state_revoked, "zurückgezogen"},
    {Text::state_withheld, "vom Empfänger zurückgehalten"},
    {Text::ask_new_passphrase, "Neue Passphrase: "},
    {Text::member_made, "Ihre Schlüsseldatei: {}\nÖffentlicher Eintrag für Ihre Kollegin oder Ihren Kollegen: {}\nKennung (bitte am Telefon vergleichen): {}"},
    {Text::member_wrapped, "Der Schlüssel des Sachgebiets ist eingepackt: {}\nDas öffnet nur das Mitglied mit der Kennung {}. Vergleichen Sie sie am Telefon, bevor Sie die Datei weitergeben."},
    {Text::member_unwrapped, "Schlüsseldatei: {}\nSie öffnet die Sendungen an: {}"},
    {Text::member_line, "Mitglied {}  {}  {}"},
    {Text::member_unlisted, "(kein Schlüssel eines Sachgebiets mehr)"},
    {Text::passphrase_changed, "Die Passphrase ist geändert. Ältere Kopien der Datei haben noch die alte."},
    {Text::page_title, "Nachweis einer Übertragung"},
    {Text::page_authority, "Behörde"},
    {Text::page_recipient, "Empfänger"},
    {Text::page_number, "Nummer der Quittung"},
    {Text::page_transfer, "Kennung"},
    {Text::page_state, "Stand"},
    {Text::page_expires, "Verfügbar bis"},
    {Text::page_history, "Verlauf"},
    {Text::page_footer, "Der Verlauf ist vom Dienst der Behörde unterschrieben; die Unterschrift wurde beim Erstellen dieser Seite geprüft. Nachprüfbar ist die Datei von plankurier status --save mit plankurier verify."},
    {Text::expiry_changed, "Verfügbar bis {}."},
    {Text::notice_resent, "Die Nachricht an den Empfänger ist noch einmal unterwegs. Weitere Male möglich: {}."},
    {Text::status_stored, "Gesichert und geprüft: {} (mit Auffüllung), Server: {}."},
    {Text::status_notices, "Die Benachrichtigung kann noch {}-mal wiederholt werden (plankurier resend)."},
    {Text::status_undeliverable, "ACHTUNG: Die Benachrichtigung ließ sich nicht zustellen. Der Empfänger weiß vermutlich nichts von der Sendung. Bitte prüfen Sie die Adresse oder fragen Sie bei der Behörde nach."},
    {Text::status_lost, "ACHTUNG: Die Dateien sind beim Dienst durch einen technischen Fehler verloren gegangen und können nicht mehr abgerufen werden. Bitte senden Sie sie noch einmal."},
    {Text::status_withheld, "Der Empfänger hat die Sendung gemeldet; sie wird nicht mehr ausgeliefert und zur Frist gelöscht. Bitte fragen Sie bei der Behörde nach."},
    {Text::report_question, "Die Sendung kann danach niemand mehr lesen, auch Sie nicht. Melden? (ja/nein) "},
    {Text::reported, "Gemeldet. Niemand kann die Sendung mehr lesen; zur Frist wird sie gelöscht."},
    {Text::address_remembered, "Ihre Adresse bleibt auf diesem Rechner bis {} bestätigt. Vergessen: --remember-days 0"},
    {Text::address_known, "Ihre Adresse ist noch bestätigt; ein Code ist nicht nötig."},
    {Text::inbox_line, "{}  {}  bis zu {}  verfügbar bis {}  {}"},
    {Text::inbox_new, "neu"},
    {Text::inbox_fetched, "abgeholt"},
    {Text::inbox_empty, "Es liegt nichts bereit."},
    {Text::inbox_all_fetched, "Alles ist schon abgeholt. Noch einmal holen: --transfer KENNUNG"},
    {Text::no_usable_key, "{} hat keinen gültigen Schlüssel mehr: Er wurde gesperrt oder ist abgelaufen. Vielleicht ist jemand nicht mehr zuständig. Gesendet wurde nichts. Bitte wählen Sie einen anderen Empfänger (plankurier departments) oder fragen Sie bei der Behörde nach."},
    {Text::clerk_line, "{}\t{}\tAnsprechperson mit eigenem Schlüssel"},
    {Text::clerk_made, "Kennung: {} (steht überall dort, wo die Adresse nicht stehen darf)"},
    {Text::escrow_told, "Bitte beachten: Außer den Empfängern kann auch die Behörde selbst diese Sendung öffnen, mit ihrem Hinterlegungsschlüssel „{}“."},
    {Text::escrow_listed, "Was an diese Empfänger geht, kann auch die Behörde selbst öffnen, mit ihrem Hinterlegungsschlüssel „{}“. {}"},
    {Text::escrow_opened, "Mit dem Hinterlegungsschlüssel der Behörde geöffnet. Der Absender sieht, dass abgeholt wurde, ohne Unterschrift eines Empfängers."},
    {Text::escrow_made, "Schlüsseldatei: {}\nÖffentlicher Eintrag für die Verwaltung: {}\nSobald der Eintrag im Verzeichnis steht, öffnet dieser Schlüssel alles, was an Sachgebiete und Ansprechpersonen verschlüsselt wird; das erfährt jeder Absender. Bewahren Sie Schlüsseldatei und Passphrase getrennt und ohne Netz auf."},
    {Text::receipt_escrow, "  Hinterlegung:   Auch die Behörde selbst kann sie öffnen, mit „{}“"},
    {Text::page_escrow, "Hinterlegungsschlüssel (auch die Behörde selbst kann öffnen)"},
    {Text::clock_wrong, "Die Uhr dieses Computers geht falsch: Hier ist es {}, beim Dienst {}. Bitte stellen Sie Datum und Uhrzeit richtig, am besten automatisch. (Stimmen sie, dann geht die Uhr des Dienstes falsch: Sagen Sie der Behörde Bescheid.)"},
    {Text::clock_first, "Mit dieser Uhr lässt sich nicht prüfen, ob Zertifikat und Schlüssel des Dienstes gelten. Es ging nichts verloren. Bitte stellen Sie erst die Uhr richtig und wiederholen Sie dann den Befehl."},
    {Text::key_unlocked, "Der Schlüssel ist bis {} entsperrt. Früher beenden das: plankurier lock, Ruhezustand, Abmelden."},
    {Text::keys_locked, "Gesperrt. Ab jetzt wird wieder nach der Passphrase gefragt."},
    {Text::nothing_unlocked, "Es war kein Schlüssel entsperrt."},
    {Text::memory_not_locked, "Dieser Computer lässt nicht zu, dass ein Schlüssel vor dem Auslagern geschützt wird (ulimit -l). Er bleibt deshalb gesperrt."},
};
static_assert(is_whole_catalogue<Text>(sentences));

} // namespace

std::string_view text_de(Text which) noexcept {
    return which < Text::count ? sentences[static_cast<std::size_t>(which)].second : "";
}

std::string_view text_de(Errc code) noexcept {
    switch (code) {
    case Errc::invalid_argument: return "Eine Angabe ist nicht zulässig. Bitte prüfen Sie die Angaben (Hilfe: plankurier help BEFEHL).";
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
    case Errc::link_not_allowed: return "Diese Behörde lässt Sendungen, die ein Link allein öffnet, nicht zu. Bitte senden Sie ohne --by-link, dann mit Passwort.";
    case Errc::too_large: return "Das ist größer, als die Behörde annimmt. Bitte teilen Sie die Sendung auf.";
    case Errc::too_many_files: return "Das sind mehr Dateien, als die Behörde in einer Sendung annimmt. Bitte teilen Sie die Sendung auf.";
    case Errc::quota_exceeded: return "Von dieser Adresse sind zu viele Sendungen unfertig, oder es wurde heute zu viel gesendet. Bitte beenden Sie Begonnenes oder versuchen Sie es morgen noch einmal.";
    case Errc::rate_limited: return "Zu viele Anfragen in kurzer Zeit. Bitte versuchen Sie es in einigen Minuten noch einmal.";
    case Errc::conflict: return "Dieser Schritt passt nicht zum Stand der Sendung. Bitte sehen Sie mit plankurier status nach.";
    case Errc::expired: return "Die Frist ist abgelaufen; es wurde oder wird gelöscht. Ist das Verzeichnis der Behörde gemeint, wenden Sie sich bitte an die Behörde.";
    case Errc::revoked: return "Die Sendung wurde vom Absender zurückgezogen.";
    case Errc::purged: return "Die Sendung wurde bereits gelöscht.";
    case Errc::lost: return "Die Dateien sind beim Dienst durch einen technischen Fehler verloren gegangen. Die absendende Person weiß es und wird gebeten, noch einmal zu senden.";
    case Errc::wrong_password: return "Das Passwort stimmt nicht. Fragen Sie beim Absender nach und versuchen Sie es noch einmal.";
    case Errc::wrong_key: return "Dieser Schlüssel oder Link öffnet die Sendung nicht. Sie ging an jemand anderen oder an einen früheren Schlüssel, oder vom Link fehlt etwas.";
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
    case Errc::busy: return "Der Dienst ist gerade sehr gefragt. Bitte versuchen Sie es in einigen Minuten noch einmal.";
    case Errc::unavailable: return "Der Dienst kann das gerade nicht. Bitte versuchen Sie es später noch einmal.";
    case Errc::canceled: return "Abgebrochen.";
    }
    return {};
}

// clang-format on

} // namespace plankurier::cli
