#!/usr/bin/env python3
"""After expiry or revocation nothing personal is left in any byte of the data folder."""
import argparse
import base64
import os
import pathlib
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import world

DAY = 86_400


def encodings(text):
    raw = text.encode()
    out = {raw, raw.lower(), raw.upper(), text.encode("utf-16-le"), text.encode("utf-16-be"),
           raw.hex().encode(), raw.hex().upper().encode(), raw[::-1],
           urllib.parse.quote(text).encode(), text.encode("unicode_escape")}
    # Base64 of the same text looks different at each of three alignments; the ends depend on
    # neighbours, so they are cut off.
    for shift in range(3):
        out.add(base64.b64encode(b"x" * shift + raw)[4:-4])
        out.add(base64.urlsafe_b64encode(b"x" * shift + raw)[4:-4])
    return {one for one in out if len(one) >= 6}


def found(folder, canaries):
    hits = set()
    for file in pathlib.Path(folder).rglob("*"):
        if not file.is_file():
            continue
        content = file.read_bytes()
        for name, patterns in canaries.items():
            if any(pattern in content for pattern in patterns):
                hits.add((name, file.name.split(".")[-1]))
    return hits


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    with world.World(parser.parse_args().build) as service:
        secret_content = "INHALT-" + os.urandom(12).hex()
        plan = service.root / "Geheimplan-Kanarienvogel.pdf"
        plan.write_bytes(b"%PDF-1.7\n" + secret_content.encode() + os.urandom(400_000))
        texts = {"name": "Anna Muster", "address": world.SENDER, "phone": "+49 9131 803-4711",
                 "subject": "Bauantrag Gartenweg", "message": "Anbei die vertraulichen Pläne",
                 "file name": "Geheimplan-Kanarienvogel", "content": secret_content}
        canaries = {name: encodings(text) for name, text in texts.items()}
        sent = service.send(plan)
        link = service.notice_link(f"bauamt@{world.STAFF_DOMAIN}")
        canaries["link"] = {link.split(".")[-1].encode()}
        password = service.root / "password"
        password.write_text("Kranich-Tinte-Hafer-42-Moos\n")
        clerk = f"frau.gruen@{world.STAFF_DOMAIN}"
        service.send(plan, to=clerk, more=["--password-file", password, "--share-phone"])
        service.notice_link(clerk)
        vault_before = (service.data / "vault").read_bytes()
        before = {name for name, _ in found(service.data, canaries)}
        checks.that("before the end the scanner finds address, phone and link in the mail folder",
                    {"address", "phone", "link"} <= before)
        checks.that("names, subjects, messages, file names and contents are never there in clear",
                    not before & {"name", "subject", "message", "file name", "content"})
        in_database = {where for name, where in found(service.data, canaries)} - {"eml"}
        checks.that("no address and no link stands in a database or log", not in_database)

        service.clock.write_text(str(13 * DAY))
        status = service.plankurier("status", sent.receipt, check=False)
        checks.that("a day before expiry the transfer is still there",
                    "available" in status.stdout and any((service.data / "pieces").glob("*/*.vol")))
        service.clock.write_text(str(15 * DAY))
        world.wait_until(lambda: not list((service.data / "envelopes").glob("*")), what="purge")
        world.wait_until(lambda: not list((service.data / "pieces").glob("*/*.vol")),
                         what="pieces unlinked")
        world.wait_until(lambda: not list((service.data / "mail").glob("*.eml")), what="mails gone")
        world.wait_until(lambda: "purged_not_confirmed 0" in (service.data / "status").read_text(),
                         what="the piece plane's confirmation")
        checks.that("after expiry no byte of the data folder holds a canary",
                    not found(service.data, canaries))
        now = (service.data / "vault").read_bytes()
        slots = [at for at in range(0, len(now), 64) if now[at:at + 64] != vault_before[at:at + 64]]
        checks.that("the vault slots in use before were overwritten in place", len(slots) >= 2)
        fetched = service.fetch_as_department(link, service.root / "late", check=False)
        checks.that("the link is dead", fetched.returncode == 6)
        audit = (service.data / "audit.log").read_text()
        checks.that("the audit says that something was purged, and nothing of whom",
                    audit.count(" purged ") == 2)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
