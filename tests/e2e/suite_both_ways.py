#!/usr/bin/env python3
"""Every step of a citizen and of the staff, both ways, by the command line and real mails.

Citizen to department and to a typed address; the authority answers and writes first; registered
clerks and the escrow key (clerk_steps.py); then what may happen later (later_steps.py). One relay, real nginx, exim4 with STARTTLS and sign-in.
"""
import argparse
import json
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import clerk_steps
import later_steps
import link_steps
import people
import wire as wires
import world
from people import CLERK, DEPARTMENT, plan, same, said

CITIZEN = "berta@buerger.example"
FACTS = ["--reference", "BV-2026/0815", "--clerk", "Frau Grün", "--institution",
         "Gemeinde Musterdorf", "--phone", "+49 9131 803-4711"]
NEVER_IN_MAILS = ("Muster<", "Anna M", "BV-2026", "Frau Gr", "Musterdorf", "Bauantrag", "vertraulichen Pl",
                  "bescheid", "plan.pdf", "Bitte um Stellungnahme", "Hier der Bescheid")


def nothing_before_the_code(service, checks, citizen, sent):
    """At a terminal: the hint, the code that is sent again, and what is stored meanwhile."""
    receipt = service.root / "typed.json"
    client = people.Terminal(service, "send", sent, "--to", "bauamt", "--name", citizen.name,
                             "--email", citizen.address, "--message", "Anbei", *FACTS, "--receipt",
                             receipt)
    client.wait_for(r"Code aus der E-Mail[^\n]*$")
    checks.that("the hint names the spam folder", "Spam-Ordner" in client.text)
    first = service.wait_mails(citizen.address, "Ihr Bestätigungscode")[0].get_content()
    checks.that("nothing of a transfer is stored before the code",
                service.rows("SELECT count(*) FROM transfer") == [(0,)]
                and not list((service.data / "envelopes").iterdir())
                and not world.files_in(service.data / "pieces", "*/*.vol"))
    client.type("")
    client.wait_for("zu früh")
    service.pass_time(61)
    client.type("")
    second = service.wait_mails(citizen.address, "Ihr Bestätigungscode", 2)[1].get_content()
    old, new = (re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", text).group(0) for text in (first, second))
    client.type(old)
    client.wait_for(r"Verbleibende Versuche: 4")
    client.type(new.lower())
    checks.that("the code is sent again after a minute; the new one counts, in small letters too",
                client.end() == 0 and receipt.is_file() and old != new)
    shown = json.loads(receipt.read_text())
    checks.that("the receipt says until when, and how to look, withdraw and get the answer",
                "Verfügbar bis:" in client.text and "plankurier status" in client.text
                and "plankurier revoke" in client.text and shown["return_link"] in client.text)
    return shown["transfer"], receipt


def to_department(service, checks):
    citizen, staff, sent = people.Citizen(service), people.Staff(service), plan(
        service.root / "plan.pdf", 3_000_000)
    listed = service.plankurier("departments")
    checks.that("the department stands in the list", "bauamt\tBauamt" in listed.stdout)
    transfer, receipt = nothing_before_the_code(service, checks, citizen, sent)
    link = service.notice_link(DEPARTMENT)
    checks.that("the department finds the transfer in its inbox too, without the mail",
                not staff.inbox()[transfer]["fetched"])
    before = citizen.status(receipt)
    fetched = staff.fetch(link, service.root / "in", "--json")
    message = people.events(fetched, "message")[0]
    checks.that("it opens it without a password, byte-identical",
                fetched.returncode == 0 and same(sent, service.root / "in" / sent.name))
    checks.that("and reads name, phone, file number, clerk and institution",
                (message["from_name"], message["phone"], message["reference"], message["clerk"],
                 message["institution"]) == ("Anna Muster", FACTS[7], FACTS[1], FACTS[3], FACTS[5])
                and message["verified"])
    told = service.wait_mails(citizen.address, "Ihre Nachricht wurde abgerufen")
    number = json.loads(receipt.read_text())["receipt_number"]
    checks.that("the sender hears of that, once, by the receipt's number",
                len(told) == 1 and number in told[0].get_content())
    after = citizen.status(receipt)
    checks.that("the state says available, then fetched, signed by the department",
                before["state"] == "available" and not before["fetched"]
                and after["state"] == "fetched" and after["signed"] and after["fetched_at"] > 0
                and after["expires"] == before["expires"])
    again = staff.fetch_from_inbox(transfer, service.root / "from-inbox")
    checks.that("it opens it from the inbox as well, in words that people read",
                again.returncode == 0 and "Aktenzeichen: BV-2026/0815" in again.stdout
                and same(sent, service.root / "from-inbox" / sent.name))
    quiet = people.Citizen(service, "leise@buerger.example")
    silent = quiet.send(sent, more=["--notify", "none"])
    staff.fetch(silent.link, service.root / "quiet")
    service.settle()
    checks.that("who wants no mail about that gets none",
                quiet.status(silent.receipt)["fetched"]
                and not service.mails_to(quiet.address, "abgerufen"))
    return transfer, receipt


def to_clerk(service, checks):
    citizen, sent = people.Citizen(service), plan(service.root / "entwurf.pdf")
    done = citizen.send(sent, to=CLERK, more=FACTS)
    shown = re.search(people.PASSWORD, done.stderr)
    checks.that("for a typed address a password is made, shown once, with the warning",
                shown is not None and "Ohne dieses Passwort" in done.stderr
                and shown.group(1) not in pathlib.Path(done.receipt).read_text())
    link, password = done.link, service.root / "password"
    notice = service.mails_to(CLERK, "Eine vertrauliche Nachricht wartet")[0]
    checks.that("the clerk's mail names the verified address, to answer to; no phone, no password",
                notice["Reply-To"].addresses[0].addr_spec == citizen.address
                and citizen.address in notice.get_content()
                and "803-4711" not in notice.get_content()
                and shown.group(1) not in notice.get_content())
    password.write_text("ein anderes Passwort\n")
    wrong = service.fetch(link, service.root / "wrong", "--password-file", password, check=False)
    key = people.Staff(service).fetch(link, service.root / "wrong")
    checks.that("another password opens nothing, nor does a department's key",
                wrong.returncode == key.returncode == 5
                and not list((service.root / "wrong").glob("*")))
    password.write_text(shown.group(1).strip() + "\n")
    right = service.fetch(link, service.root / "clerk", "--password-file", password, check=False)
    checks.that("the password told by phone opens it",
                right.returncode == 0 and same(sent, service.root / "clerk" / sent.name))
    told, typed = shown.group(1).strip(), service.root / "typed"
    screen = people.Terminal(service, "fetch", link, "-o", typed)
    screen.wait_for("Passwort: ")
    screen.type("ein anderes")
    screen.wait_for(r"(?s)stimmt nicht.*Passwort: ")
    screen.type(told.upper().replace("-", " ") + " " if told.islower() else told)
    checks.that("a mistyped one is asked for again; capitals and blanks are taken for what was told",
                screen.end() == 0 and same(sent, typed / sent.name))
    citizen.send(sent, to=CLERK, more=[*FACTS, "--share-phone"])
    both = service.wait_mails(CLERK, "Eine vertrauliche Nachricht wartet", 2)
    checks.that("the phone number stands in the mail only where the sender ticked that",
                sum("803-4711" in mail.get_content() for mail in both) == 1)
    refused = people.Citizen(service).send(sent, to="max@anderswo.example", check=False)
    checks.that("an address that is not the authority's is refused",
                refused.returncode == 9 and "Adressen der Behörde" in refused.stderr
                and "--to max@anderswo.example" in refused.stderr)


def answer(service, checks, transfer, receipt):
    citizen, staff = people.Citizen(service), people.Staff(service)
    notice = plan(service.root / "bescheid.pdf")
    replied = staff.reply(transfer, notice, "--message", "Hier der Bescheid.")
    if not checks.that("the department answers", replied.returncode == 0):
        print(said(replied))
    mail = service.wait_mails(world.SENDER, "Eine Antwort liegt bereit")[0].get_content()
    checks.that("the citizen gets a mail with a link", re.search(world.LINK, mail))
    got = citizen.answers(receipt, service.root / "answer")
    checks.that("the receipt's return link opens it, byte-identical",
                got.returncode == 0 and same(notice, service.root / "answer" / notice.name))
    checks.that("signed by the department, and said so; it keeps the file number",
                "Unterschrieben von: Bauamt" in got.stdout and "BV-2026/0815" in got.stdout)
    by_link = service.fetch(re.search(world.LINK, mail).group(1), service.root / "by-link",
                            "--return-link-file", receipt, check=False)
    checks.that("so do the mail's link and the return link together",
                by_link.returncode == 0 and same(notice, service.root / "by-link" / notice.name))
    service.wait_mails(DEPARTMENT, "Ihre Nachricht wurde abgerufen")
    checks.that("the department hears that it was fetched", True)
    other = citizen.send(plan(service.root / "second.pdf"))
    foreign = citizen.answers(receipt, service.root / "foreign", "--transfer", other.transfer)
    strange = citizen.answers(other.receipt, service.root / "foreign")
    checks.that("a return link opens nothing of another transfer",
                foreign.returncode == 6 and strange.returncode == 0
                and not list((service.root / "foreign").glob("*")))
    again = citizen.send(plan(service.root / "einspruch.pdf"), more=["--reference", "BV-2026/0815"])
    checks.that("the citizen writes again, and the department may answer that too",
                staff.reply(again.transfer, "--message", "Wird geprüft.").returncode == 0
                and citizen.answers(again.receipt, service.root / "again").returncode == 0)


def answer_outlives(service, checks):
    """The answer has an expiry of its own."""
    citizen, staff = people.Citizen(service), people.Staff(service)
    first = citizen.send(plan(service.root / "kurz.pdf"), more=["--expires", "2d"])
    notice = plan(service.root / "bescheid-2.pdf")
    staff.reply(first.transfer, notice, "--message", "Später gelesen.", "--expires", "20d")
    service.pass_time(3 * people.DAY)
    world.wait_until(lambda: citizen.status(first.receipt).get("exit") == 6,
                     what="the end of the first transfer")
    got = citizen.answers(first.receipt, service.root / "outlived")
    checks.that("an answer arrives though the transfer that it answers is purged",
                got.returncode == 0 and same(notice, service.root / "outlived" / notice.name))


def first_contact(service, checks):
    staff, notice = people.Staff(service), plan(service.root / "anhoerung.pdf")
    sent = staff.write_to(CITIZEN, notice, "--message", "Bitte um Stellungnahme", "--receipt",
                          service.root / "amt.json")
    if not checks.that("the department writes to a citizen first", sent.returncode == 0):
        print(said(sent))
    words = re.search(people.PASSWORD, sent.stderr).group(1).strip()
    mail = service.wait_mails(CITIZEN, "Eine Nachricht liegt bereit")[0].get_content()
    checks.that("a password is shown to be told by phone, and stands in no mail",
                words not in mail and "am Telefon" in mail)
    link, password = re.search(world.LINK, mail).group(1), service.root / "told"
    password.write_text(words + "\n")
    got = service.fetch(link, service.root / "first", "--password-file", password, check=False)
    checks.that("the citizen opens it with link and password; the department is named as signer",
                got.returncode == 0 and "Unterschrieben von: Bauamt" in got.stdout
                and same(notice, service.root / "first" / notice.name))
    password.write_text("ein anderes Passwort als gesagt\n")
    wrong = service.fetch(link, service.root / "wrong", "--password-file", password, check=False)
    checks.that("and not with another password", wrong.returncode == 5)
    to_staff = staff.write_to(CLERK, notice, "--message", "x")
    checks.that("the authority's own addresses are no citizens", to_staff.returncode == 9)
    told = service.wait_mails(DEPARTMENT, "Ihre Nachricht wurde abgerufen", 2)
    checks.that("the department hears that it was fetched", told)


def who_may_write(service, checks):
    """One side is always the authority; a clerk without a key proves her address like a citizen."""
    wire = wires.Wire(service)
    request = lambda: {"tid": os.urandom(16).hex(), "citizen": CITIZEN, "body_len": wires.PLAIN,
                       "expiry_days": 7, "fetch_sha256": wires.b64url(bytes(32)),
                       "manage_sha256": wires.b64url(bytes(32))}
    status, told = wire.post("/v1/transfers", request(), wire.verified_session(CLERK))
    checks.that("a clerk with a verified address may write to a citizen", status == 201)
    status, told = wire.post("/v1/transfers", request(), wire.verified_session(world.SENDER))
    checks.that("a citizen may not", status == 403 and told["code"] == "address_not_allowed")


def mails(service, checks):
    texts = [str(mail) + mail.get_content() for mail in service.mails()]
    checks.that(f"none of {len(texts)} mails holds names, numbers, messages or file names",
                len(texts) > 30 and not any(word in text for word in NEVER_IN_MAILS
                                            for text in texts))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    service = people.Service(parser.parse_args().build)
    service.more_config = ("[expiry]\nextend = true\n[policy]\nlink_allowed = true\n"
                           + clerk_steps.CONFIG)
    with service:
        transfer, receipt = to_department(service, checks)
        to_clerk(service, checks)
        answer(service, checks, transfer, receipt)
        first_contact(service, checks)
        link_steps.all_of_them(service, checks)
        who_may_write(service, checks)
        clerk_steps.all_of_them(service, checks)
        answer_outlives(service, checks)
        later_steps.all_of_them(service, checks)
        clerk_steps.nowhere(service, checks)
        mails(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
