"""Clerks with a key of their own, beside departments, and the escrow key: each step as people do it."""
import json
import pathlib
import re

import canaries
import people
import world
from people import DEPARTMENT, plan, said, same

ANNA = f"anna.lindgruen@{world.STAFF_DOMAIN}"
SHOWN = f"Anna Lindgrün <{ANNA}>"
DEPUTY = f"vertretung@{world.STAFF_DOMAIN}"
CONFIG = f'[departments.vertretung]\nmail = "{DEPUTY}"\n'
NOTICE = "Eine vertrauliche Nachricht wartet"
ESCROW = "Hinterlegung im Tresor"


def all_of_them(service, checks):
    anna, deputy = register(service, checks)
    several(service, checks, anna, deputy)
    by_address(service, checks, anna)
    escrow(service, checks)
    nowhere(service, checks)
    left(service, checks)


def directory(service, *verb):
    return service.run(service.relay_program, "directory", verb[0], "--config", service.config,
                       *verb[1:])


def make_key(service, name, *whose, department):
    key, record = service.root / f"{name}.key", service.root / f"{name}.json"
    made = service.plankurier("keygen", *whose, "-o", key, "--record", record,
                              "--passphrase-file", service.passphrase)
    directory(service, "add", record)
    return people.Staff(service, key, department=department), said(made)


def register(service, checks):
    """A deputy department, and Anna, whose key is born at her computer."""
    deputy, _ = make_key(service, "vertretung", "--department", "vertretung", "--name", "Vertretung",
                         department="vertretung")
    anna, told = make_key(service, "anna-eigen", "--clerk", ANNA, "--name", "Anna Lindgrün",
                          department=ANNA)
    service.publish(serial=2)
    record = json.loads((service.root / "anna-eigen.json").read_text())
    listed = directory(service, "list").stdout
    shown = service.plankurier("departments").stdout
    checks.that("a clerk is registered under an id that tells nothing, and listed openly",
                re.fullmatch(r"clerk-[0-9a-f]{16}", record["id"]) and record["id"] in told
                and f"{record['id']}\tAnna Lindgrün\t{ANNA}" in listed
                and f"{ANNA}\tAnna Lindgrün" in shown)
    return anna, deputy


def several(service, checks, anna, deputy):
    citizen, file = people.Citizen(service), plan(service.root / "an-drei.pdf")
    before = {address: len(service.mails_to(address, NOTICE)) for address in (DEPARTMENT, DEPUTY, ANNA)}
    sent = citizen.send(file, more=["--to", "vertretung", "--to", ANNA])
    mails = {address: service.wait_mails(address, NOTICE, count + 1)[-1].get_content()
             for address, count in before.items()}
    checks.that("one transfer to department, deputy and clerk: all three get the notice, of one link",
                all(sent.link in text and "Passwort" not in text for text in mails.values()))
    receipt = json.loads(pathlib.Path(sent.receipt).read_text())
    checks.that("the receipt names all three, and no password was needed",
                receipt["recipient"] == f"bauamt, vertretung, {SHOWN}" and "escrow" not in receipt
                and "Passwort" not in sent.stderr)
    for name, staff in (("department", people.Staff(service)), ("deputy", deputy),
                        ("clerk", anna)):
        listed = sent.transfer in staff.inbox()
        target = service.root / f"drei-{name}"
        fetched = staff.fetch_from_inbox(sent.transfer, target)
        checks.that(f"the {name} lists it and opens it with the own key",
                    listed and fetched.returncode == 0 and same(file, target / file.name))
    state = citizen.status(sent.receipt)
    checks.that("fetched, and signed for", state["fetched"] and state["signed"])
    other = people.Citizen(service).send(plan(service.root / "nicht-an-anna.pdf"))
    checks.that("what does not go to the clerk is not hers", other.transfer not in anna.inbox()
                and anna.fetch(other.link, service.root / "fremd").returncode == 5)
    answered = anna.reply(sent.transfer, "--department", ANNA, "--message", "Ich kümmere mich.")
    read = citizen.answers(sent.receipt, service.root / "anna-antwort")
    checks.that("the clerk answers by the own key; the citizen sees who has signed",
                answered.returncode == 0 and f"Unterschrieben von: {SHOWN}" in read.stdout
                and "ACHTUNG" not in read.stderr)
    told = service.wait_mails(ANNA, "Ihre Nachricht wurde abgerufen")
    checks.that("and hears that it was fetched", len(told) == 1)


def by_address(service, checks, anna):
    citizen, file = people.Citizen(service), plan(service.root / "an-anna.pdf")
    sent = citizen.send(file, to=ANNA)
    checks.that("who types her address alone needs no password either",
                "Passwort" not in sent.stderr and not re.search(people.PASSWORD, sent.stderr)
                and anna.fetch(sent.link, service.root / "zu-anna").returncode == 0
                and same(file, service.root / "zu-anna" / file.name))
    words = citizen.send(file, to=ANNA, more=["--password"])
    checks.that("unless the sender wants one", re.search(people.PASSWORD, words.stderr)
                and anna.fetch(words.link, service.root / "wort").returncode == 5)
    mixed = citizen.send(file, to=ANNA, more=["--to", people.CLERK], check=False)
    checks.that("a typed address without a key stands alone, and the client says what to do",
                mixed.returncode == 2 and "keinen Schlüssel im Verzeichnis" in mixed.stderr)


def escrow(service, checks):
    holder, _ = make_key(service, "hinterlegung", "--escrow", "--name", ESCROW, department="bauamt")
    service.publish(serial=3)
    citizen, file = people.Citizen(service), plan(service.root / "hinterlegt.pdf")
    sent = citizen.send(file, more=["--to", ANNA])
    told = sent.stderr.find(f"mit ihrem Hinterlegungsschlüssel „{ESCROW}“")
    checks.that("the sender is told of the escrow key before anything is sent",
                0 <= told < sent.stderr.find("Ein Code ist unterwegs"))
    checks.that("and by the receipt", f"Auch die Behörde selbst kann sie öffnen, mit „{ESCROW}“"
                in sent.stdout
                and json.loads(pathlib.Path(sent.receipt).read_text())["escrow"] == ESCROW)
    fetched = holder.fetch(sent.link, service.root / "tresor")
    state = citizen.status(sent.receipt)
    checks.that("the escrow key opens it; the sender sees that, without a recipient's signature",
                fetched.returncode == 0 and same(file, service.root / "tresor" / file.name)
                and state["fetched"] and not state["signed"])
    checks.that("it has no inbox", not holder.inbox())
    own = people.Staff(service).fetch(sent.link, service.root / "trotzdem")
    checks.that("the department opens it all the same, and signs",
                own.returncode == 0 and citizen.status(sent.receipt)["signed"])
    by_word = citizen.send(file, to=people.CLERK)
    checks.that("a password transfer is not for the escrow key",
                "Hinterlegung" not in said(by_word)
                and holder.fetch(by_word.link, service.root / "nie").returncode == 5)
    directory(service, "remove", "escrow")
    service.publish(serial=4)
    plain = citizen.send(file)
    checks.that("without one in the directory nothing is said of it",
                "Hinterlegung" not in said(plain)
                and holder.fetch(plain.link, service.root / "nie").returncode == 5)


def nowhere(service, checks):
    """Her address stands in the directory that all may read, and in no other file of the relay."""
    secret = canaries.Canaries({"clerk": ANNA.partition("@")[0], "whole": ANNA})
    listed = service.data / "directory"
    files = [file for file in service.relay.rglob("*") if file.is_file()
             and listed not in file.parents]
    hits = secret.in_files(*files, service.root / "nginx", service.root / "relay.log",
                           service.root / "nginx.log")
    checks.that(f"in none of {len(files)} files of the relay but the directory, in no log",
                len(files) > 10 and (not hits or print(hits)) and secret.in_files(listed))


def left(service, checks):
    record = json.loads((service.root / "anna-eigen.json").read_text())
    directory(service, "end", record["id"])
    service.publish(serial=5)
    file = plan(service.root / "zu-spaet.pdf")
    for more in ([], ["--to", "bauamt"]):
        late = people.Citizen(service).send(file, to=ANNA, more=more, check=False)
        checks.that("nothing goes to a clerk who has left, and the client says so",
                    late.returncode == 6 and f"{SHOWN} hat keinen gültigen Schlüssel" in late.stderr)
    checks.that("the others are written to as before",
                people.Citizen(service).send(file).returncode == 0)
