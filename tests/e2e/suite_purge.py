#!/usr/bin/env python3
"""After expiry or revocation nothing personal is left in any byte of the data folder."""
import argparse
import base64
import contextlib
import os
import pathlib
import sqlite3
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import loop_disk
import world

DAY = 86_400
SLOT_BYTES = 64


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


def wait_for_purge(service):
    gone = lambda: (not list((service.data / "envelopes").glob("*"))
                    and not world.files_in(service.data / "pieces", "*/*.vol")
                    and not list((service.data / "mail").glob("*.eml"))
                    and "purged_not_confirmed 0" in (service.data / "status").read_text())
    # The last notice goes out up to a beat of the relay after the rows are gone, and passes the mail
    # folder for a moment: so it must stay so for several beats.
    in_a_row = [0]

    def gone_for_a_second():
        in_a_row[0] = in_a_row[0] + 1 if gone() else 0
        return in_a_row[0] >= 50
    world.wait_until(gone_for_a_second, what="purge and the piece plane's confirmation")


def changed_slots(before, after):
    return [before[at:at + SLOT_BYTES] for at in range(0, len(before), SLOT_BYTES)
            if before[at:at + SLOT_BYTES] != after[at:at + SLOT_BYTES]]


def deleted_row(folder, name, secret, secure_delete):
    """A secret put into a database and deleted again, as carefully as SQLite can."""
    file = folder / name
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA secure_delete={'ON' if secure_delete else 'OFF'}")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE vault (slot INTEGER PRIMARY KEY, key BLOB)")
        db.executemany("INSERT INTO vault VALUES (?,?)",
                       [(slot, secret if slot == 7 else os.urandom(64)) for slot in range(64)])
        db.execute("DELETE FROM vault WHERE slot = 7")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def raw_disk(build, checks):
    """The keys are gone from the disk itself, free blocks and journal included."""
    careless = os.urandom(SLOT_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        file = deleted_row(pathlib.Path(folder), "careless.db", careless, secure_delete=False)
        checks.that("a database without secure_delete is caught (negative control)",
                    careless in file.read_bytes())
        file = deleted_row(pathlib.Path(folder), "careful.db", careless, secure_delete=True)
        checks.that("with secure_delete its file is clean", careless not in file.read_bytes())
    if not loop_disk.is_possible():
        checks.skip("the raw disk", "mounting a disk needs root")
        return
    with world.World(build, disk_mib=96) as service:
        plan = service.root / "plan.pdf"
        plan.write_bytes(b"%PDF-1.7\n" + os.urandom(300_000))
        service.send(plan)
        service.notice_link(f"bauamt@{world.STAFF_DOMAIN}")
        vault = (service.data / "vault").read_bytes()
        raw_before = service.disk.raw()
        in_database = os.urandom(SLOT_BYTES)
        service.clock.write_text(str(15 * DAY))
        wait_for_purge(service)
        keys = changed_slots(vault, (service.data / "vault").read_bytes())
        checks.that("before expiry every key in use is on the raw disk (positive control)",
                    keys and all(key in raw_before for key in keys))
        deleted_row(service.data, "vault.db", in_database, secure_delete=True)
        (service.data / "vault.db").unlink()
        raw = service.disk.raw()
        checks.that("after expiry no key is left in any block of the raw disk",
                    not any(key in raw for key in keys))
        checks.that("a vault in a database would have been caught (negative control)",
                    in_database in raw)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    expiry(build, checks)
    raw_disk(build, checks)
    return checks.end()


def expiry(build, checks):
    with world.World(build) as service:
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
        status = service.plankurier("status", sent.receipt, "--json", check=False)
        checks.that("a day before expiry the transfer is still there",
                    "available" in status.stdout and any((service.data / "pieces").glob("*/*.vol")))
        service.clock.write_text(str(15 * DAY))
        wait_for_purge(service)
        checks.that("after expiry no byte of the data folder holds a canary",
                    not found(service.data, canaries))
        slots = changed_slots(vault_before, (service.data / "vault").read_bytes())
        checks.that("the vault slots in use before were overwritten in place", len(slots) >= 2)
        fetched = service.fetch_as_department(link, service.root / "late", check=False)
        checks.that("the link is dead", fetched.returncode == 6)
        audit = (service.data / "audit.log").read_text()
        checks.that("the audit says that something was purged, and nothing of whom",
                    audit.count(" purged ") == 2)


if __name__ == "__main__":
    sys.exit(main())
