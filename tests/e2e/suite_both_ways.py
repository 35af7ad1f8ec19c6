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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    with world.World(build) as service:
        answer(service, checks)
        first_contact(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
