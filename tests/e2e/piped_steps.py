"""Standard input that is no keyboard, and files that are not there: what is asked where, and told."""
import os
import re
import subprocess

import foreground
import world

PIPE = ("/bin/sh", "-c", 'printf "Guten Tag aus der Leitung" | "$@"', "sh")
# Of its own process group, as with "&" at a prompt: reading from the terminal would stop it.
BEHIND = ("/bin/sh", "-c", 'printf "Guten Tag aus der Leitung" | timeout 60 "$@"', "sh")
CODE = r"[0-9A-Z]{4}-[0-9A-Z]{4}"


def send(service, sent, *more):
    return ("send", sent, "--to", "bauamt", "--email", world.SENDER, "--ca", service.ca, *more)


def code_of(service, number):
    def found():
        mails = [mail for mail in service.mails() if f"(Nr. {number})" in str(mail["Subject"])]
        return mails and re.search(CODE, mails[-1].get_content()).group(0)
    return world.wait_until(found, what="code mail")


def piped(service, checks, sent):
    links = service.links()
    shell = foreground.Shell(service, *send(service, sent, "--message", "-"), through=PIPE)
    shell.wait_for(r"E-Mail Nr\. \d{3} \(leer")
    number = re.search(r"E-Mail Nr\. (\d{3}) \(leer", shell.text).group(1)
    os.write(shell.screen, code_of(service, number).encode() + b"\n")
    code = os.waitstatus_to_exitcode(shell.changed())
    shell.close()
    link = world.wait_until(lambda: [one for key, one in service.links().items()
                                     if key not in links], what="notice")[-1]
    shown = service.fetch_as_department(link, service.root / "in-piped").stdout
    checks.that("with a piped message the code is asked for at the terminal",
                code == 0 and "Guten Tag aus der Leitung" in shown)
    shell = foreground.Shell(service, "passphrase", service.key, through=PIPE)
    shell.wait_for("Passphrase der Schlüsseldatei: ")
    world.wait_until(lambda: not shell.echoes(), what="no echo")
    os.write(shell.screen, b"\x03")
    world.wait_until(shell.echoes, what="echo")
    checks.that("so is a passphrase, unseen, and the terminal is as before afterwards", True)
    shell.close()
    shell = foreground.Shell(service, "passphrase", service.key, through=BEHIND)
    code = os.waitstatus_to_exitcode(shell.changed())
    shell.read()
    checks.that("in the background nothing is asked, nor waited for",
                code == 2 and "--passphrase-file" in shell.text or print(code, shell.text))
    shell.close()
    text = service.root / "text-piped"
    text.write_text("Guten Tag")
    for more, exit_code, words in (((), 4, "--code-from"), (("--code-from", "-"), 2, "--message -")):
        with open(text) as message:
            done = subprocess.run([str(one) for one in (service.client, *send(
                service, sent, "--message", "-", *more))], stdin=message, capture_output=True,
                text=True, env=service.env(), start_new_session=True)
        checks.that(f"without a terminal it is told what to do ({exit_code})",
                    done.returncode == exit_code and words in done.stderr)


def named_files(service, checks, sent, link):
    """Whatever file a command cannot read or write: its option and the name as it was typed."""
    folder = service.root / "named"
    folder.mkdir()
    fetch = ("fetch", link, "-o", "in")
    key = ("--key", service.key, "--passphrase-file", service.passphrase)
    clerk = ("send", sent, "--to", f"a@{world.STAFF_DOMAIN}", "--email", world.SENDER, "--message", "x")
    new = ("--passphrase-file", service.passphrase, "-o", "neu.key", "--record", "neu.json")
    cases = (("--key fehlt", *fetch, "--key", "fehlt", "--passphrase-file", service.passphrase),
             ("--key .", *fetch, "--key", ".", "--passphrase-file", service.passphrase),
             ("--key fehlt", "unlock", "--key", "fehlt"),
             ("--passphrase-file fehlt", *fetch, "--key", service.key, "--passphrase-file", "fehlt"),
             ("--wrap fehlt", *fetch, *key, "--wrap", "fehlt"),
             ("--link-file fehlt", "fetch", "--link-file", "fehlt"),
             ("--return-link-file fehlt", "fetch", "--return-link-file", "fehlt"),
             ("--message-file fehlt", *clerk[:-2], "--message-file", "fehlt"),
             ("--password-file fehlt", *clerk, "--password-file", "fehlt"),
             ("--word-list fehlt", *clerk, "--word-list", "fehlt"),
             ("--code-from .", *clerk[:3], "bauamt", *clerk[4:], "--code-from", "."),
             ("--receipt .", *clerk, "--receipt", "."),
             ("--member fehlt", "members", "wrap", "--key", service.key, "--member", "fehlt", "-o", "w"),
             ("--epoch fehlt", "keygen", "--department", "bauamt", "--epoch", "fehlt", *new),
             ("--output fehlt/neu", "keygen", "--department", "bauamt", *new[:2], "-o", "fehlt/neu",
              "--record", "neu.json"),
             ("--root fehlt", "trust", service.server, "--root", "fehlt"),
             ("betrifft: fehlt", "passphrase", "fehlt"),
             ("betrifft: fehlt", "status", "fehlt"))
    for words, *arguments in cases:
        done = service.plankurier(*arguments, check=False, cwd=folder)
        shown = " ".join(str(one) for one in arguments if one is not link)[:60]
        checks.that(f"plankurier {shown} names “{words}”",
                    done.returncode == 1 and words in done.stderr or print(done))
    done = service.run(service.client, "departments", "--ca", "fehlt", check=False, cwd=folder,
                       env=service.env())
    checks.that("so does --ca", done.returncode != 0 and "--ca fehlt" in done.stderr or print(done))
