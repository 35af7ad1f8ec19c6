#!/usr/bin/env python3
"""The authority answers a citizen and writes first; both by the command line, one relay, real nginx."""
import argparse
import json
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import world

CITIZEN = "berta@buerger.example"


def plan(path, size=3_000_000):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


def same(one, other):
    return other.is_file() and one.read_bytes() == other.read_bytes()


class Staff:
    """A member of the Bauamt at the command line."""

    def __init__(self, service):
        self.service = service
        self.key = ["--key", service.key, "--passphrase-file", service.passphrase]

    def inbox(self):
        listed = self.service.plankurier("inbox", "--department", "bauamt", *self.key, "--json")
        return [json.loads(line) for line in listed.stdout.splitlines()]

    def reply(self, transfer, file):
        return self.service.plankurier("reply", "--to-transfer", transfer, *self.key, file,
                                       "--message", "Hier der Bescheid.", check=False)


def answer(service, checks):
    staff, sent = Staff(service), plan(service.root / "plan.pdf")
    done = service.send(sent)
    transfer = json.loads(pathlib.Path(done.receipt).read_text())["transfer"]
    checks.that("the department finds the transfer in its inbox, without the mail",
                any(transfer in json.dumps(one) for one in staff.inbox()))
    fetched = service.plankurier("fetch", "--from-inbox", transfer, *staff.key, "-o",
                                 service.root / "from-inbox", check=False)
    checks.that("and opens it from there", fetched.returncode == 0
                and same(sent, service.root / "from-inbox" / sent.name))
    notice = plan(service.root / "bescheid.pdf")
    replied = staff.reply(transfer, notice)
    checks.that("it answers the citizen", replied.returncode == 0)
    if replied.returncode != 0:
        print(replied.stdout, replied.stderr)
        return
    mail = service.mail_to(world.SENDER, r"Antwort|Nachricht liegt")
    checks.that("the citizen gets a mail that an answer waits", mail is not None)
    target = service.root / "answer"
    got = service.plankurier("fetch", "--return-link-file", done.receipt, "-o", target, check=False)
    checks.that("the receipt's return link opens it, byte-identical",
                got.returncode == 0 and same(notice, target / notice.name))
    checks.that("signed by the department, and said so", "Bauamt" in got.stdout + got.stderr)
    other = plan(service.root / "second.pdf", 100_000)
    foreign = json.loads(pathlib.Path(service.send(other).receipt).read_text())["transfer"]
    lost = service.plankurier("fetch", "--return-link-file", done.receipt, "--transfer", foreign,
                              "-o", service.root / "foreign", check=False)
    checks.that("it opens nothing of another transfer",
                lost.returncode != 0 and not list((service.root / "foreign").glob("*")))
    every_mail = " ".join(str(mail) for mail in service.mails())
    checks.that("no mail holds names, messages or file names", not any(
        word in every_mail for word in ("Muster<", "Bescheid", "bescheid.pdf", "plan.pdf")))


def first_contact(service, checks):
    notice = plan(service.root / "anhoerung.pdf")
    sent = service.plankurier("send", notice, "--as-department", "bauamt", "--key", service.key,
                              "--passphrase-file", service.passphrase, "--to-citizen", CITIZEN,
                              "--message", "Bitte um Stellungnahme", "--receipt",
                              service.root / "amt.json", check=False)
    checks.that("the department writes to a citizen first", sent.returncode == 0)
    if sent.returncode != 0:
        print(sent.stdout, sent.stderr)
        return
    words = re.search(r"\n\s{4}(\S.*)\n", sent.stdout + sent.stderr)
    checks.that("a password is shown to be told by phone", words is not None)
    link = service.mail_to(CITIZEN, world.LINK).group(1)
    target = service.root / "first"
    password = service.root / "password"
    password.write_text(words.group(1).strip() + "\n")
    got = service.fetch(link, target, "--password-file", password, check=False)
    checks.that("the citizen opens it with link and password",
                got.returncode == 0 and same(notice, target / notice.name))
    password.write_text("ein anderes Passwort als gesagt\n")
    wrong = service.fetch(link, service.root / "wrong", "--password-file", password, check=False)
    checks.that("and not with another password", wrong.returncode == 5)


def colleague(service, checks):
    """A colleague's own key and a wrap do what the department's key does."""
    root = service.root
    passphrase = root / "anna-passphrase"
    passphrase.write_text("Annas eigener Satz\n")
    own = ["--passphrase-file", passphrase]
    service.plankurier("members", "new", "-o", root / "anna.key", "--record", root / "anna.json",
                       *own)
    service.plankurier("members", "wrap", "--member", root / "anna.json", "-o", root / "anna.wrap",
                       *Staff(service).key)
    listed = service.plankurier("inbox", "--key", root / "anna.key", "--wrap", root / "anna.wrap",
                                *own, "--json")
    checks.that("a colleague lists the same by her own key and a wrap",
                listed.stdout.splitlines()
                == [json.dumps(one, separators=(",", ":")) for one in Staff(service).inbox()])
    alone = service.plankurier("inbox", "--key", root / "anna.key", *own, check=False)
    checks.that("and nothing without the wrap", alone.returncode == 5)


def record(service, checks):
    """What the sender keeps is checked without any server; what staff report is read by nobody."""
    saved, page = service.root / "stand.json", service.root / "stand.html"
    done = service.send(plan(service.root / "third.pdf", 100_000))
    service.plankurier("status", done.receipt, "--save", saved, "--html", page)
    transfer = json.loads(pathlib.Path(done.receipt).read_text())["transfer"]
    service.plankurier("report", "--from-inbox", transfer, *Staff(service).key)
    state = service.plankurier("status", done.receipt, "--json").stdout
    checks.that("the sender hears that staff have reported it", '"withheld"' in state)
    checks.that("and staff cannot read it any more",
                all(transfer not in json.dumps(one) for one in Staff(service).inbox()))
    service.stop("nginx")
    verified = [service.plankurier("verify", file, check=False).returncode
                for file in (saved, done.receipt)]
    checks.that("saved state and receipt are verified without the service", verified == [0, 0])
    saved.write_text(saved.read_text().replace('"transfer": "' + transfer[0],
                                               '"transfer": "' + ("1" if transfer[0] == "0" else "0")))
    forged = service.plankurier("verify", saved, check=False)
    checks.that("a changed one is not", forged.returncode == 8)
    text = page.read_text()
    checks.that("the page to print loads nothing",
                "<html" in text and not re.search(r"https?:|src=|href=|url\(", text))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    with world.World(build) as service:
        answer(service, checks)
        first_contact(service, checks)
        colleague(service, checks)
        record(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
