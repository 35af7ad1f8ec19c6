#!/usr/bin/env python3
"""Mails through a real mail server: late is allowed, lost is not; every kind is clean by the RFCs.

exim4 asks for STARTTLS and a sign-in, puts some recipients off, refuses others, keeps strangers on a
grey list, and is away for a while. All kinds of mail are parsed strictly and judged by SpamAssassin (local tests only).
FORM=slow: the server goes away five times.
"""
import argparse
import collections
import email
import email.policy
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import form
import mail_kinds
import mail_server
import people
import wire as wires
import world
from mail_form import faults_of, spam_scores
from mail_kinds import KINDS, NOTICE, UNKNOWN
from people import CLERK

SPAM_MIN = 5.0  # SpamAssassin's default
RETRY_S = 61  # a mail that was put off is tried again after 60 s
FULL = f"voll@{world.STAFF_DOMAIN}"
GREY = f"grau@{world.STAFF_DOMAIN}"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


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


class MailWorld(people.Service):
    def __init__(self, build):
        super().__init__(build)
        self.more_config = "[policy]\nlink_allowed = true\n"

    def _mail_server(self):
        tls = self.relay / "tls"
        self.mail_server = MailServer(self.root / "mail", world.free_port(), tls / "relay.pem",
                                      tls / "relay.key")
        self.start_mail_server()

    def start_mail_server(self):
        self.start("exim", *self.mail_server.command)
        world.wait_until(lambda: world.listening(self.mail_server.port), what="exim")

    def waiting(self):
        """Mails not delivered yet, as `status` says."""
        text = (self.data / "status").read_text()
        found = re.search(r"mails_waiting (\d+)", text)
        return int(found.group(1)) if found else -1

    def raw_mails(self):
        """The relay's own; no report of the mail server's."""
        files = (self.mail_server.folder / "Maildir/new").glob("*")
        raws = [file.read_bytes() for file in sorted(files)]
        return [raw for raw in raws if not email.message_from_bytes(raw).is_multipart()]


def plan(service):
    return people.plan(service.root / "Lageplan.pdf")


def all_kinds(service, checks):
    """Everything that the relay ever writes, in both languages where there are two."""
    mail_kinds.cause(service, plan(service))
    found = collections.Counter(mail_kinds.of_kinds(service))
    print(f"   {dict(found)}")
    checks.that("every kind of mail arrives, each as often as it has a reason", found == KINDS)
    first, second = service.mails_to(CLERK, NOTICE)[:2]
    checks.that("the phone number stands only where the sender ticked that",
                "803-4711" in first.get_content() and "803-4711" not in second.get_content())
    checks.that("a clerk can answer to the verified address",
                [mail["Reply-To"].addresses[0].addr_spec for mail in (first, second)]
                == ["anna.muster@buerger.example", "ann.sample@buerger.example"])


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
    own = [people.BOUNCE.replace("@", f"+{str(email.message_from_bytes(raw)['Message-ID'])[1:17]}@")
           for raw in raws]
    checks.that("each under an address of its own, by which it is known when it comes back",
                len(raws) > 30 and all(f"(envelope-from <{address}>)".encode() in b" ".join(
                    raw.split()) for address, raw in zip(own, raws)))


def spam(service, checks):
    by_kind = {}
    for raw in service.raw_mails():
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        by_kind.setdefault(mail_kinds.text_of(mail), raw)
    raws = list(by_kind.values())
    scores, rules = spam_scores(service, [raws[0] + GTUBE.encode() + b"\n", *raws])
    print(f"   {len(raws)} kinds, scores {scores[1:]}, rules {dict(rules)}")
    checks.that("a mail that SpamAssassin must reject is rejected (positive control)",
                len(scores) == len(raws) + 1 and scores[0] >= SPAM_MIN)
    checks.that(f"every kind of mail stays below {SPAM_MIN}",
                len(raws) == mail_kinds.TEXTS and all(score < SPAM_MIN for score in scores[1:]))


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

    service.send(file, to=GREY, more=secret)
    world.wait_until(lambda: server.rejected(GREY) == 1, what="a grey list")
    early = len(service.mails_to(GREY))
    service.pass_time(RETRY_S)
    world.wait_until(lambda: server.rejected(GREY) == 2 or service.mails_to(GREY),
                     what="the second try")
    service.pass_time(3 * RETRY_S)
    world.wait_until(lambda: service.mails_to(GREY), what="the mail from the grey list")
    service.settle()
    checks.that("a grey list, which knows a mail by its sender, lets it in once, later",
                not early and len(service.mails_to(GREY)) == 1)

    told = lambda: len(service.mails_to(world.SENDER, "Ihre Nachricht ist nicht zustellbar"))
    refusals, before = server.rejected(UNKNOWN), told()
    sent = service.send(file, to=UNKNOWN, more=secret)
    world.wait_until(lambda: server.rejected(UNKNOWN) == refusals + 1, what="a refusal")
    world.wait_until(lambda: service.waiting() == 0, what="nothing waiting")
    service.pass_time(5 * 3_600)
    service.settle()
    state = service.plankurier("status", sent.receipt)
    checks.that("a recipient who is refused for good is tried once, and the transfer stays",
                server.rejected(UNKNOWN) == refusals + 1 and "verfügbar" in state.stdout)
    checks.that("the sender is told once, by mail and by the state", told() == before + 1
                and "ließ sich nicht zustellen" in state.stderr)
    service.plankurier("resend", sent.receipt)
    world.wait_until(lambda: server.rejected(UNKNOWN) == refusals + 2, what="another refusal")
    service.settle()
    checks.that("a notice sent again and refused again is no news",
                told() == before + 1)


def ask(service, address):
    wires.Wire(service).post("/v1/verifications", {"email": address, "language": "de"})


def away(service, checks):
    """The server is down, hangs up on a bad password, or has lost its TLS."""
    for number in range(form.pick(1, 1, 5)):
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
    with MailWorld(parser.parse_args().build) as service:
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
