#!/usr/bin/env python3
"""Mails to a recipient that do not arrive: refused at once, or sent back by a real exim later. The
sender hears of it once."""
import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import world

BOUNCE = f"bounce@{world.STAFF_DOMAIN}"
SUBJECT = "Ihre Nachricht ist nicht zustellbar"


def told(service):
    return [mail for mail in service.mails()
            if mail["To"] == world.SENDER and mail["Subject"] == SUBJECT]


def send_to(service, local_part):
    plan = service.root / f"{local_part}.pdf"
    plan.write_bytes(b"%PDF-1.7\n" + os.urandom(1_000))
    return service.send(plan, to=f"{local_part}@{world.STAFF_DOMAIN}")


def reports(service):
    """Those that came back: to an address of the bounces, of the form that RFC 3464 gives them."""
    return [mail for mail in service.every_mail() if mail.get_content_type() == "multipart/report"]


def take(service, *arguments, check=True, **options):
    return service.run(service.relay_program, "bounce", "--config", service.config, *arguments,
                       check=check, **options)


def suite(service, checks):
    send_to(service, "unbekannt")
    world.wait_until(lambda: told(service), what="the mail about a refused notice")
    checks.that("a notice that is refused at once is told to the sender", len(told(service)) == 1)

    send_to(service, "zurueck")
    world.wait_until(lambda: reports(service), what="a notice to come back")
    address = str(reports(service)[0]["To"])
    checks.that("it comes back to an address of its own",
                address.startswith("bounce+") and address.endswith(BOUNCE[6:]) and
                len(address) == len(BOUNCE) + 17)
    maildir = service.mail_server.folder / "Maildir"
    before = len(service.every_mail())
    done = take(service, "--maildir", maildir)
    checks.that("the command finds it among all mails", done.stdout.startswith("1 "))
    checks.that("and takes it away, with the recipient's name; others stay",
                not reports(service) and len(service.every_mail()) == before - 1)
    world.wait_until(lambda: len(told(service)) == 2, what="the mail about a bounce")
    checks.that("the sender is told", len(told(service)) == 2)
    checks.that("not who it was, nor what", not any(
        word in mail.get_content() for mail in told(service) for word in ("zurueck", ".pdf", "@")))

    code_mail = next(mail for mail in service.mails() if "ode" in mail["Subject"])
    for name, text in (("a mail of another kind", bytes(code_mail)), ("nothing at all", b"")):
        file = service.root / "message"
        file.write_bytes(text)
        with open(file, "rb") as message:
            done = take(service, check=False, stdin=message)
        checks.that(f"{name} on standard input is no bounce", done.returncode == 0)
    checks.that("nobody hears of these", len(told(service)) == 2 and not list(
        (service.data / "bounces").glob("*")))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="build/dev")
    service = world.World(options.parse_args().build, smtp=True)
    service.bounce = BOUNCE
    checks = counting.Checks()
    with service:
        suite(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
