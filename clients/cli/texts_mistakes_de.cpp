#include <clients/cli/texts_mistakes.hpp>

namespace plankurier::cli {

namespace {
constexpr std::string_view short_help =
    R"(plankurier sendet große Dateien verschlüsselt an Ihre Behörde und holt Antworten ab.

  plankurier trust https://…           einmal: die Behörde eintragen
  plankurier departments               wer dort erreichbar ist
  plankurier send plan.pdf --to …      senden
  plankurier fetch "LINK"              abholen
  plankurier status QUITTUNG           was aus einer Sendung wurde

Alle Befehle: plankurier help      Ein Befehl mit Beispielen: plankurier help send)";
// One subject a line:
// clang-format off
constexpr std::pair<Mistake, std::string_view> sentences[] = {
    {Mistake::no_command, short_help},
    {Mistake::unknown_command, "Den Befehl „{}“ gibt es nicht. Alle Befehle zeigt: plankurier help"},
    {Mistake::unknown_command_near, "Den Befehl „{}“ gibt es nicht. Meinten Sie: plankurier {}\nAlle Befehle zeigt: plankurier help"},
    {Mistake::unknown_option, "Die Option {} gibt es nicht. Hilfe: plankurier help {}"},
    {Mistake::unknown_option_near, "Die Option {} gibt es nicht. Meinten Sie {}? Hilfe: plankurier help {}"},
    {Mistake::option_of_others, "Die Option {} gehört nicht zu „{}“, sondern zu: {}. Hilfe: plankurier help {}"},
    {Mistake::value_missing, "Hinter {} fehlt die Angabe. Hilfe: plankurier help {}"},
    {Mistake::value_unwanted, "Die Option {} steht allein, ohne eine Angabe dahinter. Hilfe: plankurier help {}"},
    {Mistake::given_twice, "Die Option {} darf nur einmal vorkommen. Bitte lassen Sie eine davon weg."},
    {Mistake::options_clash, "{} und {} passen nicht zusammen. Bitte lassen Sie eines davon weg."},
    {Mistake::option_needed, "Es fehlt {}. Beispiele zeigt: plankurier help {}"},
    {Mistake::argument_extra, "„{}“ ist hier zu viel. Steht darin ein Leerzeichen, setzen Sie die Angabe bitte in Anführungszeichen. Hilfe: plankurier help {}"},
    {Mistake::number_range, "{}: „{}“ geht nicht. Möglich ist eine ganze Zahl von {} bis {}."},
    {Mistake::days_form, "{}: „{}“ ist keine Frist. Möglich sind Tage oder Wochen, zum Beispiel 14d oder 2w."},
    {Mistake::hours_form, "{}: „{}“ ist keine Dauer. Möglich sind Stunden und Minuten bis zu einem Tag, zum Beispiel 8h oder 8h30m."},
    {Mistake::one_of, "{}: „{}“ gibt es nicht. Möglich ist: {}."},
    {Mistake::option_empty, "Die Angabe hinter {} ist leer. Beispiele zeigt: plankurier help {}"},
    {Mistake::outputs_same, "Zwei Optionen nennen dieselbe Datei: „{}“. Es wurde nichts geschrieben. Bitte nennen Sie zwei verschiedene."},
    {Mistake::config_unreadable, "Die Einstellungen in {} lassen sich nicht lesen (--config oder PLANKURIER_CONFIG). Bitte prüfen Sie Pfad und Rechte."},
    {Mistake::config_syntax, "Eine Zeile in {} ist keine Einstellung: „{}“. Eine Zeile sieht so aus: server = \"https://senden.amt.example\""},
    {Mistake::config_unknown, "Die Einstellung „{}“ in {} gibt es nicht. Möglich sind: server, ca, retries, timeout."},
    {Mistake::config_value, "Die Einstellung „{}“ in {}: „{}“ geht nicht. Möglich ist eine ganze Zahl von {} bis {}."},
    {Mistake::nothing_trusted, "Auf diesem Rechner wird noch keiner Behörde vertraut. Die Adresse ihres Dienstes steht auf der Internetseite der Behörde, und dort auch der Fingerabdruck zum Vergleichen. Zuerst:\n\n    plankurier trust https://ADRESSE-DES-DIENSTES\n\nDanach zeigt „plankurier departments“ die Sachgebiete."},
    {Mistake::several_trusted, "Auf diesem Rechner wird mehreren Behörden vertraut. Bitte nennen Sie eine davon mit --server:{}"},
    {Mistake::server_untrusted, "Dem Dienst {} wird auf diesem Rechner noch nicht vertraut. Gesendet wurde nichts. Zuerst:\n\n    plankurier trust {}\n\nVergleichen Sie dabei den Fingerabdruck mit dem auf der Internetseite der Behörde."},
    {Mistake::server_needed, "Es fehlt die Adresse des Dienstes, zum Beispiel: plankurier trust https://senden.amt.example"},
    {Mistake::server_form, "„{}“ ist keine Adresse eines Dienstes. Sie beginnt mit https:// und steht auf der Internetseite der Behörde."},
    {Mistake::link_needed, "Es fehlt der Link aus der E-Mail (oder --link-file DATEI mit dem Link darin). Setzen Sie ihn in Anführungszeichen: plankurier {} \"LINK\""},
    {Mistake::receipt_needed, "Es fehlt die Quittung; das ist die Datei, die beim Senden gespeichert wurde: plankurier {} QUITTUNG"},
    {Mistake::proof_needed, "Es fehlt die Datei, die geprüft werden soll: plankurier verify DATEI"},
    {Mistake::key_file_needed, "Es fehlt die Schlüsseldatei: plankurier passphrase DATEI"},
    {Mistake::shell_needed, "Bitte nennen Sie die Shell: plankurier completion bash, zsh oder fish"},
    {Mistake::member_action, "Hinter „members“ steht eines davon: new, wrap, unwrap oder list. Beispiele zeigt: plankurier help members"},
    {Mistake::wraps_needed, "Es fehlt die Datei mit dem eingepackten Schlüssel: plankurier members {} DATEI"},
    {Mistake::place_needed, "Bitte nennen Sie nur eines: den Link oder --from-inbox KENNUNG."},
    {Mistake::reply_needs_one, "Bitte nennen Sie, worauf geantwortet wird, mit einem von beiden: --to-transfer KENNUNG oder --link-file DATEI (mit dem Link darin)."},
    {Mistake::keygen_for, "Bitte nennen Sie, für wen der Schlüssel ist, mit genau einem davon: --department KENNUNG, --clerk ADRESSE oder --escrow."},
    {Mistake::keygen_name, "Es fehlt --name: So heißt die Ansprechperson oder der Hinterlegungsschlüssel im Verzeichnis."},
    {Mistake::department_id_form, "--department: „{}“ ist keine Kennung. Sie besteht aus kleinen Buchstaben a bis z, Ziffern, - und _, zum Beispiel bauamt (höchstens 64)."},
    {Mistake::epoch_fits_not, "--epoch: Der alte Eintrag gehört zu jemand anderem. Bitte nennen Sie den von {}."},
    {Mistake::as_department_needs, "Als Sachgebiet schreiben Sie mit allen dreien: --as-department KENNUNG, --key DATEI und --to-citizen ADRESSE; ohne --to."},
    {Mistake::id_form, "{}: „{}“ ist keine Kennung einer Sendung. Sie hat 32 Zeichen, 0 bis 9 und a bis f."},
    {Mistake::resume_which, "Bitte wiederholen Sie einen dieser Befehle."},
    {Mistake::resume_none, "Es gibt kein unterbrochenes Senden."},
    {Mistake::resume_unknown, "--resume: Zu „{}“ gibt es hier kein unterbrochenes Senden; was zu Ende gesendet oder zurückgezogen ist, lässt sich nicht fortsetzen. Was unterbrochen ist, setzt fort: plankurier send --resume"},
    {Mistake::being_sent, "Diese Sendung wird auf diesem Rechner gerade schon gesendet. Bitte warten Sie, bis das zu Ende ist, oder brechen Sie es ab."},
    {Mistake::address_needed, "Es fehlt Ihre E-Mail-Adresse: --email ADRESSE. Dorthin kommt der Code zur Bestätigung."},
    {Mistake::address_form, "{}: „{}“ ist keine E-Mail-Adresse. Eine Adresse sieht so aus: anna.muster@example.org"},
    {Mistake::address_local_part, "{}: An „{}“ kann der Dienst keine E-Mail schicken, denn vor dem @ steht ein Umlaut oder ein anderes Zeichen außerhalb von a bis z. Bitte nehmen Sie eine andere Adresse; die meisten Anbieter geben dafür eine mit ae, oe oder ue."},
    {Mistake::address_domain, "{}: In „{}“ ist der Teil hinter dem @ kein Name im Internet. Bitte prüfen Sie ihn."},
    {Mistake::phone_needed, "--share-phone gibt Ihre Telefonnummer weiter; es fehlt --phone NUMMER."},
    {Mistake::phone_form, "--phone: „{}“ lässt sich nicht weitergeben. Möglich sind Ziffern, Leerzeichen und + - / . ( ), höchstens 64 Zeichen."},
    {Mistake::contact_long, "{}: Der Text ist zu lang. Möglich sind höchstens {} Zeichen; für mehr ist --message da."},
    {Mistake::to_needed, "Es fehlt, an wen gesendet wird: --to SACHGEBIET oder --to ADRESSE. Die Liste zeigt: plankurier departments"},
    {Mistake::to_unknown, "--to: Ein Sachgebiet „{}“ gibt es hier nicht. Die Liste zeigt: plankurier departments"},
    {Mistake::to_unknown_near, "--to: Ein Sachgebiet „{}“ gibt es hier nicht. Meinten Sie: --to {}\nDie Liste zeigt: plankurier departments"},
    {Mistake::to_foreign_address, "--to {}: Das ist keine der Adressen der Behörde; sie enden auf {}. Es wurde kein Code angefordert und nichts gesendet. Bitte prüfen Sie die Adresse."},
    {Mistake::to_no_address, "--to {}: Bei dieser Behörde sind nur die Sachgebiete zu erreichen, keine Adressen von Sachbearbeitern. Es wurde kein Code angefordert und nichts gesendet. Eine Liste: plankurier departments"},
    {Mistake::to_many, "--to: Das sind {} Empfänger; möglich sind bis zu {}. Bitte senden Sie in mehreren Sendungen."},
    {Mistake::to_twice, "--to: „{}“ steht zweimal da. Bitte lassen Sie eines weg."},
    {Mistake::typed_alone, "{} hat keinen Schlüssel im Verzeichnis. Eine solche Adresse ist nur mit Passwort und nur allein erreichbar: Bitte senden Sie dorthin getrennt, oder lassen Sie sie hier weg."},
    {Mistake::password_alone, "Ein Passwort gibt es nur für eine einzelne E-Mail-Adresse. Bitte lassen Sie --password und --password-file weg, oder nennen Sie eine Adresse allein."},
    {Mistake::expires_range, "--expires: {} Tage sind hier nicht möglich, sondern {} bis {} Tage."},
    {Mistake::remember_range, "--remember-days: {} Tage sind hier nicht möglich, sondern 0 bis {}."},
    {Mistake::remember_never, "--remember-days: Diese Behörde lässt Adressen nicht bestätigt. Bitte lassen Sie die Option weg."},
    {Mistake::days_refused, "--days: {} Tage ab jetzt sind länger, als diese Behörde die Sendung bereithält. Bitte nennen Sie weniger Tage."},
    {Mistake::by_link_alone, "--by-link geht nur an eine einzelne Person (ein --to ADRESSE oder --to-citizen ADRESSE) und nicht zusammen mit --password, --password-file, --word-list oder --share-phone."},
    {Mistake::link_file_alone, "--link-file gehört beim Senden zu --by-link: Dort wird der Link gespeichert. Bitte geben Sie --by-link dazu an, oder lassen Sie --link-file weg."},
    {Mistake::nothing_to_send, "Es fehlt, was gesendet werden soll: Nennen Sie Dateien, oder schreiben Sie eine Nachricht mit --message TEXT."},
    {Mistake::message_long, "{}: Die Nachricht hat {}; möglich sind {}. Bitte kürzen Sie sie, oder senden Sie sie als PDF-Datei."},
    {Mistake::message_twice, "Die Nachricht kommt entweder von --message oder aus --message-file. Bitte lassen Sie eines weg."},
    {Mistake::file_name_form, "Der Name der Datei „{}“ lässt sich nicht senden: Er ist zu lang oder nicht in UTF-8 geschrieben. Bitte benennen Sie sie um."},
    {Mistake::transfer_large, "Die Dateien haben zusammen {}, verschlüsselt und aufgefüllt {}; angenommen werden hier bis zu {}. Gesendet wurde nichts, auch kein Code. Bitte teilen Sie die Sendung auf."},
    {Mistake::nobody_to_ask, "Hier lässt sich nichts fragen, weil niemand am Bildschirm eingeben kann. Bitte rufen Sie den Befehl in einem Terminal auf, oder geben Sie alles als Option an (plankurier help BEFEHL)."},
    {Mistake::nobody_asks_password, "Nach dem Passwort lässt sich hier nicht fragen. Bitte rufen Sie den Befehl in einem Terminal auf, oder nennen Sie eine Datei mit dem Passwort: --password-file DATEI"},
    {Mistake::nobody_asks_passphrase, "Nach der Passphrase der Schlüsseldatei lässt sich hier nicht fragen. Bitte rufen Sie den Befehl in einem Terminal auf, oder nennen Sie eine Datei mit der Passphrase: --passphrase-file DATEI"},
    {Mistake::nobody_asks_new_passphrase, "Nach einer neuen Passphrase lässt sich hier nicht fragen. Bitte rufen Sie den Befehl in einem Terminal auf, oder nennen Sie eine Datei: --passphrase-file DATEI (für eine geänderte: --new-passphrase-file DATEI)"},
    {Mistake::secret_empty, "Die erste Zeile der Datei hinter {} ist leer. Bitte schreiben Sie das Passwort oder die Passphrase hinein."},
    {Mistake::encoding_of_option, "{}: Der Text ist nicht in UTF-8 geschrieben, sondern vermutlich in {}. Bitte speichern Sie ihn als UTF-8 (im Editor: „Speichern unter“, Zeichensatz UTF-8)."},
    {Mistake::encoding_of_file, "Eine der Dateien mit Passwort, Passphrase, Code oder Link (oder die Eingabe) ist nicht in UTF-8 geschrieben, sondern vermutlich in Latin-1 (ISO 8859-1, Windows-1252). Bitte speichern Sie sie als UTF-8."},
    {Mistake::encoding_utf16, "Eine der Dateien mit Passwort, Passphrase, Code oder Link (oder die Eingabe) ist in UTF-16 ohne Kennung am Anfang geschrieben. Bitte speichern Sie sie als UTF-8."},
    {Mistake::code_form, "Das kann kein Code sein: Ein Code hat acht Zeichen, zum Beispiel K7QM-2RFX. Er steht mitten in der E-Mail; die Nummer im Betreff ist nicht der Code. Ein Versuch wurde nicht verbraucht."},
    {Mistake::code_missing, "Es wurde kein Code eingegeben; die Adresse aus --email ist noch nicht bestätigt. In einem Terminal fragt das Programm nach dem Code aus der E-Mail; sonst nennen Sie eine Datei damit: --code-from DATEI"},
    {Mistake::passphrase_wrong, "Die Passphrase der Schlüsseldatei stimmt nicht. Bitte achten Sie auf Großschreibung und Tastaturbelegung."},
    {Mistake::link_form, "Das ist kein vollständiger Link. Vermutlich fehlt ein Stück. Kopieren Sie ihn bitte noch einmal ganz aus der E-Mail und setzen Sie ihn in Anführungszeichen; er sieht so aus: \"https://…/t#v1.…\""},
    {Mistake::link_of_answers, "Das ist der geheime Link für Antworten der Behörde. Damit holen Sie so ab: plankurier fetch --return-link-file QUITTUNG (oder: --return-link-file - und den Link eingeben)"},
    {Mistake::link_of_code, "Das ist der Link aus der E-Mail mit dem Bestätigungscode. Zum Abholen brauchen Sie den aus der E-Mail, die eine Nachricht ankündigt."},
    {Mistake::link_of_receipt, "Das ist eine Datei und kein Link. Steht der Link darin, heißt es: --link-file DATEI; ist es die Quittung: --return-link-file QUITTUNG"},
    {Mistake::return_link_form, "--return-link-file: Darin steht kein vollständiger Link für Antworten. Nehmen Sie bitte die Quittung selbst, oder kopieren Sie den Link noch einmal ganz; er sieht so aus: https://…/r#v1.…"},
    {Mistake::receipt_form, "Das ist keine Quittung, oder sie ist beschädigt. Eine Quittung ist die Datei, die beim Senden gespeichert wurde (quittung-….json)."},
    {Mistake::receipt_without_link, "In dieser Quittung steht kein Link für Antworten: Die Sendung ging ohne Rückschlüssel ab."},
    {Mistake::key_file_form, "Das ist keine Schlüsseldatei, oder sie ist beschädigt. Eine Schlüsseldatei entsteht mit plankurier keygen oder plankurier members new; der öffentliche Eintrag (.json) ist keine."},
    {Mistake::trust_file_form, "Die Datei, in der steht, welchen Behörden vertraut wird (trust.json im Ordner der Einstellungen), ist beschädigt. Bitte benennen Sie sie um und beginnen Sie neu mit: plankurier trust https://ADRESSE-DES-DIENSTES"},
    {Mistake::root_form, "--root: „{}“ ist kein Wurzelschlüssel. Es ist die Datei root.pub von der Internetseite der Behörde (oder die Zeile darin, die mit RW beginnt); ein Zertifikat nennt --ca DATEI."},
    {Mistake::root_differs, "--root: Dieser Schlüssel gehört nicht zum Dienst {}. Es wurde nichts gemerkt. Bitte vergleichen Sie Adresse und Schlüssel mit der Internetseite der Behörde; passt beides, wenden Sie sich bitte an die Behörde."},
    {Mistake::directory_form, "--directory: „{}“ ist kein Verzeichnis einer Behörde, oder die Datei ist beschädigt. Gemeint ist die Antwort des Dienstes auf GET /v1/directory; ohne die Option gilt das zuletzt gesehene."},
    {Mistake::proof_form, "„{}“ ist kein Nachweis, oder die Datei ist beschädigt. Prüfen lässt sich eine Quittung, eine Datei von status --save und eine Nachricht, die fetch gespeichert hat."},
    {Mistake::wrap_form, "Das ist kein eingepackter Schlüssel, oder die Datei ist beschädigt (--wrap, members list, members unwrap). Eine solche Datei entsteht mit: plankurier members wrap"},
    {Mistake::member_form, "--member: Das ist kein öffentlicher Eintrag eines Mitglieds, oder die Datei ist beschädigt. Er entsteht mit: plankurier members new --record DATEI"},
    {Mistake::service_refuses, "Der Dienst nimmt eine der Angaben nicht an (Adresse, Telefonnummer, Frist oder Empfänger). Bitte prüfen Sie sie; vielleicht ist auch dieses Programm älter als der Dienst (plankurier version)."},
    {Mistake::proxy_away, "Der Proxy ist nicht erreichbar, über den die Verbindung gehen soll. Er steht in der Umgebungsvariablen https_proxy oder all_proxy. Bitte prüfen Sie den Eintrag; ohne Proxy geht es mit: env -u https_proxy -u HTTPS_PROXY -u all_proxy -u ALL_PROXY plankurier …"},
    {Mistake::proxy_refuses, "Der Proxy lässt die Verbindung zum Dienst nicht zu (Umgebungsvariable https_proxy oder all_proxy). Bitte fragen Sie, wer Ihr Netz betreut, ob der Dienst freigegeben werden kann."},
    {Mistake::proxy_password, "Der Proxy verlangt eine Anmeldung. Namen und Passwort nennt die Umgebungsvariable: https_proxy=http://NAME:PASSWORT@PROXY:PORT"},
    {Mistake::proxy_setting, "In der Umgebungsvariablen https_proxy oder all_proxy steht keine Adresse eines Proxys, die dieses Programm versteht. Sie sieht so aus: https_proxy=http://PROXY:PORT"},
};
// clang-format on
static_assert(is_whole_catalogue<Mistake>(sentences));
} // namespace

std::string_view text_de(Mistake which) noexcept {
    return which < Mistake::count ? sentences[static_cast<std::size_t>(which)].second : "";
}

} // namespace plankurier::cli
