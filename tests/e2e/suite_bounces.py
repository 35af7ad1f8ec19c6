#!/usr/bin/env python3
"""Mails to a recipient that do not arrive: refused at once, or sent back by a real exim later. The
sender hears of it once, by mail and by the state, however often it comes back and by which way."""
import argparse
import email
import encodings.idna  # now, since the other user may not read a Python below /root
import os
import pathlib
import pwd
import smtplib
import ssl
import stat
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import mail_server
import people
import wire as wires
import world

SUBJECT = "Ihre Nachricht ist nicht zustellbar"
BACK = f"zurueck@{world.STAFF_DOMAIN}"


def told(service, address=world.SENDER, subject=SUBJECT):
    return service.mails_to(address, subject)


def send_to(service, local_part, citizen=None, **options):
    plan = people.plan(service.root / f"{local_part}.pdf", 1_000)
    sender = citizen or people.Citizen(service)
    return sender.start(plan, to=f"{local_part}@{world.STAFF_DOMAIN}", **options).end()


def undeliverable(service, sent):
    return people.Citizen(service).status(sent.receipt)["recipient_undeliverable"]


def reports(service):
    """Those that came back: to an address of the bounces, of the form that RFC 3464 gives them."""
    return [mail for mail in service.every_mail() if mail.get_content_type() == "multipart/report"]


def take(service, *arguments, check=True, **options):
    return service.run(service.relay_program, "bounce", "--config", service.config, *arguments,
                       check=check, **options)


def pipe(service, message):
    """As a mail server's pipe does it. Gives the exit code."""
    file = service.root / "message"
    file.write_bytes(message)
    with open(file, "rb") as incoming:
        done = take(service, check=False, stdin=incoming)
    taken = lambda: not list((service.data / "bounces").glob("*"))
    if (service.data / "bounces").exists():
        world.wait_until(taken, what="the relay to take what came back")
    return done.returncode


def at_once(service, checks):
    sent = send_to(service, "unbekannt")
    world.wait_until(lambda: told(service), what="the mail about a refused notice")
    checks.that("a notice that is refused at once is told to the sender, and stands in the state",
                len(told(service)) == 1 and undeliverable(service, sent))


def by_maildir(service, checks):
    sent = send_to(service, "zurueck")
    world.wait_until(lambda: reports(service), what="a notice to come back")
    address = str(reports(service)[0]["To"])
    checks.that("it comes back to an address of its own",
                address.startswith("bounce+") and address.endswith(people.BOUNCE[6:]) and
                len(address) == len(people.BOUNCE) + 17)
    checks.that("until then nobody knows", not undeliverable(service, sent))
    maildir = service.mail_server.folder / "Maildir"
    message, before = bytes(reports(service)[0]), len(service.every_mail())
    done = take(service, "--maildir", maildir)
    checks.that("the command finds it among all mails", done.stdout.startswith("1 "))
    checks.that("and takes it away, with the recipient's name; others stay",
                not reports(service) and len(service.every_mail()) == before - 1)
    world.wait_until(lambda: len(told(service)) == 2, what="the mail about a bounce")
    checks.that("the sender is told, and the state says so", undeliverable(service, sent))
    words = service.plankurier("status", sent.receipt)
    checks.that("in words too", "ließ sich nicht zustellen" in words.stderr
                and "verfügbar" in words.stdout)
    checks.that("not who it was, nor what", not any(
        word in mail.get_content() for mail in told(service) for word in ("zurueck", ".pdf", "@")))
    return sent, message


def again(service, checks, sent, message):
    """The same mail comes back twice more, and the next notice does as well."""
    codes = [pipe(service, message), pipe(service, message)]
    service.pass_time(601)
    service.plankurier("resend", sent.receipt)
    world.wait_until(lambda: reports(service), what="the second notice to come back")
    codes.append(pipe(service, bytes(reports(service)[0])))
    take(service, "--maildir", service.mail_server.folder / "Maildir")
    service.settle()
    checks.that("the sender is told once, however often it comes back",
                len(told(service)) == 2 and codes == [0, 0, 0])


def by_pipe(service, checks):
    citizen = people.Citizen(service, "ann.sample@buerger.example")
    sent = send_to(service, "zurueck", citizen, env={"LANG": "en_GB.UTF-8"})
    world.wait_until(lambda: reports(service), what="a notice to come back")
    message = bytes(reports(service)[0])
    late = email.message_from_bytes(message)
    status = next(part for part in late.walk()
                  if part.get_content_type() == "message/delivery-status")
    for group in status.get_payload():
        for name, value in (("Action", "delayed"), ("Status", "4.4.1")):
            if group[name]:
                group.replace_header(name, value)
    checks.that("a warning that it takes longer is no bounce", pipe(service, bytes(late)) == 0
                and b"delayed" in bytes(late) and not undeliverable(service, sent))
    checks.that("by a pipe it is taken from standard input", pipe(service, message) == 0)
    world.wait_until(lambda: told(service, citizen.address, "Your message is undeliverable"),
                     what="the mail in the sender's language")
    checks.that("and the sender told in the own language", undeliverable(service, sent))
    take(service, "--maildir", service.mail_server.folder / "Maildir")
    return sent, message


def not_ours(service, checks, message):
    before = len(service.mails())
    code_mail = next(mail for mail in service.mails() if "ode" in str(mail["Subject"]))
    digits = email.message_from_bytes(message)["To"].strip("<>")[7:23].encode()
    for name, text in (("a mail of another kind", bytes(code_mail)), ("nothing at all", b""),
                       ("a report about a mail that nobody knows",
                        message.replace(digits, b"0123456789abcdef")),
                       ("a report with a path for a number",
                        message.replace(digits, b"../../control.db"[:16])),
                       ("a report of many megabytes", message + b"x" * (8 << 20))):
        checks.that(f"{name} is no reason to fail", pipe(service, text) == 0)
    service.settle()
    checks.that("and nobody hears of these", len(service.mails()) == before + 1)


def codes_too(service, checks):
    """Nobody is told of a code that came back, since nobody has proven to be who asked for it."""
    wires.Wire(service).post("/v1/verifications", {"email": BACK, "language": "de"})
    world.wait_until(lambda: reports(service), what="a code to come back")
    before = len(service.mails())
    take(service, "--maildir", service.mail_server.folder / "Maildir")
    service.settle()
    checks.that("a code that comes back is told to nobody", len(service.mails()) == before + 1
                and not reports(service))


def too_late(service, checks, sent, message):
    """What comes back after the end finds nothing, and leaves nothing."""
    service.pass_time(15 * people.DAY)
    world.wait_until(lambda: people.Citizen(service).status(sent.receipt).get("exit") == 6,
                     what="the end of the transfer")
    service.settle()
    before = len(service.mails())
    checks.that("what comes back after the end is taken", pipe(service, message) == 0)
    service.settle()
    checks.that("and told to nobody", len(service.mails()) == before + 1)


def handed_over(service):
    """The names of what the command has left for the relay."""
    return [file.name for file in (service.data / "bounces").glob("*")]


def by_exim(service, checks):
    """A notice that exim takes and cannot deliver: its report goes by exim's own pipe."""
    server = service.mail_server
    service.stop("exim")
    server.pipe_bounces(service.relay_program, service.config)
    service.start_exim()
    citizen = people.Citizen(service, "emil.exim@buerger.example")
    sent = send_to(service, "zurueck", citizen)
    world.wait_until(lambda: told(service, citizen.address), what="the mail about a piped bounce")
    checks.that("exim's pipe hands over its report, and the sender is told",
                undeliverable(service, sent) and not reports(service)
                and server.log().count("T=plankurier_pipe") == 1)
    world.wait_until(lambda: server.waiting() == 0, what="exim's queue to be empty")
    service.write_to(people.BOUNCE.replace("@", "+0123456789abcdef@"))
    world.wait_until(lambda: server.log().count("T=plankurier_pipe") == 2, what="a reply in the pipe")
    world.wait_until(lambda: server.waiting() == 0, what="exim's queue to be empty")
    checks.that("an automatic reply is taken, and nothing sent back", not reports(service)
                and len(told(service, citizen.address)) == 1)


def tried_again(service, checks):
    """What cannot be handed over now stays with exim; what exim has got rid of is on the disk."""
    server = service.mail_server
    deferred = lambda: server.log().count("T=plankurier_pipe defer")
    citizen = people.Citizen(service, "spaet.exim@buerger.example")
    service.config.chmod(0)
    sent = send_to(service, "zurueck", citizen)
    world.wait_until(deferred, what="exim to put off a report")
    checks.that("with a configuration that cannot be read exim keeps the report",
                server.waiting() == 1 and not undeliverable(service, sent))
    service.stop("relay")
    service.config.chmod(0o600)
    away = service.relay / "away"
    service.data.rename(away)
    service.data.mkdir()  # as a mount point without its disk
    before = deferred()
    world.wait_until(lambda: deferred() > before + 1, what="exim to try again")
    checks.that("without its data too, and writes nothing",
                server.waiting() == 1 and not list(service.data.iterdir()))
    checks.that("by the exit code of those who want another try",
                pipe(service, b"To: bounce@amt.example\n\n") == os.EX_TEMPFAIL)
    service.data.rmdir()
    away.rename(service.data)
    world.wait_until(lambda: server.waiting() == 0, what="exim to hand over the report")
    checks.that("with its data back exim gets rid of it while no relay runs",
                len(handed_over(service)) == 1 and not told(service, citizen.address))
    service.start_relay()
    world.wait_until(lambda: told(service, citizen.address), what="the mail about a late bounce")
    checks.that("and the relay tells the sender when it runs again",
                undeliverable(service, sent) and not handed_over(service))


class Service(people.Service):
    def start_exim(self):
        self.start("exim", *self.mail_server.command)
        world.wait_until(lambda: world.listening(self.mail_server.port), what="exim")

    def write_to(self, address):
        """As somebody whose mail program answers by itself, from an address that hears of failures."""
        with smtplib.SMTP("localhost", self.mail_server.port, timeout=30) as client:
            client.starttls(context=ssl.create_default_context(cafile=self.ca))
            client.login(mail_server.USER, mail_server.PASSWORD)
            client.sendmail("wer@buerger.example", [address], "Subject: Abwesend\n\nBis Montag\n")


def others_reach(program):
    path = pathlib.Path(program).resolve()
    return all(one.stat().st_mode & stat.S_IXOTH for one in (path, *path.parents))


def as_one_user(service):
    """An exim with a configuration of ours may not change users. So all of this test runs as its.
    False where that user cannot run the programs."""
    if os.geteuid() != 0:
        return True
    if not (others_reach(service.client) and others_reach(pathlib.Path(__file__).parent)):
        return False
    user = pwd.getpwnam("Debian-exim")
    os.chown(service.root, user.pw_uid, user.pw_gid)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    return True


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="build/dev")
    checks = counting.Checks()
    service = Service(options.parse_args().build)
    has_pipes = as_one_user(service)
    with service:
        at_once(service, checks)
        again(service, checks, *by_maildir(service, checks))
        sent, message = by_pipe(service, checks)
        not_ours(service, checks, message)
        codes_too(service, checks)
        if has_pipes:
            by_exim(service, checks)
            tried_again(service, checks)
        else:
            checks.skip("exim's pipe", "its user cannot reach this folder")
        too_late(service, checks, sent, message)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
