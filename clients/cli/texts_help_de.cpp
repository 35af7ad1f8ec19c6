#include <clients/cli/texts_help.hpp>

namespace plankurier::cli {

namespace {

constexpr std::string_view of_help =
    R"(plankurier sendet große Dateien verschlüsselt an Ihre Behörde und holt Antworten ab.

Senden und abholen
  trust         einmal: einer Behörde vertrauen
  departments   Sachgebiete und Ansprechpersonen anzeigen
  send          Dateien und eine Nachricht senden, Unterbrochenes fortsetzen
  fetch         abholen, was für Sie bereitliegt
Nach dem Senden
  status        Stand einer Sendung
  revoke        Sendung zurückziehen
  expire        Frist ändern
  resend        Empfänger noch einmal benachrichtigen
  verify        Quittung oder Nachricht ohne Netz nachprüfen
Für die Behörde
  inbox         zeigen, was für ein Sachgebiet bereitliegt
  reply         antworten
  report        bedenkliche Sendung sperren
  keygen        Schlüssel erzeugen
  members       Schlüssel eines Sachgebiets teilen
  passphrase    Passphrase einer Schlüsseldatei ändern
  unlock        Schlüssel für heute entsperren
  lock          Schlüssel wieder sperren
Sonstiges
  completion    Vervollständigung für die Shell
  version       Version anzeigen
  help          diese Übersicht, oder mit einem BEFEHL dessen Hilfe

Überall möglich
  --server URL       Dienst der Behörde; nötig nur, wenn mehreren vertraut wird
  --lang de|en       Sprache
  --yes              Rückfragen mit Ja beantworten
  --quiet, --no-progress, --verbose, --json    weniger oder mehr sagen, oder für Programme
  --ca DATEI         eigenes Zertifikat der Behörde
  --retries N, --timeout SEKUNDEN, --config DATEI
Rückgabewerte: 0 gut, 1 allgemein, 2 Aufruf, 3 fortsetzbar, 4 Code, 5 Passwort oder Schlüssel,
6 abgelaufen oder gelöscht, 7 Netz, 8 Bytes verfälscht, 9 nicht zugelassen, 130 abgebrochen

Beispiele:
  plankurier help send
  plankurier send --help
)";
constexpr std::string_view of_trust = R"(plankurier trust URL [--root DATEI | --fingerprint TEXT]
Merkt sich den Schlüssel einer Behörde. Ohne Option wird der Fingerabdruck gezeigt und gefragt.

  --root DATEI          Schlüssel der Behörde, von ihrer Internetseite
  --fingerprint TEXT    Fingerabdruck von ihrer Internetseite; dann wird nicht gefragt

Beispiele:
  plankurier trust https://senden.amt.example
  plankurier trust https://senden.amt.example --root amt.pub
)";
constexpr std::string_view of_departments = R"(plankurier departments
Zeigt Kennung und Namen der Sachgebiete, und Ansprechpersonen mit eigenem Schlüssel.

Beispiele:
  plankurier departments
  plankurier departments --server https://senden.amt.example
)";
constexpr std::string_view of_send =
    R"(plankurier send DATEI… --to SACHGEBIET|ADRESSE --email ADRESSE [Optionen]
plankurier send --resume [KENNUNG]
Sendet Dateien und eine Nachricht verschlüsselt. An Ihre E-Mail-Adresse kommt ein Code.

An wen
  --to SACHGEBIET|ADRESSE   bis zu 8-mal; eine Adresse ohne Schlüssel geht nur allein, mit Passwort
  --password                mit Passwort, auch wenn die Adresse einen Schlüssel hat
  --password-file DATEI     eigenes Passwort statt eines erzeugten
  --word-list DATEI         Wörter, aus denen das Passwort erzeugt wird
  --by-link [--link-file DATEI]   statt Passwort ein Link, den Sie selbst weitergeben
Von wem
  --name NAME --email ADRESSE [--phone NUMMER] [--institution NAME]
  --share-phone             Telefonnummer in die Benachrichtigung schreiben
  --remember-days N         Adresse auf diesem Rechner N Tage bestätigt lassen (0: vergessen)
  --code-from DATEI|-       Code von dort lesen, statt zu fragen
Worum es geht
  --message TEXT|- | --message-file DATEI     Nachricht; - liest die Eingabe
  --subject TEXT --reference AKTENZEICHEN --clerk NAME
Wie
  --expires 14d|2w          wann alles gelöscht wird
  --notify on-fetch|none    Nachricht an Sie, wenn abgeholt wurde
  --notify-unfetched        Nachricht an Sie vor der Frist, wenn nicht abgeholt
  --remind-recipient        Erinnerung an den Empfänger
  --receipt DATEI           wohin die Quittung kommt
  --lanes N                 Verbindungen zugleich, 1 bis 16
  --resume [KENNUNG]        unterbrochenes Senden fortsetzen
Als Behörde an Bürger, mit Passwort oder --by-link
  --as-department KENNUNG --key DATEI --to-citizen ADRESSE [--passphrase-file DATEI] [--wrap DATEI]

Beispiele:
  plankurier send plan.pdf --to bauamt --name "Anna Muster" --email anna.muster@example.org
  plankurier send --resume
)";
constexpr std::string_view of_fetch = R"(plankurier fetch "LINK" [-o ORDNER] [Optionen]
Holt ab, was hinter dem Link einer E-Mail bereitliegt. Nach einem Passwort wird gefragt.

  -o, --output ORDNER       wohin die Dateien kommen
  --link-file DATEI|-       Link von dort lesen
  --key DATEI               Schlüsseldatei Ihres Sachgebiets [--passphrase-file DATEI]
  --wrap DATEI              eingepackter Schlüssel, den --key öffnet
  --password-file DATEI     Passwort von dort lesen
  --return-link-file QUITTUNG|DATEI|-   Antworten der Behörde abholen, mit dem geheimen Link
  --transfer KENNUNG        davon nur diese
  --from-inbox KENNUNG --key DATEI [--department KENNUNG]   ohne Link, aus der Liste von inbox
  --save DATEI              verschlüsselte Nachricht zum späteren Nachprüfen behalten
  --via https|swarm|auto    Weg der Daten
  --lanes N                 Verbindungen zugleich, 1 bis 16

Beispiele:
  plankurier fetch "https://senden.amt.example/t#v1.0123456789abcdef0123456789abcdef" -o Eingang
  plankurier fetch --return-link-file quittung.json
)";
constexpr std::string_view of_inbox = R"(plankurier inbox --key DATEI [--department KENNUNG|ADRESSE]
Zeigt, was für ein Sachgebiet oder eine Ansprechperson bereitliegt.

  --key DATEI              Schlüsseldatei [--passphrase-file DATEI]
  --wrap DATEI             eingepackter Schlüssel, den --key öffnet
  --department KENNUNG     nur nötig, wenn mehrere diesen Schlüssel haben

Beispiele:
  plankurier inbox --key bauamt.key
  plankurier inbox --key mein.key --wrap bauamt.wrap --department bauamt
)";
constexpr std::string_view of_reply =
    R"(plankurier reply [DATEI…] --to-transfer KENNUNG --key DATEI --message TEXT
Antwortet auf eine Sendung, vom Sachgebiet unterschrieben.

  --to-transfer KENNUNG    worauf geantwortet wird (aus der Liste von inbox)
  --link-file DATEI        oder der Link der Benachrichtigung, aus einer Datei
  --key DATEI              Schlüsseldatei [--passphrase-file DATEI] [--wrap DATEI]
  --department KENNUNG     nur nötig, wenn mehrere diesen Schlüssel haben
  --message TEXT | --message-file DATEI
  --name, --email, --phone, --reference, --subject   stehen in der Nachricht
  --expires 14d|2w --notify on-fetch|none --notify-unfetched --remind-recipient
  --receipt DATEI --lanes N

Beispiele:
  plankurier reply --to-transfer 0123456789abcdef0123456789abcdef --key bauamt.key --message "Danke"
  plankurier reply bescheid.pdf --link-file link.txt --key bauamt.key
)";
constexpr std::string_view of_status = R"(plankurier status QUITTUNG [--save DATEI] [--html DATEI]
Zeigt, was aus einer Sendung wurde.

  --save DATEI    unterschriebenen Verlauf als Datei behalten
  --html DATEI    Seite zum Drucken

Beispiele:
  plankurier status quittung.json
  plankurier status quittung.json --html nachweis.html
)";
constexpr std::string_view of_revoke = R"(plankurier revoke QUITTUNG
Zieht eine Sendung zurück: Nachricht und Dateien werden auf allen Servern gelöscht.

Beispiele:
  plankurier revoke quittung.json
  plankurier revoke quittung.json --yes
)";
constexpr std::string_view of_expire = R"(plankurier expire QUITTUNG --days N
Ändert die Frist: in N Tagen wird gelöscht. Länger geht es nur, wo die Behörde das zulässt.

  --days N    von heute an

Beispiele:
  plankurier expire quittung.json --days 3
  plankurier expire quittung.json --days 2w
)";
constexpr std::string_view of_resend = R"(plankurier resend QUITTUNG
Benachrichtigt den Empfänger noch einmal, wenn er die E-Mail nicht mehr findet.

Beispiele:
  plankurier resend quittung.json
  plankurier resend quittung.json --json
)";
constexpr std::string_view of_report =
    R"(plankurier report "LINK" | --from-inbox KENNUNG [--key DATEI]
Sperrt eine bedenkliche Sendung: Niemand kann sie mehr lesen, auch Sie nicht.

  --from-inbox KENNUNG [--department KENNUNG]    ohne Link, aus der Liste von inbox
  --link-file DATEI|-        Link von dort lesen
  --key DATEI                Schlüsseldatei [--passphrase-file DATEI] [--wrap DATEI]
  --password-file DATEI      Passwort von dort lesen
  --return-link-file QUITTUNG|DATEI    für Antworten der Behörde

Beispiele:
  plankurier report --from-inbox 0123456789abcdef0123456789abcdef --key bauamt.key
  plankurier report --link-file link.txt
)";
constexpr std::string_view of_verify = R"(plankurier verify DATEI [Optionen]
Prüft ohne Netz, was die Behörde unterschrieben hat: Quittung, Verlauf, Nachricht (fetch --save).

  --directory DATEI           Verzeichnis der Behörde, statt des zuletzt gesehenen
  --return-link-file QUITTUNG|DATEI    öffnet eine gesicherte Antwort
  --link-file DATEI           öffnet eine Sendung, die ein Link allein öffnet
  --key DATEI [--passphrase-file DATEI] [--wrap DATEI]    öffnet mit einer Schlüsseldatei
  --password-file DATEI       öffnet mit einem Passwort

Beispiele:
  plankurier verify quittung.json
  plankurier verify nachricht.json --return-link-file quittung.json
)";
constexpr std::string_view of_keygen =
    R"(plankurier keygen --department KENNUNG | --clerk ADRESSE --name NAME | --escrow --name NAME
                  -o DATEI --record DATEI
Erzeugt einen Schlüssel und den öffentlichen Eintrag dazu, der ins Verzeichnis kommt.

  --department KENNUNG   Schlüssel eines Sachgebiets
  --clerk ADRESSE        Schlüssel einer Ansprechperson
  --escrow               Hinterlegungsschlüssel der Behörde
  --name NAME            wie er im Verzeichnis heißt
  -o, --output DATEI     Schlüsseldatei
  --record DATEI         öffentlicher Eintrag
  --epoch ALTER_EINTRAG  neuer Abschnitt: jemand geht, oder Jahreswechsel
  --type p256|x25519     Art des Schlüssels
  --passphrase-file DATEI

Beispiele:
  plankurier keygen --department bauamt --name "Bauamt" -o bauamt.key --record bauamt.json
  plankurier keygen --clerk anna.gruen@amt.example --name "Anna Grün" -o a.key --record a.json
)";
constexpr std::string_view of_members =
    R"(plankurier members new -o DATEI --record DATEI             eigenes Schlüsselpaar eines Mitglieds
plankurier members wrap --key DATEI --member EINTRAG -o DATEI   Schlüssel für ein Mitglied einpacken
plankurier members unwrap DATEI --key DATEI -o DATEI       … und dort auspacken
plankurier members list DATEI…                             wer welchen Schlüssel teilt
Mit --wrap DATEI hinter --key gilt der eingepackte Schlüssel, ohne ihn auszupacken.

  --key DATEI            Schlüsseldatei: des Sachgebiets (wrap), die eigene (unwrap)
  --member EINTRAG       öffentlicher Eintrag des Mitglieds
  -o, --output DATEI     was entsteht
  --record DATEI         öffentlicher Eintrag, der entsteht
  --type p256|x25519     Art des Schlüssels
  --department KENNUNG   für welches Sachgebiet ausgepackt wird
  --directory DATEI      Verzeichnis der Behörde, statt des zuletzt gesehenen
  --passphrase-file DATEI, --new-passphrase-file DATEI

Beispiele:
  plankurier members new -o mein.key --record mein.json
  plankurier members wrap --key bauamt.key --member mein.json -o bauamt.wrap
)";
constexpr std::string_view of_passphrase = R"(plankurier passphrase DATEI
Ändert die Passphrase einer Schlüsseldatei. Ältere Kopien behalten die alte.

  --passphrase-file DATEI        bisherige Passphrase
  --new-passphrase-file DATEI    neue Passphrase

Beispiele:
  plankurier passphrase bauamt.key
  plankurier passphrase bauamt.key --passphrase-file alt.txt --new-passphrase-file neu.txt
)";
constexpr std::string_view of_unlock = R"(plankurier unlock --key DATEI [--for 8h]
Fragt einmal nach der Passphrase; danach fragen fetch, inbox und reply mit dieser Datei nicht mehr.
Der Schlüssel ist wieder gesperrt, wenn die Zeit um ist, der Computer ruhte oder Sie sich abmelden.

  --for DAUER                    bis zu einem Tag, zum Beispiel 8h oder 90m
  --passphrase-file DATEI        Passphrase aus einer Datei

Beispiele:
  plankurier unlock --key bauamt.key
  plankurier unlock --key bauamt.key --for 4h
)";
constexpr std::string_view of_lock = R"(plankurier lock
Sperrt alle entsperrten Schlüssel wieder.

Beispiele:
  plankurier lock
  plankurier lock --quiet
)";
constexpr std::string_view of_completion = R"(plankurier completion bash|zsh|fish
Gibt die Vervollständigung für eine Shell aus.

Beispiele:
  plankurier completion bash
  plankurier completion fish
)";
constexpr std::string_view of_version = R"(plankurier version
Zeigt die Version dieses Programms.

Beispiele:
  plankurier version
  plankurier version --json
)";

} // namespace

std::string_view help_de(Command command) noexcept {
    switch (command) {
    case Command::help: return of_help;
    case Command::trust: return of_trust;
    case Command::departments: return of_departments;
    case Command::send: return of_send;
    case Command::fetch: return of_fetch;
    case Command::inbox: return of_inbox;
    case Command::reply: return of_reply;
    case Command::status: return of_status;
    case Command::revoke: return of_revoke;
    case Command::expire: return of_expire;
    case Command::resend: return of_resend;
    case Command::report: return of_report;
    case Command::verify: return of_verify;
    case Command::keygen: return of_keygen;
    case Command::members: return of_members;
    case Command::passphrase: return of_passphrase;
    case Command::unlock: return of_unlock;
    case Command::lock: return of_lock;
    case Command::completion: return of_completion;
    case Command::version: return of_version;
    }
    return {};
}

} // namespace plankurier::cli
