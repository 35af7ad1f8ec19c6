#!/usr/bin/env python3
"""The operator's rules, broken by the real client: what the person reads, in German and English, and
that nothing of it was sent."""
import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import world

RULES = """types = ["pdf"]
transfer_gib_max = 1
days_max = 20
[[rules]]
from = "@buerger.example"
to = "bauamt"
"""
CLERK = f"clerk@{world.STAFF_DOMAIN}"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452")
LANGUAGES = {"de": "de_DE.UTF-8", "en": "en_GB.UTF-8"}


def send(service, file, *more, to="bauamt", email=world.SENDER, language="de"):
    arguments = [file, "--to", to, "--name", "Anna Muster", "--email", email, "--message", "Plan",
                 *more]
    return world.Sending(service, arguments, {"LANG": LANGUAGES[language]}).end(check=False)


def files(service):
    out = {}
    for name, head, size in (("plan.pdf", b"%PDF-1.7\n", 1_000), ("bild.png", PNG, 1_000),
                             ("riese.pdf", b"%PDF-1.7\n", (1 << 30) + 1)):
        out[name] = service.root / name
        out[name].write_bytes(head)
        os.truncate(out[name], size)  # the rest is a hole
    return out


def refusals(service):
    """(what is broken, exit code, German words, English words, how to send)."""
    file = files(service)
    return [
        ("a type that the department does not take", 9, "Dieser Dateityp ist nicht zugelassen",
         "This file type is not allowed", lambda **how: send(service, file["bild.png"], **how)),
        ("more than the department takes", 9, "Das ist größer, als die Behörde annimmt",
         "This is larger than the authority accepts",
         lambda **how: send(service, file["riese.pdf"], **how)),
        ("more days than the department keeps", 2, "Eine Angabe ist nicht zulässig",
         "A value is not allowed",
         lambda **how: send(service, file["plan.pdf"], "--expires", "21", **how)),
        ("a sender that the rules do not name", 9,
         "An diese oder von dieser Adresse ist das Senden nicht zugelassen",
         "Sending to or from this address is not allowed",
         lambda **how: send(service, file["plan.pdf"], email="max@anders.example", **how)),
        ("a recipient who is not the authority's", 9,
         "An diese oder von dieser Adresse ist das Senden nicht zugelassen",
         "Sending to or from this address is not allowed",
         lambda **how: send(service, file["plan.pdf"], to="max@anders.example", **how)),
    ]


def suite(service, checks):
    for broken, code, german, english, attempt in refusals(service):
        for language, words in (("de", german), ("en", english)):
            done = attempt(language=language)
            checks.that(f"{broken}: refused with words in {language}",
                        done.returncode == code and words in done.stdout + done.stderr)
    checks.that("nothing of it reached the relay", not list((service.data / "pieces").glob("*/*"))
                and not list((service.data / "envelopes").glob("*")))
    file = files(service)
    for what, attempt in (
            ("what the rules allow goes to the department", lambda: send(
                service, file["plan.pdf"], "--expires", "20")),
            ("and a member of staff takes what the department does not", lambda: send(
                service, file["bild.png"], "--expires", "21", to=CLERK,
                email="max@anders.example"))):
        checks.that(what, attempt().returncode == 0)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="build/dev")
    service = world.World(options.parse_args().build)
    service.more_config = RULES  # of the last table, which is the department's
    checks = counting.Checks()
    with service:
        suite(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
