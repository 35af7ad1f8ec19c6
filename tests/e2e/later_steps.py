"""What sender and recipient may do with a transfer after it was sent, each step as people do it."""
import json
import pathlib
import re
import shutil

import people
import wire as wires
import world
from people import CLERK, DAY, DEPARTMENT, HOUR, plan, said, same

SITTING = ("Ihre Nachricht ist noch nicht abgerufen", "Eine vertrauliche Nachricht wartet noch")


def all_of_them(service, checks):
    for step in (reminders, expiry, resend, report, remembered, never_again, proofs, members):
        print(f"   {step.__name__}", flush=True)
        step(service, checks)


def reminders(service, checks):
    """Two transfers wait, one with the wishes and one without; a third with them is fetched."""
    wishes = ["--notify-unfetched", "--remind-recipient", "--expires", "7d"]
    patient, other, quick = (people.Citizen(service, f"{name}@buerger.example")
                             for name in ("geduld", "ohne.wunsch", "schnell"))
    file = plan(service.root / "liegt.pdf")
    waits, _, taken = (patient.send(file, more=wishes), other.send(file, more=["--expires", "7d"]),
                       quick.send(file, more=wishes))
    people.Staff(service).fetch(taken.link, service.root / "taken")
    asked = len(service.mails_to(DEPARTMENT, SITTING[1]))
    service.pass_time(4 * DAY - HOUR)
    service.settle()
    checks.that("three days and an hour before its end nobody is reminded",
                len(service.mails_to(DEPARTMENT, SITTING[1])) == asked
                and not service.mails_to(patient.address, SITTING[0]))
    service.pass_time(2 * HOUR)
    reminder = service.wait_mails(DEPARTMENT, SITTING[1], asked + 1)[-1].get_content()
    checks.that("then the recipient is, with the same link",
                re.search(world.LINK, reminder).group(1) == waits.link)
    service.pass_time(DAY)
    warned = service.wait_mails(patient.address, SITTING[0])
    number = json.loads(pathlib.Path(waits.receipt).read_text())["receipt_number"]
    checks.that("two days before the end the sender is told, by the receipt's number",
                number in warned[0].get_content())
    service.pass_time(DAY)
    service.settle()
    checks.that("each once, and only where that was wished and nobody had fetched",
                len(service.mails_to(DEPARTMENT, SITTING[1])) == asked + 1
                and len(service.mails_to(patient.address, SITTING[0])) == 1
                and not service.mails_to(other.address, SITTING[0])
                and not service.mails_to(quick.address, SITTING[0]))
    service.pass_time(2 * DAY)
    service.wait_mails(patient.address, "Ihre Nachricht wurde nicht abgerufen")
    service.wait_mails(other.address, "Ihre Nachricht wurde nicht abgerufen")
    service.settle()
    checks.that("at the end the sender hears that it was not fetched, unless it was",
                len(service.mails_to(patient.address, "wurde nicht abgerufen")) == 1
                and not service.mails_to(quick.address, "wurde nicht abgerufen"))


def change(service, receipt, days, **env):
    return service.plankurier("expire", receipt, "--days", days, "--json", check=False, env=env)


def expiry(service, checks):
    citizen = people.Citizen(service)
    sent = citizen.send(plan(service.root / "frist.pdf"), more=["--expires", "14d"])
    link, before = sent.link, citizen.status(sent.receipt)["expires"]
    shorter = change(service, sent.receipt, 3)
    now = citizen.status(sent.receipt)["expires"]
    checks.that("the sender shortens the expiry, and the state shows it",
                shorter.returncode == 0 and abs(before - now - 11 * DAY) < 60
                and people.events(shorter, "expiry")[0]["expires"] == now)
    longer = change(service, sent.receipt, 30)
    checks.that("and lengthens it, where the authority allows that",
                longer.returncode == 0
                and abs(citizen.status(sent.receipt)["expires"] - now - 27 * DAY) < 60)
    too_long = change(service, sent.receipt, 61)
    service.pass_time(10 * DAY)
    in_all = change(service, sent.receipt, 55)
    checks.that("not beyond the longest time, counted from the beginning",
                too_long.returncode == in_all.returncode == 2)
    service.pass_time(12 * DAY)
    checks.that("it is there after its first end", people.Staff(service).fetch(
        link, service.root / "longer").returncode == 0)
    change(service, sent.receipt, 1)
    service.pass_time(DAY + HOUR)
    world.wait_until(lambda: citizen.status(sent.receipt).get("exit") == 6, what="the new end")
    late = people.Staff(service).fetch(link, service.root / "too-late")
    checks.that("and gone at the new one", late.returncode == 6
                and change(service, sent.receipt, 1).returncode == 6)


def resend(service, checks):
    citizen = people.Citizen(service)
    again = lambda: service.plankurier("resend", sent.receipt, check=False)
    sent = citizen.send(plan(service.root / "nochmal.pdf"), to=CLERK)
    link = sent.link
    copies = lambda: [mail for mail in service.mails_to(CLERK) if link in mail.get_content()]
    soon = again()
    checks.that("a notice is not sent again at once", soon.returncode == 4
                and "zu früh" in soon.stderr)
    for number in range(1, 4):
        service.pass_time(601)
        done = again()
        world.wait_until(lambda: len(copies()) == 1 + number, what="another notice")
        checks.that(f"after ten minutes it goes out again, with the same link ({number})",
                    done.returncode == 0 and str(3 - number) in said(done))
    service.pass_time(601)
    often = again()
    service.settle()
    checks.that("three times at most", often.returncode == 4 and len(copies()) == 4)


def report(service, checks):
    citizen, staff = people.Citizen(service), people.Staff(service)
    sent = citizen.send(plan(service.root / "bedenklich.pdf"), more=["--remind-recipient"])
    link, target = sent.link, service.root / "withheld"
    link_file = service.root / "reported-link"
    link_file.write_text(link + "\n")
    done = service.plankurier("report", "--link-file", link_file, *staff.key, check=False)
    checks.that("the recipient reports a transfer", done.returncode == 0)
    state = citizen.status(sent.receipt)
    words = service.plankurier("status", sent.receipt)
    checks.that("the sender sees that it is withheld, in words too", state["state"] == "withheld"
                and "vom Empfänger zurückgehalten" in words.stdout and "gemeldet" in words.stderr)
    by_link, by_inbox = staff.fetch(link, target), staff.fetch_from_inbox(sent.transfer, target)
    checks.that("nobody reads it any more: not by link, not from the inbox, which lists it not",
                by_link.returncode == by_inbox.returncode == 6
                and sent.transfer not in staff.inbox() and not target.exists())
    refused = [service.plankurier("resend", sent.receipt, check=False),
               change(service, sent.receipt, 2)]
    checks.that("and the sender can neither resend nor lengthen it",
                [one.returncode for one in refused] == [1, 1])
    pieces = lambda: (service.data / "pieces" / sent.transfer).exists()
    checks.that("its pieces wait for the end", pieces())
    held_tickets(service, checks)
    service.pass_time(15 * DAY)
    world.wait_until(lambda: not pieces(), what="the end of what was reported")
    checks.that("with its end it is gone", citizen.status(sent.receipt).get("exit") == 6)


def held_tickets(service, checks):
    """Who has begun to fetch gets no new ticket, and the old one reads nothing any more."""
    raw = wires.RawTransfer(wires.Wire(service)).send(service.pieces_url)
    raw.finish([service.pieces_url])
    ticket, _ = raw.ticket(raw.as_recipient)
    before, _ = raw.read_piece(service.pieces_url, ticket)
    status, _ = raw.wire.post("/v1/transfers/report", {}, raw.as_recipient)
    new, told = raw.wire.post("/v1/tickets", {}, raw.as_recipient)
    checks.that("who reads just then gets no further ticket", before == 200 and status == 204
                and new == 404 and told["code"] == "not_found")
    put, told = raw.wire.post("/v1/tickets", {}, raw.as_sender)
    checks.that("nor does the sender", put == 409 and told["code"] == "conflict")
    late = world.wait_until(  # the relay hears of it with its next sync
        lambda: (status := raw.read_piece(service.pieces_url, ticket)[0]) != 200 and status, 5,
        what="the end of a ticket")
    checks.that("and the old one reads nothing within seconds", late == 404)


def remembered(service, checks):
    """A second transfer without a code, on this computer, for as long as was said."""
    citizen, file = people.Citizen(service, "oft@buerger.example"), plan(service.root / "oft.pdf")
    codes = lambda: len(service.mails_to(citizen.address, "Ihr Bestätigungscode"))
    first = citizen.send(file, more=["--remember-days", "7"])
    checks.that("who asks for it is told how long the address stays verified",
                "bleibt auf diesem Rechner" in first.stderr and codes() == 1)
    again = citizen.send(file)
    checks.that("a second transfer needs no code", again.returncode == 0 and codes() == 1
                and "ein Code ist nicht nötig" in again.stderr)
    stranger = people.Citizen(service, "anders@buerger.example").send(file)
    checks.that("another address needs its own", "Ein Code ist unterwegs" in stranger.stderr)
    forgotten = citizen.send(file, more=["--remember-days", "0"])
    checks.that("what is forgotten needs a code again", codes() == 2
                and "Ein Code ist unterwegs" in forgotten.stderr)
    citizen.send(file, more=["--remember-days", "7"])
    service.pass_time(6 * DAY)
    citizen.send(file)
    checks.that("six days later it still holds", codes() == 3)
    service.pass_time(2 * DAY)
    late = citizen.send(file)
    checks.that("after seven the code comes again", late.returncode == 0 and codes() == 4)
    long = citizen.send(file, more=["--remember-days", "31"], check=False)
    checks.that("for longer than the authority allows nothing is remembered",
                long.returncode == 2)


def never_again(service, checks):
    citizen, file = people.Citizen(service, "nie.wieder@buerger.example"), plan(
        service.root / "nie.pdf")
    wire = wires.Wire(service)
    ask = lambda: wire.post("/v1/verifications", {"email": citizen.address, "language": "de"})
    before, told = ask()
    mail = service.wait_mails(citizen.address, "Ihr Bestätigungscode")[0].get_content()
    token = re.search(people.NEVER, mail).group(1)
    wrong = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    checks.that("a token that somebody made up stops nobody's mail",
                wire.post("/v1/never", {"token": wrong})[0] == 404)
    checks.that("“never write to me again” takes the link of the code mail, and may be said twice",
                [wire.post("/v1/never", {"token": token})[0] for _ in "12"] == [204, 204])
    after, told_again = ask()
    service.settle()
    checks.that("the address gets no code any more, and nobody can tell by the answer",
                before == after == 202 and told.keys() == told_again.keys()
                and len(service.mails_to(citizen.address)) == 1)
    checks.that("the address stands nowhere in the database or its log", not any(
        b"nie.wieder" in file.read_bytes() for file in service.data.glob("control.db*")))
    letter = service.root / "amt-nie.json"
    people.Staff(service).write_to(citizen.address, file, "--message", "x", "--receipt", letter)
    told = service.wait_mails(DEPARTMENT, "Ihre Nachricht ist nicht zustellbar")
    checks.that("a department that writes there is told that it did not arrive", len(told) == 1
                and people.Citizen(service).status(letter)["recipient_undeliverable"])
    lift = lambda: service.run(service.relay_program, "never", "remove", "--config",
                               service.config, stdin=open(typed))
    typed = service.root / "typed-address"
    typed.write_text(citizen.address.upper() + "\n")
    first, second = lift(), lift()
    checks.that("the administrator lifts it", "gets mail again" in first.stdout
                and "was not on the list" in second.stdout)
    checks.that("and the address gets codes again", citizen.send(file).returncode == 0)


def verify(service, file, *more):
    return service.plankurier("verify", file, *more, "--json", check=False)


def flipped(file, target, member):
    """The file with one bit of a signed value changed, at the beginning, in the middle, at the end."""
    told = json.loads(pathlib.Path(file).read_text())
    raw = wires.b64url_bytes(told[member])
    for at in (0, 30, len(raw) // 2, len(raw) - 1):
        broken = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]
        target.write_text(json.dumps({**told, member: wires.b64url(broken)}))
        yield target


def proofs(service, checks):
    """Kept files that prove themselves without the network."""
    citizen, staff, root = people.Citizen(service), people.Staff(service), service.root
    sent = citizen.send(plan(root / "beweis.pdf"))
    staff.fetch(sent.link, root / "proof", "--save", root / "message.json")
    saved, page = root / "status.json", root / "status.html"
    kept = service.plankurier("status", sent.receipt, "--save", saved, "--html", page, check=False)
    text = page.read_text()
    checks.that("the sender keeps the signed history as a file and as a page to print",
                kept.returncode == 0 and saved.is_file() and text.startswith("<!DOCTYPE html>")
                and "Nachweis einer Übertragung" in text and sent.transfer in text
                and "Abgeholt (vom Empfänger unterschrieben)" in text)
    checks.that("the page loads nothing and holds no key to the transfer",
                not re.search(r"<script|src=|href=|url\(|https?://", text) and json.loads(
                    pathlib.Path(sent.receipt).read_text())["manage"] not in text)
    service.stop("nginx")
    good = verify(service, saved)
    what = [one["what"] for one in people.events(good, "history")]
    checks.that("it is right off line: accepted, stored, available, fetched",
                good.returncode == 0 and what == [1, 2, 3, 4])
    receipt, message = verify(service, sent.receipt), verify(service, root / "message.json",
                                                             *staff.key)
    checks.that("so are the receipt, and the message that the department saved",
                receipt.returncode == message.returncode == 0)
    caught = [verify(service, file).returncode for name in (saved, sent.receipt)
              for file in flipped(name, root / "tampered.json", "history")]
    caught += [verify(service, file, *staff.key).returncode for name in ("envelope", "record")
               for file in flipped(root / "message.json", root / "tampered.json", name)]
    print(f"   {caught}")
    checks.that(f"{len(caught)} tampered files are refused", set(caught) == {8})
    foreign = json.loads(saved.read_text())
    (root / "tampered.json").write_text(json.dumps({**foreign, "transfer": "0" * 32}))
    checks.that("a history passed off as another transfer's too",
                verify(service, root / "tampered.json").returncode == 8)
    (root / "tampered.json").write_text("{}")
    checks.that("and what is no such file", verify(service, root / "tampered.json").returncode == 8)
    service.start_nginx()
    revoked = service.plankurier("revoke", sent.receipt, check=False)
    last = verify(service, sent.receipt)
    checks.that("withdrawn, the receipt keeps the history with that end", revoked.returncode == 0
                and people.events(last, "history")[-1]["what"] == 7 and last.returncode == 0)


def make_member(service, first_name):
    folder = service.root / first_name
    folder.mkdir()
    passphrase = folder / "passphrase"
    passphrase.write_text(f"der Satz von {first_name}, nur fuer den Test\n")
    service.plankurier("members", "new", "-o", folder / "own.key", "--record",
                       folder / "own.json", "--passphrase-file", passphrase)
    return folder


def members(service, checks):
    """A second member of the department opens by a wrap of its key."""
    anna, otto = make_member(service, "anna"), make_member(service, "otto")
    wrapped = service.plankurier("members", "wrap", *people.Staff(service).key, "--member",
                                 anna / "own.json", "-o", anna / "wrap", check=False)
    checks.that("a member wraps the department's key for a colleague", wrapped.returncode == 0)
    citizen, file = people.Citizen(service), plan(service.root / "kollegin.pdf")
    sent = citizen.send(file)
    by_wrap = people.Staff(service, anna / "own.key", anna / "passphrase", anna / "wrap")
    fetched = by_wrap.fetch(sent.link, anna / "in")
    checks.that("the colleague opens by the own key and the wrap, signed as the department",
                fetched.returncode == 0 and same(file, anna / "in" / file.name)
                and citizen.status(sent.receipt)["signed"])
    checks.that("lists the inbox and answers", sent.transfer in by_wrap.inbox()
                and by_wrap.reply(sent.transfer, "--message", "Gelesen.").returncode == 0
                and "Unterschrieben von: Bauamt" in citizen.answers(
                    sent.receipt, anna / "back").stdout)
    for name, staff in (
            ("the own key without the wrap", people.Staff(service, anna / "own.key",
                                                          anna / "passphrase")),
            ("another member's key with that wrap", people.Staff(
                service, otto / "own.key", otto / "passphrase", anna / "wrap"))):
        tried = staff.fetch(sent.link, otto / "in")
        checks.that(f"{name} opens nothing", tried.returncode == 5 and not staff.inbox()
                    and not (otto / "in").exists())
    broken = shutil.copy(anna / "wrap", anna / "broken")
    raw = pathlib.Path(broken).read_bytes()
    pathlib.Path(broken).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    tried = people.Staff(service, anna / "own.key", anna / "passphrase", broken).fetch(
        sent.link, otto / "in")
    checks.that("nor does a wrap that was changed", tried.returncode in (5, 8)
                and not (otto / "in").exists())
    listed = service.plankurier("members", "list", anna / "wrap", "--json")
    checks.that("the list says who shares which key",
                [one["department"] for one in people.events(listed, "member_wrap")] == ["bauamt"])
