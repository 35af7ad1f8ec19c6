#!/usr/bin/env python3
"""Mails through a real mail server: late is allowed, lost is not; every kind is clean by the RFCs.

exim4 asks for STARTTLS and a sign-in, puts some recipients off, refuses others, and is away for a
while. All kinds of mail are parsed strictly and judged by SpamAssassin (local tests only).
SLOW=1: the server goes away five times.
"""
import argparse
import collections
import email
import email.policy
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import mail_server
import wire as wires
import world

DAY = 86_400
SLOW = os.environ.get("SLOW") == "1"
SPAM_MIN = 5.0  # SpamAssassin's default
RETRY_S = 61  # a mail that was put off is tried again after 60 s
FULL = f"voll@{world.STAFF_DOMAIN}"
UNKNOWN = f"unbekannt@{world.STAFF_DOMAIN}"
CLERK = f"frau.gruen@{world.STAFF_DOMAIN}"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
MUST_NOT_STAND = ("Anna", "Bauantrag", "Gartenweg", "vertraulichen Pl", "lageplan", "Lageplan")
NOTICE = "Eine vertrauliche Nachricht wartet"
# Subject -> how many there are after two transfers in German and two in English.
KINDS = {"Ihr Bestätigungscode": 2, "Your verification code": 2, NOTICE: 4,
         "Ihre Nachricht wurde abgerufen": 1, "Your message was fetched": 1,
         "Ihre Nachricht wurde nicht abgerufen": 1, "Your message was not fetched": 1}


class MailServer(mail_server.MailServer):
    """Puts the recipient `voll` off as long as a file is there."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.full = self.folder / "full"
        text = self.configuration.read_text()
        more = f"  defer   local_parts = voll\n          condition = ${{if exists{{{self.full}}}}}\n" \
               "          message = 452 mailbox is full\n"
        accept = "  accept  authenticated = *\n"
        if accept not in text:
            raise AssertionError("the mail server's rules are written differently now")
        self.configuration.write_text(text.replace(accept, more + accept))

    def rejected(self, address):
        """How often a recipient was refused or put off."""
        log = self.folder / "log/mainlog"
        return len(re.findall(f"rejected RCPT <{re.escape(address)}>", log.read_text()))


class MailWorld(world.World):
    def _mail_server(self):
        tls = self.relay / "tls"
        self.mail_server = MailServer(self.root / "mail", world.free_port(), tls / "relay.pem",
                                      tls / "relay.key")
        self.seconds = 0
        self.start_mail_server()

    def start_mail_server(self):
        self.start("exim", *self.mail_server.command)
        world.wait_until(lambda: world.listening(self.mail_server.port), what="exim")

    def pass_time(self, seconds):
        self.seconds += seconds
        self.clock.write_text(str(self.seconds))

    def waiting(self):
        """Mails not delivered yet, as `status` says."""
        text = (self.data / "status").read_text()
        found = re.search(r"mails_waiting (\d+)", text)
        return int(found.group(1)) if found else -1

    def mails_to(self, address):
        return [mail for mail in self.mails() if address in str(mail["To"])]

    def raw_mails(self):
        files = (self.mail_server.folder / "Maildir/new").glob("*")
        return [file.read_bytes() for file in sorted(files)]


def plan(service):
    file = service.root / "Lageplan.pdf"
    file.write_bytes(b"%PDF-1.7\n" + os.urandom(50_000))
    return file


def all_kinds(service, checks):
    """Everything that the relay ever writes, in both languages where there are two."""
    file, password = plan(service), service.root / "password"
    password.write_text("Kranich-Tinte-Hafer-42-Moos\n")
    secret = ["--password-file", password]
    for language in ("de_DE.UTF-8", "en_GB.UTF-8"):
        env = {"LANG": language}
        links = set(service.links().values())
        service.send(file, env=env)
        link = world.wait_until(lambda: set(service.links().values()) - links, what="notice").pop()
        service.fetch_as_department(link, service.root / f"in-{language}")
        more = [*secret, "--share-phone"] if language.startswith("de") else secret
        notices = len(service.mails_to(CLERK))
        service.send(file, to=CLERK, more=more, env=env)
        world.wait_until(lambda: len(service.mails_to(CLERK)) > notices, what="notice to the clerk")
    service.pass_time(15 * DAY)
    world.wait_until(lambda: set(KINDS) <= {str(mail["Subject"]) for mail in service.mails()},
                     what="every kind of mail")
    found = collections.Counter(str(mail["Subject"]) for mail in service.mails())
    print(f"   {dict(found)}")
    checks.that("every kind of mail arrives, each as often as it has a reason", found == KINDS)
    first, second = (mail.get_content() for mail in service.mails_to(CLERK))
    checks.that("the phone number stands only where the sender ticked that",
                "803-4711" in first and "803-4711" not in second)
    replies = [str(mail["Reply-To"] or "") for mail in service.mails_to(CLERK)]
    checks.that("a clerk can answer to the verified address",
                all(world.SENDER in reply for reply in replies))


def faults_of(raw):
    """What is not as the RFCs want it, in words; nothing for a clean mail."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    faults = [f"defect {defect!r}" for part in mail.walk() for defect in part.defects]
    try:
        email.message_from_bytes(raw, policy=email.policy.strict + email.policy.default
                                 .clone(raise_on_defect=True))
    except Exception as defect:  # any defect raises its own class
        faults.append(f"strict: {defect!r}")
    for name in ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type",
                 "Content-Transfer-Encoding", "Auto-Submitted"):
        values = mail.get_all(name, [])
        if len(values) != 1:
            faults.append(f"{len(values)} x {name}")
        faults += [f"{name}: {defect!r}" for value in values
                   for defect in getattr(value, "defects", ())]
    if faults:
        return faults
    wanted = {"Auto-Submitted": "auto-generated", "MIME-Version": "1.0",
              "Content-Transfer-Encoding": "quoted-printable"}
    faults += [f"{name} is {mail[name]}" for name, value in wanted.items() if mail[name] != value]
    if mail.get_content_type() != "text/plain" or mail.get_content_charset() != "utf-8":
        faults.append("not plain text in UTF-8")
    if not re.fullmatch(r"<[0-9a-f]{32}@amt\.example>", mail["Message-ID"]):
        faults.append("the form of the Message-ID")
    if mail["Date"].datetime is None or mail["Date"].datetime.utcoffset() is None:
        faults.append("no date")
    if len(mail["To"].addresses) != 1 or len(mail["From"].addresses) != 1:
        faults.append("not one sender and one recipient")
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    if any(len(line) > 998 for line in lines) or max(raw, default=0) > 126 or b"\0" in raw:
        faults.append("a long line, or not 7 bit")
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    if any(len(line) > 76 for line in body.split(b"\n")) or re.search(rb"[ \t]\n", body):
        faults.append("quoted-printable with long lines or blanks at an end")
    if re.search(rb"=(?![0-9A-F]{2}|\n)", body):
        faults.append("quoted-printable with a stray =")
    text = mail.get_content() + "".join(f"{name}: {value}\n" for name, value in mail.items())
    faults += [f"{word} stands in it" for word in MUST_NOT_STAND if word in text]
    return faults


def cleanness(service, checks):
    raws = service.raw_mails()
    broken = raws[0].replace(b"Message-ID:", b"X-Message-ID:")
    checks.that("a mail without Message-ID is caught (negative control)", faults_of(broken))
    header, _, body = raws[0].partition(b"\n\n")
    checks.that("8-bit bytes and stray = are caught (negative control)",
                faults_of(header + b"\n\n" + "Grüße".encode() + body)
                and faults_of(header + b"\n\nx=x\n"))
    faults = {str(email.message_from_bytes(raw)["Message-ID"]): faults_of(raw) for raw in raws}
    faults = {key: found for key, found in faults.items() if found}
    checks.that(f"{len(raws)} mails are clean, each in every respect", not faults or print(faults))
    signed_in = all(re.search(rb"Received:[^\n]*\n(?:[ \t][^\n]*\n)*?[^\n]*with esmtpsa", raw)
                    for raw in raws)
    checks.that("every one came by TLS and with a sign-in", signed_in)


def spam_scores(service, raws):
    """The scores, highest first: it judges in any order. That this machine is trusted counts for
    nothing, since a stranger's mail server would not know."""
    mbox = service.root / "judge.mbox"
    mbox.write_bytes(b"".join(b"From judge Thu Jan  1 00:00:00 2026\n"
                              + re.sub(rb"(?m)^From ", b">From ", raw).rstrip() + b"\n\n"
                              for raw in raws))
    home = service.root / "judge"
    home.mkdir(exist_ok=True)
    done = subprocess.run(["spamassassin", "-L", "-t", "-x", "--cf=score ALL_TRUSTED 0", "--mbox",
                           str(mbox)], capture_output=True, check=True,
                          env={**os.environ, "HOME": str(home), "LANG": "C"})
    text = done.stdout.decode(errors="replace")
    scores = re.findall(r"(?m)^X-Spam-Status: (?:Yes|No), score=(\S+)", text)
    rules = re.findall(r"tests=([A-Z0-9_,\s]+?)\s+autolearn", text)
    return (sorted(map(float, scores), reverse=True),
            collections.Counter(rule for one in rules for rule in re.split(r",\s*", one)))


def spam(service, checks):
    by_kind = {}
    for raw in service.raw_mails():
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        by_kind.setdefault((str(mail["Subject"]), "Telefon" in mail.get_content()), raw)
    raws = list(by_kind.values())
    scores, rules = spam_scores(service, [raws[0] + GTUBE.encode() + b"\n", *raws])
    print(f"   {len(raws)} kinds, scores {scores[1:]}, rules {dict(rules)}")
    checks.that("a mail that SpamAssassin must reject is rejected (positive control)",
                len(scores) == len(raws) + 1 and scores[0] >= SPAM_MIN)
    checks.that(f"every kind of mail stays below {SPAM_MIN}",
                len(raws) >= 8 and all(score < SPAM_MIN for score in scores[1:]))


def put_off(service, checks):
    """452 for a while, and 550 for ever."""
    file, password = plan(service), service.root / "password"
    secret = ["--password-file", password]
    server = service.mail_server
    server.full.touch()
    service.send(file, to=FULL, more=secret)
    world.wait_until(lambda: server.rejected(FULL) == 1, what="the first try")
    world.wait_until(lambda: service.waiting() == 1, what="a waiting mail")
    checks.that("a recipient who is put off keeps his mail waiting, not the sender",
                not service.mails_to(FULL))
    service.pass_time(RETRY_S)
    world.wait_until(lambda: server.rejected(FULL) == 2, what="the second try")
    server.full.unlink()
    service.pass_time(2 * RETRY_S)
    world.wait_until(lambda: service.mails_to(FULL), what="the mail that was late")
    world.wait_until(lambda: service.waiting() == 0, what="nothing waiting")
    checks.that("it arrives once, late", len(service.mails_to(FULL)) == 1)

    sent = service.send(file, to=UNKNOWN, more=secret)
    world.wait_until(lambda: server.rejected(UNKNOWN) == 1, what="a refusal")
    world.wait_until(lambda: service.waiting() == 0, what="nothing waiting")
    service.pass_time(5 * 3_600)
    before = len(service.mails())
    wires.Wire(service).post("/v1/verifications", {"email": "spaeter.da@buerger.example",
                                                   "language": "de"})
    world.wait_until(lambda: len(service.mails()) > before, what="a later mail")
    state = service.plankurier("status", sent.receipt, "--json")
    checks.that("a recipient who is refused for good is tried once, and the transfer stays",
                server.rejected(UNKNOWN) == 1 and "available" in state.stdout)


def ask(service, address):
    wires.Wire(service).post("/v1/verifications", {"email": address, "language": "de"})


def away(service, checks):
    """The server is down, hangs up on a bad password, or has lost its TLS."""
    for number in range(5 if SLOW else 1):
        address = f"geduld-{number}@buerger.example"
        service.stop("exim")
        ask(service, address)
        world.wait_until(lambda: service.waiting() == 1, what="a waiting mail")
        service.start_mail_server()
        service.pass_time(RETRY_S)
        world.wait_until(lambda: service.mails_to(address), what="the mail after the outage")
        checks.that("a mail outlives the server's absence and comes once",
                    len(service.mails_to(address)) == 1)

    service.stop("exim")
    ask(service, "neustart@buerger.example")
    world.wait_until(lambda: service.waiting() == 1, what="a waiting mail")
    service.kill_relay()
    service.start_relay()
    service.start_mail_server()
    service.pass_time(RETRY_S)
    world.wait_until(lambda: service.mails_to("neustart@buerger.example"), what="the mail")
    checks.that("a mail outlives a kill of the relay too", True)

    password_file = service.root / "smtp-password"
    right = password_file.read_text()
    plain = service.mail_server.configuration.read_text()
    for name, break_it, mend_it in (
            ("a wrong password", lambda: password_file.write_text("falsch\n"),
             lambda: password_file.write_text(right)),
            ("a server without TLS",
             lambda: service.mail_server.configuration.write_text(
                 plain.replace("tls_advertise_hosts = *", "tls_advertise_hosts =")),
             lambda: service.mail_server.configuration.write_text(plain))):
        address = f"huerde-{len(name)}@buerger.example"
        restart(service, break_it)
        ask(service, address)
        tried = lambda: service.waiting() == 1
        world.wait_until(tried, what="a waiting mail")
        service.pass_time(RETRY_S)
        world.wait_until(tried, what="a mail still waiting")
        early = service.mails_to(address)
        restart(service, mend_it)
        service.pass_time(10 * RETRY_S)
        world.wait_until(lambda: service.mails_to(address), what="the mail")
        checks.that(f"{name} makes a mail late, never clear text and never lost", not early)


def restart(service, change):
    service.stop("relay")
    service.stop("exim")
    change()
    service.start_mail_server()
    service.start_relay()


def twice(service, checks):
    """Killed between the server's 250 and the note of it: a second copy, recognisable as such."""
    token = service.root / "once"
    token.touch()
    service.stop("relay")
    service.start_relay({"PLANKURIER_FAULT": "control.after_mail_before_commit=kill@1",
                         "PLANKURIER_FAULT_ONCE": str(token)})
    ask(service, "doppelt@buerger.example")
    world.wait_until(lambda: len(service.mails_to("doppelt@buerger.example")) == 2,
                     what="the second copy")
    copies = service.mails_to("doppelt@buerger.example")
    checks.that("a mail that comes twice has the same Message-ID and the same text",
                not token.exists() and len({mail["Message-ID"] for mail in copies}) == 1
                and len({mail.get_content() for mail in copies}) == 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    if not shutil.which("spamassassin"):
        raise SystemExit("spamassassin is missing: script/setup installs it")
    with MailWorld(parser.parse_args().build, smtp=True) as service:
        all_kinds(service, checks)
        spam(service, checks)
        put_off(service, checks)
        away(service, checks)
        twice(service, checks)
        cleanness(service, checks)
        ids = collections.Counter(mail["Message-ID"] for mail in service.mails())
        doubles = [key for key, count in ids.items() if count > 1]
        checks.that(f"of {len(service.mails())} mails only the one that was meant to came twice",
                    len(doubles) == 1 and ids[doubles[0]] == 2)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
