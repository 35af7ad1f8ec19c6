#!/usr/bin/env python3
"""The main job: a citizen sends, the authority fetches, byte-identical, with mails and purge."""
import argparse
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import world


def make_files(folder):
    pdf, jpg, png = folder / "Plan Nordansicht.pdf", folder / "foto.jpg", folder / "karte.png"
    pdf.write_bytes(b"%PDF-1.7\n" + os.urandom(9_000_001))
    jpg.write_bytes(b"\xff\xd8\xff\xe0" + os.urandom(300_000))
    png.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + os.urandom(70_000))
    return [pdf, jpg, png]


def same(files, folder):
    return all((folder / file.name).read_bytes() == file.read_bytes() for file in files)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    with world.World(parser.parse_args().build) as service:
        files = make_files(service.root)
        sent = service.send(*files)
        checks.that("a department transfer is sent with a receipt",
                    sent.returncode == 0 and sent.receipt.exists())
        link = service.notice_link(f"bauamt@{world.STAFF_DOMAIN}")
        fetched = service.fetch_as_department(link, service.root / "in")
        checks.that("the department fetches it byte-identical", same(files, service.root / "in"))
        checks.that("the clerk sees the message and that the address is verified",
                    "Anbei die vertraulichen Pläne" in fetched.stdout
                    and "Adresse bestätigt" in fetched.stdout)
        service.mail_to(world.SENDER, r"vollständig\s+abgerufen")
        checks.that("the sender is told that it was fetched", True)
        again = service.fetch_as_department(link, service.root / "again")
        checks.that("it can be fetched a second time",
                    again.returncode == 0 and same(files, service.root / "again"))
        notices = [mail for mail in service.mails() if "abgerufen" in str(mail["Subject"])]
        checks.that("the fetched mail comes once", len(notices) == 1)
        status = service.plankurier("status", sent.receipt)
        checks.that("the sender sees the state", "abgeholt" in status.stdout)

        clerk = f"frau.gruen@{world.STAFF_DOMAIN}"
        password_file = service.root / "password"
        password_file.write_text("Kranich-Tinte-Hafer-42-Moos\n")
        sent = service.send(files[1], to=clerk, more=["--password-file", password_file])
        link = service.notice_link(clerk)
        service.fetch(link, service.root / "clerk", "--password-file", password_file)
        checks.that("a password transfer reaches a typed staff address",
                    same(files[1:2], service.root / "clerk"))
        wrong = service.root / "wrong"
        wrong.write_text("falsch\n")
        refused = service.fetch(link, service.root / "none", "--password-file", wrong, check=False)
        checks.that("a wrong password opens nothing and says so",
                    refused.returncode == 5 and "Passwort" in refused.stderr
                    and not list((service.root / "none").glob("*")))
        text = "".join(mail.get_content() for mail in service.mails())
        checks.that("no mail holds names, subjects, messages or file names",
                    not re.search("Muster[^k]|Bauantrag|vertraulichen Pl|Nordansicht|foto.jpg", text))
        revoked = service.plankurier("revoke", sent.receipt)
        gone = service.fetch(link, service.root / "gone", "--password-file", password_file,
                             check=False)
        checks.that("a revoked transfer is gone", revoked.returncode == 0 and gone.returncode == 6)
        log = (service.root / "relay.log").read_text(errors="replace")
        checks.that("no sanitizer had anything to say about the relay",
                    "Sanitizer" not in log and "runtime error" not in log)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
