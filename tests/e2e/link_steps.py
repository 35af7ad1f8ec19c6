"""Transfers that their link alone opens: both ways, by real mails, and where they are forbidden."""
import hashlib
import os
import pathlib
import re

import canaries
import people
import wire as wires
import world
from people import CLERK, DEPARTMENT, plan, said, same

CITIZEN = "dora@buerger.example"
WHOLE = world.LINK[:-1] + r"\.([\w-]{43}))"  # with the secret
SUBJECT = "Eine Nachricht wartet auf Ihren Link"


def all_of_them(service, checks):
    for step in (to_clerk, resumed, to_citizen):
        print(f"   {step.__name__} by link", flush=True)
        step(service, checks)


def holds(folder, words):
    """Names of files below it with one of the words; those that go meanwhile hold none."""
    return [file.name for file in world.files_in(folder, "**/*")
            if any(word in canaries.file_content(file) for word in words)]


def to_clerk(service, checks):
    citizen, sent = people.Citizen(service, CITIZEN), plan(service.root / "lageplan.pdf")
    done = citizen.send(sent, to=CLERK, more=["--by-link"])
    shown = re.findall(WHOLE, done.stderr)
    checks.that("the whole link is shown once, with the warning", len(shown) == 1
                and "Geben Sie ihn selbst weiter" in done.stderr and "asswort" not in done.stderr)
    whole, secret = shown[0]
    mail = service.wait_mails(CLERK, SUBJECT)[-1]
    text = str(mail) + mail.get_content()
    checks.that("the clerk's mail has the plain link and the end, and names nobody",
                whole.startswith(done.link + ".") and secret not in text and CITIZEN not in text
                and mail["Reply-To"] is None and re.search(r"\d\d\.\d\d\.\d{4}", text))
    plain = service.fetch(done.link, service.root / "plain", check=False)
    key = people.Staff(service).fetch(done.link, service.root / "plain")
    checks.that("the mail's link alone opens nothing, and the clerk reads what is missing",
                all(one.returncode == 5 and "vollständigen Link" in one.stderr
                    for one in (plain, key)) and not (service.root / "plain").exists())
    opened = service.fetch(whole, service.root / "whole", check=False)
    checks.that("the whole link opens it without password or key, byte-identical",
                opened.returncode == 0 and same(sent, service.root / "whole" / sent.name)
                and f"{citizen.name} <{CITIZEN}>" in opened.stdout)
    service.wait_mails(CITIZEN, "Ihre Nachricht wurde abgerufen")
    state = citizen.status(done.receipt)
    checks.that("the state says fetched, not signed; the receipt is as good as any",
                state["state"] == "fetched" and not state["signed"] and service.plankurier(
                    "verify", done.receipt, check=False).returncode == 0)
    raw = secret.encode(), wires.b64url_bytes(secret)
    found = holds(service.data, raw) + [log.name for log in service.root.glob("*.log")
                                        if any(word in log.read_bytes() for word in raw)]
    checks.that("the secret is in no file of the servers, in no log, and not in the receipt",
                not found and secret not in pathlib.Path(done.receipt).read_text() or print(found))


def resumed(service, checks):
    """Killed when the transfer is available, before its link was shown."""
    citizen, sent = people.Citizen(service, CITIZEN), plan(service.root / "schnitt.pdf")
    for point in ("finished", "receipt"):
        before = service.links()
        killed = citizen.start(sent, to=CLERK, more=["--by-link"], env={
            "PLANKURIER_FAULT": f"cli.send.{point}=kill@1"}).end(check=False)
        state = service.home / "state/plankurier/send"
        kept = [folder for folder in state.iterdir() if (folder / "state.json").exists()]
        checks.that(f"a kill at {point} keeps the state, for its owner's eyes only",
                    killed.returncode == -9 and not re.search(WHOLE, said(killed))
                    and [(one / "state.json").stat().st_mode & 0o777 for one in kept] == [0o600])
        again = service.plankurier("send", "--resume", check=False)
        whole = re.findall(WHOLE, again.stderr)
        link = world.wait_until(lambda: [one for key, one in service.links().items()
                                         if key not in before], what="the notice")[0]
        target = service.root / f"after-{point}"
        checks.that("send --resume shows the link, which opens it; then the state is gone",
                    again.returncode == 0 and len(whole) == 1 and whole[0][0].startswith(link + ".")
                    and service.fetch(whole[0][0], target, check=False).returncode == 0
                    and same(sent, target / sent.name) and not any(one.exists() for one in kept)
                    or print(said(again)))


def to_citizen(service, checks):
    staff, notice = people.Staff(service), plan(service.root / "ladung.pdf")
    file, told = service.root / "whole-link", len(service.mails_to(DEPARTMENT, "abgerufen"))
    sent = staff.write_to(CITIZEN, notice, "--message", "Bitte um Stellungnahme", "--by-link",
                          "--link-file", file)
    checks.that("a department writes first by link; the file for it is the sender's alone",
                sent.returncode == 0 and re.fullmatch(WHOLE + "\n", file.read_text())
                and file.stat().st_mode & 0o777 == 0o600 and not re.search(WHOLE, said(sent))
                or print(said(sent)))
    mail = service.wait_mails(CITIZEN, SUBJECT)[-1].get_content()
    link = re.search(world.LINK, mail).group(1)
    checks.that("the citizen's mail has the plain link only",
                file.read_text().startswith(link + ".") and not re.search(WHOLE, mail))
    opened = service.plankurier("fetch", "--link-file", file, "-o", service.root / "ladung",
                                check=False)
    checks.that("the whole link opens it; the department is named as signer",
                opened.returncode == 0 and "Unterschrieben von: Bauamt" in opened.stdout
                and same(notice, service.root / "ladung" / notice.name))
    service.wait_mails(DEPARTMENT, "abgerufen", told + 1)
    checks.that("the department hears that it was fetched", True)


def forbidden(service, checks, rules):
    """The rule `policy.link_allowed`, which is off unless an operator sets it."""
    file, session = plan(service.root / "plan.pdf"), rules.wire.verified_session(world.SENDER)
    rules.client("a link to a clerk where none is allowed", 9, "link_not_allowed",
                 rules.sender()(file, to=CLERK, more=["--by-link"]))
    rules.client("a link to a citizen where none is allowed", 9, "link_not_allowed",
                 lambda env: people.Staff(service).write_to(
                     CITIZEN, file, "--message", "x", "--by-link", "--json", env=env))
    rules.relay("a transfer by link where none is allowed", 403, "link_not_allowed",
                rules.create(session, staff=CLERK, by_link=True))
    tid, manage = os.urandom(16), os.urandom(32)
    made, _, _ = rules.create(session, staff=CLERK, tid=tid.hex(), manage_sha256=wires.b64url(
        hashlib.sha256(manage).digest()))
    put = lambda opens: rules.wire.ask(
        service.server, "PUT", "/v1/envelope", wires.envelope(tid, wires.PLAIN, opens),
        {"Plankurier-Transfer": tid.hex(), "Plankurier-Manage": wires.b64url(manage)})
    rules.relay("an envelope that a link opens, announced as another", 403, "link_not_allowed",
                put(wires.LINK))
    checks.that("any other envelope is taken", made == 201 and put(wires.P256)[0] == 204)
