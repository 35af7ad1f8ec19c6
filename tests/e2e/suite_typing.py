#!/usr/bin/env python3
"""A new citizen at the keyboard: typical mistakes, pasted links and codes, and what is said of them.

Everything goes through the real program, most of it at a terminal of its own.
"""
import argparse
import http.server
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import foreground
import people
import piped_steps
import world

GENERIC = {"de": "Eine Angabe ist nicht zulässig", "en": "A value is not allowed"}
LOCALES = {"de": "de_DE.UTF-8", "en": "en_GB.UTF-8"}
ID = "0123456789abcdef" * 2


class Reader:
    """Runs command lines in both languages and holds the texts to what a person needs."""

    def __init__(self, service, checks):
        self.service, self.checks = service, checks

    def says(self, arguments, exit_code, *words, env=None, stdin=None):
        """All `words` stand in the German text; the English one is another, with the same exit."""
        said = {}
        for language, locale in LOCALES.items():
            said[language] = self.service.run(
                self.service.client, *arguments, check=False, stdin=stdin or subprocess.DEVNULL,
                env=self.service.env(LANG=locale, **(env or {})))
        good = (all(done.returncode == exit_code for done in said.values())
                and all(word in said["de"].stderr for word in words)
                and said["de"].stderr != said["en"].stderr
                and not any(GENERIC[language] in done.stderr for language, done in said.items()))
        shown = " ".join(str(one) for one in arguments) or "(nothing)"
        self.checks.that(f"plankurier {shown[:70]}", good or print(said))


def a_plan(path, size=3_000):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


def command_lines(service, checks):
    """No network is needed to see these."""
    says = Reader(service, checks).says
    mail = ["--email", "anna@buerger.example"]
    says([], 2, "plankurier help", "plankurier send plan.pdf")
    says(["sned"], 2, "„sned“", "plankurier send")
    says(["tanzen"], 2, "„tanzen“", "plankurier help")
    says(["help", "sned"], 2, "„sned“", "plankurier send")
    says(["send", "--mesage", "x"], 2, "--mesage", "--message")
    says(["send", "--bunt"], 2, "--bunt", "plankurier help send")
    says(["send", "--to"], 2, "--to", "fehlt")
    says(["send", "--quiet=3"], 2, "--quiet", "allein")
    says(["send", *mail, *mail], 2, "--email", "einmal")
    says(["status", "q.json", "--to", "bauamt"], 2, "--to", "send")
    says(["send", "--lanes", "17"], 2, "--lanes", "„17“", "1 bis 16")
    says(["send", "--lanes", "-1"], 2, "--lanes", "„-1“")
    says(["fetch", "x", "--retries", "viele"], 2, "--retries", "„viele“")
    says(["send", "--expires", "bald"], 2, "--expires", "„bald“", "14d")
    says(["send", "--notify", "immer"], 2, "--notify", "on-fetch")
    says(["fetch", "x", "--via", "taube"], 2, "--via", "swarm")
    says(["version", "--lang", "fr"], 2, "--lang", "„fr“")
    says(["send", "p.pdf", "--email", "anna"], 2, "--email", "„anna“", "anna.muster@example.org")
    says(["send", "p.pdf", "--email", "jörg@buerger.example"], 2, "--email", "Umlaut")
    says(["send", "p.pdf", "--to", "a@b@c.example"], 2, "--to", "E-Mail-Adresse")
    says(["send", "p.pdf", *mail], 2, "--to", "plankurier departments")
    says(["send", "p.pdf", "--to", "bauamt"], 2, "--email", "Code")
    says(["send", "--to", "bauamt", *mail], 2, "--message")
    says(["send", "p.pdf", "--to", "bauamt", *mail, "--message", "x", "--message-file", "y"], 2,
         "--message-file", "--message")
    says(["send", "p.pdf", "--to", "bauamt", *mail, "--share-phone"], 2, "--phone")
    says(["send", "p.pdf", "--to", "bauamt", *mail, "--share-phone", "--phone", "ruf an"], 2,
         "--phone", "„ruf an“")
    says(["send", "p.pdf", "--to", "bauamt", *mail, "--share-phone", "--phone", "+++"], 2,
         "--phone", "„+++“")
    says(["send", "p.pdf", "--to", "bauamt", *mail, "--by-link"], 2, "--by-link")
    says(["send", "p.pdf", "--to", "bauamt", *mail, "--link-file", "l"], 2, "--link-file",
         "--by-link")
    says(["send", "p.pdf", "--to", "bauamt", *mail, "--subject", "x" * 1_001], 2, "--subject")
    says(["send", "--resume", "neulich"], 2, "--resume", "„neulich“", "32")
    says(["send", "--resume"], 6, "kein unterbrochenes Senden")
    says(["send", "--resume", ID], 6, "--resume", ID)
    says(["send", "p.pdf", "--as-department", "bauamt"], 2, "--to-citizen", "--key")
    says(["fetch"], 2, "Link", "Anführungszeichen")
    says(["fetch", "https://senden.amt.example/t#v1.1234"], 2, "kein vollständiger Link")
    says(["fetch", f"https://senden.amt.example/c#v1.K7QM-2RFX"], 2, "Bestätigungscode")
    says(["fetch", service.passphrase], 2, "--link-file")
    says(["fetch", f"http://amt.example/t#v1.{ID}"], 2, "https://", env={"PLANKURIER_SERVER": ""})
    says(["fetch", "--link-file", service.passphrase], 2, "kein vollständiger Link")
    says(["fetch", "--return-link-file", service.passphrase], 2, "--return-link-file")
    says(["fetch", "--from-inbox", "eins"], 2, "--from-inbox", "„eins“")
    says(["fetch", "--from-inbox", ID], 2, "--key")
    says(["status"], 2, "Quittung")
    says(["status", "a", "b"], 2, "„b“")
    says(["status", service.record], 8, "keine Quittung")
    says(["status", "q.json", "--save", ""], 2, "--save", "leer")
    says(["expire", "q.json", "--days", "nie"], 2, "--days", "„nie“")
    says(["verify"], 2, "plankurier verify DATEI")
    says(["inbox"], 2, "--key")
    says(["reply", "--message", "x"], 2, "--to-transfer", "--link-file")
    says(["keygen"], 2, "--department", "--clerk", "--escrow")
    says(["keygen", "--department", "Bau Amt"], 2, "--department", "„Bau Amt“")
    says(["keygen", "--department", "bauamt"], 2, "--output")
    says(["keygen", "--escrow"], 2, "--name")
    says(["keygen", "--department", "bauamt", "-o", "a", "--record", "b"], 2, "--passphrase-file")
    says(["members", "neu"], 2, "new, wrap, unwrap")
    says(["members", "wrap"], 2, "--key")
    says(["passphrase"], 2, "Schlüsseldatei")
    says(["completion", "csh"], 2, "bash, zsh")
    says(["trust", "ftp://amt.example"], 2, "„ftp://amt.example“", "https://")
    says(["departments", "bauamt"], 2, "„bauamt“")
    says(["trust", "https://"], 2, "„https://“", "Adresse")
    says(["unlock"], 2, "--key", "plankurier help unlock")
    says(["unlock", service.key], 2, "--key")
    says(["lock", "alles"], 2, "„alles“")
    says(["status", "q.json", "--save", "x", "--html", "./x"], 2, "dieselbe Datei", "x")
    says(["members", "new", "-o", "x", "--record", "x"], 2, "dieselbe Datei", "x")


def settings(service, checks):
    says, file = Reader(service, checks).says, service.root / "settings"
    for line, *words in (("retires = 3", "„retires“", "retries"), ("retries = viele", "„viele“"),
                         ("server", "server =")):
        file.write_text(line + "\n")
        says(["departments", "--config", file], 2, str(file), *words)
    says(["departments", "--config", service.root / "fehlt"], 1, "fehlt")


def languages(service, checks):
    def speaks(**env):
        done = service.run(service.client, "status", "/nope", check=False, env=service.env(**env))
        return "en" if "cannot be opened" in done.stderr else "de"
    wishes = {"LC_ALL": {"LC_ALL": "en_GB.UTF-8"}, "LC_MESSAGES": {"LC_MESSAGES": "en_GB.UTF-8"},
              "LANGUAGE": {"LANGUAGE": "fr:en"}}
    for name, env in wishes.items():
        checks.that(f"{name} comes before LANG", speaks(**env) == "en" and speaks() == "de")


def before_trust(service, checks):
    """Whoever has trusted nobody yet is told so, and how."""
    says, home = Reader(service, checks).says, service.root / "new"
    env = {"XDG_CONFIG_HOME": str(home), "PLANKURIER_SERVER": ""}
    first = "plankurier trust https://"
    says(["departments"], 9, "noch keiner Behörde vertraut", first, env=env)
    says(["send", "p.pdf", "--to", "bauamt", "--email", "a@b.example"], 9, first, env=env)
    named = {**env, "PLANKURIER_SERVER": service.server}
    says(["departments", "--ca", service.ca], 9, f"plankurier trust {service.server}", env=named)
    told = service.plankurier("trust", service.server.removeprefix("https://"), "--root",
                              service.root / "root.pub", env=env)
    listed = service.plankurier("departments", env=env, check=False)
    for file, *words in ((service.ca, "--root", "kein Wurzelschlüssel", str(service.ca)),
                         (other_root(service), "--root", "gehört nicht zum Dienst")):
        says(["trust", service.server, "--root", file, "--ca", service.ca],
             8 if file == service.ca else 9, *words, env=env)
    for command in (["verify", service.ca], ["verify", service.passphrase]):
        says(command, 8, "kein Nachweis", str(command[1]), env=env)
    says(["members", "list", service.key], 8, "kein eingepackter Schlüssel", str(service.key),
         env=env)
    says(["members", "list", service.key, "--directory", service.ca], 8, "--directory",
         str(service.ca), env=env)
    checks.that("a service is trusted without https:// before it; then nobody has to name it again",
                told.returncode == 0 and "bauamt" in listed.stdout)


def other_root(service):
    """The root key of another authority."""
    key = service.root / "other-root.pub"
    service.run("minisign", "-G", "-W", "-p", key, "-s", service.root / "other-root.key")
    return key


def silent_typing(service, checks):
    """However the question for a passphrase ends, the terminal shows again what is typed."""
    question = "Passphrase der Schlüsseldatei: "
    keys = {"Ctrl-\\": b"\x1c", "Ctrl-C": b"\x03", "Ctrl-D": b"\x04"}
    signals = [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM, signal.SIGUSR1]
    for name in [*keys, *signals]:
        shell = foreground.Shell(service, "passphrase", service.key)
        shell.wait_for(question)
        world.wait_until(lambda: not shell.echoes(), what="no echo")
        if name in keys:
            os.write(shell.screen, keys[name])
        else:
            os.kill(shell.pid, name)
        shell.changed()
        checks.that(f"after {getattr(name, 'name', name)} the terminal shows what is typed",
                    shell.echoes())
        shell.close()
    shell = foreground.Shell(service, "passphrase", service.key)
    shell.wait_for(question)
    world.wait_until(lambda: not shell.echoes(), what="no echo")
    os.write(shell.screen, b"\x1a")
    stopped = os.WIFSTOPPED(shell.changed())
    seen = shell.echoes()
    os.kill(shell.pid, signal.SIGCONT)
    shell.wait_for(question, 2)
    checks.that("while it is suspended the terminal shows what is typed, afterwards not",
                stopped and seen and not shell.echoes())
    os.write(shell.screen, b"falsch\n")
    shell.wait_for("Die Passphrase der Schlüsseldatei stimmt nicht")
    for asked in (3, 4):
        shell.wait_for(question, asked)
        os.write(shell.screen, b"wieder falsch\n")
    code = os.waitstatus_to_exitcode(shell.changed())
    checks.that("a wrong passphrase is asked for twice more, and is never called a password",
                code == 5 and shell.echoes() and "Passwort" not in shell.text)
    shell.close()


def codes(service, checks):
    """Two code mails can be told apart; what cannot be a code costs nothing."""
    sent = a_plan(service.root / "plan.pdf")
    asks = lambda receipt: people.Terminal(
        service, "send", sent, "--to", "bauamt", "--email", "anna@müller.example", "--message", "x",
        "--receipt", service.root / receipt)
    one, two = asks("eins.json"), asks("zwei.json")
    number = lambda client: client.wait_for(r"E-Mail Nr\. (\d{3}) \(leer").group(1)
    numbers = [number(one), number(two)]

    def mail_of(wanted):
        found = [mail for mail in service.mails() if f"(Nr. {wanted})" in str(mail["Subject"])]
        return found[-1] if found else None
    code = lambda wanted: re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", world.wait_until(
        lambda: mail_of(wanted), what="code mail").get_content()).group(0)
    first, second = map(code, numbers)
    checks.that("an address with umlauts in its domain gets the mail",
                "xn--mller-kva.example" in str(mail_of(numbers[0])["To"]))
    for typed in ("417", "K7QM-2RF", "der Code", "ÄÖÜ"):
        one.type(typed)
    one.wait_for(r"(?s)(kann kein Code sein.*){4}")
    one.type(second if second != first else "2222-2222")
    one.wait_for(r"Verbleibende Versuche: 4\.")
    one.type("<" + f"{service.server}/c%23v1.{first.lower()}" + ">.")
    two.type("Ihr Code: „" + second.replace("-", " – ") + "“")
    checks.that("four typings that cannot be a code cost no attempt; a pasted link and a code with a "
                "word before it, a dash and quotes are taken", (one.end(), two.end()) == (0, 0))
    done = service.plankurier("send", sent, "--to", "bauamt", "--email", world.SENDER, "--message",
                              "x", "--code-from", service.passphrase, check=False)
    checks.that("a file that holds no code is told as such (exit 4)",
                done.returncode == 4 and "kann kein Code sein" in done.stderr)
    done = service.plankurier("send", sent, "--to", "bauamt", "--email", world.SENDER, "--message",
                              "x", stdin=subprocess.DEVNULL, check=False)
    checks.that("where nobody can type a code, the way to hand it over is told (exit 4)",
                done.returncode == 4 and "--email" in done.stderr and "--code-from" in done.stderr)
    return service.notice_link(f"bauamt@{world.STAFF_DOMAIN}")


def links(service, checks, link):
    """The link of a notice as mail programs and filters leave it."""
    wrapped = urllib.parse.quote(link, safe="")
    two = link.replace("#", "-23").replace(":", "-3A").replace("/", "_")
    pasted = {
        "angle brackets and a full stop": f"<{link}>.", "blanks and a comma": f"  {link}, ",
        "German quotes": f"„{link}“", "a line break": f"{link[:40]}\n{link[40:]}",
        "%23": link.replace("#", "%23"), "%2523": link.replace("#", "%2523"),
        "SafeLinks": "https://eur01.safelinks.protection.outlook.com/?url=" + wrapped +
                     "&data=05%7C02&reserved=0",
        "Proofpoint 1": f"https://urldefense.proofpoint.com/v1/url?u={wrapped}&k=a&r=b",
        "Proofpoint 2": f"https://urldefense.proofpoint.com/v2/url?u={two}&d=a&c=b",
        "Proofpoint 3": f"https://urldefense.com/v3/__{link.replace('#', '*')}__;Iw!!a!b$",
    }
    for number, (name, text) in enumerate(pasted.items()):
        target = service.root / f"in-{number}"
        done = service.plankurier("fetch", text, "-o", target, "--key", service.key,
                                  "--passphrase-file", service.passphrase, check=False)
        checks.that(f"a link with {name} is fetched", (done.returncode == 0 and (
            target / "plan.pdf").is_file()) or print(done))
    done = service.plankurier("fetch", link[:40], link[40:], "-o", service.root / "in-two", "--key",
                              service.key, "--passphrase-file", service.passphrase, check=False)
    checks.that("a link that a shell took for two words is fetched", done.returncode == 0)
    wrong = service.root / "wrong-passphrase"
    wrong.write_text("falsch\n")
    Reader(service, checks).says(["fetch", link, "--key", service.key, "--passphrase-file", wrong,
                                  "--ca", service.ca], 5, "Passphrase der Schlüsseldatei")
    Reader(service, checks).says(["fetch", link, "--ca", service.ca], 2, "--password-file")
    Reader(service, checks).says(["inbox", "--key", service.record, "--passphrase-file", wrong,
                                  "--ca", service.ca], 8, "keine Schlüsseldatei")


def encodings(service, checks):
    says, sent = Reader(service, checks).says, a_plan(service.root / "text.pdf")
    latin, utf16, bare = (service.root / f"{name}.txt" for name in ("latin", "utf16", "bare"))
    latin.write_bytes("Schöne Grüße\n".encode("latin-1"))
    utf16.write_bytes("Schöne Grüße\n".encode("utf-16"))
    bare.write_bytes("Schöne Grüße, und bis bald\n".encode("utf-16-le"))
    to = ["send", sent, "--to", "bauamt", "--email", world.SENDER, "--ca", service.ca]
    for named in ("Bauamt", "bauampt"):
        says([*to[:3], named, *to[4:], "--message", "x"], 9, f"„{named}“", "--to bauamt")
    pipe = service.root / "pipe.pdf"
    os.mkfifo(pipe)
    says(["send", pipe, *to[2:], "--message", "x"], 1, str(pipe), "keine gewöhnliche Datei")
    says([*to, "--message-file", latin], 2, "--message-file", "Latin-1", "UTF-8")
    says([*to, "--message-file", bare], 2, "--message-file", "UTF-16")
    with open(latin) as text:
        done = service.plankurier(*to[:-2], "--message", "-", stdin=text, check=False)
    checks.that("the same from standard input", done.returncode == 2 and "Latin-1" in done.stderr)
    name = os.fsdecode("Anna Grün".encode("latin-1"))
    says([*to, "--message", "x", "--name", name], 2, "--name", "Latin-1")
    names, env = ["--name", name, "--message-file", utf16], {"LC_CTYPE": "de_DE.ISO-8859-1"}
    before = service.links()
    sending = world.Sending(service, [*to[1:-2], *names], env)
    done = sending.end(check=False)
    link = world.wait_until(lambda: [one for key, one in service.links().items()
                                     if key not in before], what="notice")[-1]
    shown = service.fetch_as_department(link, service.root / "in-text").stdout
    checks.that("a message in UTF-16 with a mark, and a name in the locale's character set, arrive",
                done.returncode == 0 and "Schöne Grüße" in shown and "Anna Grün" in shown)


def too_large(service, checks):
    """What counts is the sealed and padded size, and it is said before a code is asked for."""
    file, before = a_plan(service.root / "gross.pdf"), len(service.code_mails())
    os.truncate(file, 2_040 << 20)
    Reader(service, checks).says(
        ["send", file, "--to", "bauamt", "--email", world.SENDER, "--ca", service.ca], 9,
        "2,0 GiB", "teilen Sie")
    os.truncate(file, (2 << 30) + 1)
    Reader(service, checks).says(
        ["send", file, "--to", "bauamt", "--email", world.SENDER, "--ca", service.ca], 9,
        "teilen Sie")
    checks.that("no code was asked for", len(service.code_mails()) == before)
    file.unlink()


class Proxy:
    """Answers every request with one status."""

    def __init__(self, status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self):
                self.send_error(status)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def proxies(service, checks):
    says, ask = Reader(service, checks).says, ["departments", "--ca", service.ca]
    for status, words in ((403, "lässt die Verbindung"), (407, "Anmeldung")):
        proxy = Proxy(status)
        says(ask, 7, "Proxy", words, env={"https_proxy": proxy.url})
        proxy.stop()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        says(ask, 7, "Proxy", "nicht erreichbar", "https_proxy", env={"https_proxy": nobody})
        done = service.plankurier(*ask[:1], check=False,
                                  env={"https_proxy": nobody, "no_proxy": "localhost"})
        checks.that("with no_proxy it is not asked", done.returncode == 0)
    says(ask, 7, "Proxy", "https_proxy=http://PROXY:PORT", env={"https_proxy": "gopher://x:1"})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    with world.World(build) as service:
        command_lines(service, checks)
        settings(service, checks)
        languages(service, checks)
        before_trust(service, checks)
        silent_typing(service, checks)
        links(service, checks, link := codes(service, checks))
        piped_steps.piped(service, checks, service.root / "plan.pdf")
        piped_steps.named_files(service, checks, service.root / "plan.pdf", link)
        encodings(service, checks)
        too_large(service, checks)
        proxies(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
