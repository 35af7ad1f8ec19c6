#!/usr/bin/env python3
"""The independent reader and sender (tests/independent) against vectors, client and live service.

Written from docs/protocol.md, it shares no code with the C++. Every test vector comes out as
stated; every kind of stanza, answers and signatures included, goes both ways between it and the
command-line client, through a real relay behind nginx.
"""
import argparse
import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
try:
    import argon2  # noqa: F401  of Debian, like cryptography; another Python may lack it
except ModuleNotFoundError:
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

sys.path[:0] = [str(HERE), str(HERE.parent)]
import checks as counting
import wire as wires
import world
from independent import client, envelope, kem, keys, links, octets, records, vectors
from people import CLERK, PASSWORD, Citizen, Staff, events, plan, said

CITIZEN = "berta@buerger.example"
PHRASE = "ein langer Satz nur fuer diesen Test"
KINDS = {"bauamt": kem.P256, "umwelt": kem.X25519}
CONFIG = (f'[departments.umwelt]\nmail = "umwelt@{world.STAFF_DOMAIN}"\n'
          "[policy]\nlink_allowed = true\n")
SHOWN = {"bauamt": "Unterschrieben von: Bauamt", "umwelt": "Unterschrieben von: Umwelt"}


def every_vector(checks):
    refusals, fine, differing = 0, 0, []
    for file in sorted((HERE.parent / "vectors/v1").glob("*.json")):
        vector = json.loads(file.read_text())
        found = vectors.run(vector)
        if found != (vector["expect"], vector["out"]):
            differing.append((file.name, found[0], vector["expect"]))
        fine, refusals = fine + (vector["expect"] == "ok"), refusals + (vector["expect"] != "ok")
    checks.that(f"{fine} vectors come out the same without our code", fine >= 125 and not differing)
    checks.that(f"{refusals} are refused with the code that they state",
                refusals >= 220 and not differing or print(*differing, sep="\n"))


class Party:
    """The department's key as the client made it, opened without the client."""

    def __init__(self, service, ident, file):
        self.ident, self.file = ident, file
        self.seed, self.kind = keys.open_key_file(file.read_bytes(), PHRASE)
        self.public = keys.key_pair(self.seed, self.kind)[1]
        self.signing = keys.signing_seed(self.seed)
        self.staff = Staff(service, file, department=ident)

    def stanza(self, anonymous=False):
        return envelope.key_stanza(self.kind, self.public, anonymous)

    def way(self):
        return envelope.by_seed(self.seed, self.kind)


class Trial:
    def __init__(self, world_, checks):
        self.world, self.checks = world_, checks
        self.parties = {"bauamt": Party(world_, "bauamt", world_.key)}
        for name, more in (("umwelt", ["--department", "umwelt", "--name", "Umwelt", "--type", "x25519"]),
                           ("escrow", ["--escrow", "--name", "Hinterlegung"])):
            file, record = world_.root / f"{name}.key", world_.root / f"{name}.json"
            world_.plankurier("keygen", *more, "-o", file, "--record", record, "--passphrase-file",
                              world_.passphrase)
            world_.run(world_.relay_program, "directory", "add", "--config", world_.config, record)
            self.parties[name] = Party(world_, name, file)
        world_.publish(serial=2)
        wire = wires.Wire(world_)
        self.service = client.Service(wire.call, world_.server,
                                      (world_.root / "root.pub").read_text())
        self.session = self.address_session(world.SENDER)
        self.number = 0

    def address_session(self, address):
        before = self.world.code_mails(address)
        new = lambda: [code for key, code in self.world.code_mails(address).items()
                       if key not in before]
        return self.service.session_of_address(
            address, lambda: world.wait_until(new, what="code mail")[-1])

    def files(self, large=False):
        """Two files; `large`: more than one volume."""
        self.number += 1
        sizes = (17_000_000 if large else 700_000, 23)
        return [(f"Plan Nord {self.number}.pdf", b"%PDF-1.7\n" + os.urandom(sizes[0]),
                 "application/pdf"),
                ("Foto.jpg", b"\xff\xd8\xff\xe0" + os.urandom(sizes[1]), "image/jpeg")]

    def paths(self, files):
        folder = self.world.root / f"out-{self.number}"
        folder.mkdir()
        for name, content, _ in files:
            (folder / name).write_bytes(content)
        return [folder / name for name, _, _ in files]

    def target(self):
        self.number += 1
        return self.world.root / f"in-{self.number}"

    def notice(self, address, sent):
        """The notice's link; the mail tells nothing else that names the transfer."""
        link = self.world.mail_to(address, world.LINK).group(1)
        return links.transfer_link(link)[1]

    def outgoing(self, to, stanzas, files, **more):
        sender = {"name": "Änne Grün", "email": world.SENDER, "reference": "BV-1"}
        return client.Outgoing(to, stanzas, files, "Anbei die Pläne.", sender, **more)

    def secret_file(self, text):
        self.number += 1
        file = self.world.root / f"secret-{self.number}"
        file.write_text(text + "\n")
        return file


def arrived(done, files, target):
    good = done.returncode == 0 and all(
        (target / name).is_file() and (target / name).read_bytes() == content
        for name, content, _ in files)
    return good or print(said(done))


def contents(files):
    return {name: content for name, content, _ in files}


def to_departments(trial):
    for ident, kind in KINDS.items():
        party, name = trial.parties[ident], vectors.KIND_NAMES[kind]
        files, target = trial.files(large=ident == "bauamt"), trial.target()
        sent = client.send(trial.service, trial.session, trial.outgoing(
            {"department": ident}, [party.stanza()], files))
        done = party.staff.fetch_from_inbox(sent.tid.hex(), target)
        trial.checks.that(f"a {name} stanza of ours is opened by the client, byte-identical",
                          arrived(done, files, target) and "BV-1" in done.stdout
                          and f"Änne Grün <{world.SENDER}>" in done.stdout)
        status = trial.service.control("GET", "/v1/transfers/status", headers=sent.rights)
        raw = trial.service.control("GET", "/v1/transfers/history", headers=sent.rights)["history"]
        tid, entries = records.check_history(octets.b64url_bytes(raw), trial.service.directory.record_key)
        trial.checks.that("the state says fetched and signed; the signed history says it too",
                          status["fetched"] and status["signed"] and tid == sent.tid
                          and [one["event"] for one in entries][0] == 1
                          and (4, 1) in [(one["event"], one["detail"]) for one in entries])

        paths, citizen = trial.paths(files := trial.files()), Citizen(trial.world)
        done = trial.world.send(*paths, to=ident)
        transfer = bytes.fromhex(json.loads(pathlib.Path(done.receipt).read_text())["transfer"])
        session = trial.service.session_of_department(ident, party.seed, party.kind)
        listed = [one["tid"] for one in trial.service.inbox(session)]
        got = client.fetch(trial.service, client.from_inbox(session, transfer), party.way(),
                           party.signing)
        told = citizen.status(done.receipt)
        trial.checks.that(f"a {name} stanza of the client is opened by us, found in the inbox",
                          transfer.hex() in listed and got.files == contents(files)
                          and got.email == world.SENDER and got.signed_by is None
                          and got.opened.manifest["to"]["dept"] == ident)
        trial.checks.that("our signed report counts as the department's",
                          told["state"] == "fetched" and told["signed"])
        by_escrow = client.fetch(trial.service, client.from_inbox(session, transfer),
                                 trial.parties["escrow"].way())
        trial.checks.that("the escrow key opens it as well", by_escrow.files == got.files)
        answers(trial, ident, got, transfer, session, done.receipt)


def answers(trial, ident, got, transfer, session, receipt):
    """To the client's citizen by us; to our citizen by the client's department."""
    party, (kind, public) = trial.parties[ident], got.opened.reply
    name, files, target = vectors.KIND_NAMES[kind], trial.files(), trial.target()
    answer = trial.outgoing({"citizen": world.SENDER, "inbox": keys.inbox_of(kind, public).hex()},
                            [envelope.key_stanza(kind, public)], files, signer=party.signing,
                            is_answer=True)
    client.send(trial.service, session, answer)
    done = Citizen(trial.world).answers(receipt, target)
    trial.checks.that(f"our signed answer to a {name} return key is opened by the client",
                      arrived(done, files, target) and SHOWN[ident] in done.stdout)

    seed = os.urandom(32)
    reply = kind, keys.key_pair(seed, kind)[1]
    first = client.send(trial.service, trial.session, trial.outgoing(
        {"department": ident}, [party.stanza(anonymous=True)], [], reply=reply))
    paths = trial.paths(files := trial.files())
    replied = party.staff.reply(first.tid.hex(), *paths, "--message", "Der Bescheid.")
    inbox = trial.service.session_of_inbox(seed, kind)
    waiting = [bytes.fromhex(one["tid"]) for one in trial.service.inbox(inbox)]
    trial.checks.that("the client answers our return key, of a transfer whose stanza names no key",
                      len(waiting) == 1 or print(said(replied)))
    read = client.fetch(trial.service, client.from_inbox(inbox, waiting[0]),
                        envelope.by_seed(seed, kind))
    trial.checks.that(f"its answer to our {name} return key is opened by us, signed by {ident}",
                      read.files == contents(files) and read.opened.is_answer
                      and read.opened.manifest["message"] == "Der Bescheid."
                      and read.signed_by == ident)


def with_password(trial):
    files, target, password = trial.files(), trial.target(), "Kranich-Grün-42-Füße"
    client.send(trial.service, trial.session, trial.outgoing(
        {"staff": CLERK}, [envelope.password_stanza(password)], files))
    link = trial.world.notice_link(CLERK)
    wrong = trial.world.fetch(link, target, "--password-file", trial.secret_file("ein anderes"),
                              check=False)
    done = trial.world.fetch(link, target, "--password-file", trial.secret_file(password), check=False)
    trial.checks.that("a password stanza of ours is opened by the client, by that password alone",
                      arrived(done, files, target) and wrong.returncode == 5)
    paths = trial.paths(files := trial.files())
    other = f"herr.blau@{world.STAFF_DOMAIN}"
    done = trial.world.send(*paths, to=other)
    password = re.search(PASSWORD, done.stderr).group(1).strip()
    where = client.by_link_id(trial.notice(other, done))
    got = client.fetch(trial.service, where, envelope.by_password(password))
    trial.checks.that("a password stanza of the client is opened by us",
                      got.files == contents(files) and got.opened.manifest["to"]["dept"] == "")
    trial.checks.that("and not by another password", client.refused(lambda: client.fetch(
        trial.service, where, envelope.by_password("ein anderes"))) == "wrong_password")


def by_link(trial):
    files, target, secret = trial.files(), trial.target(), os.urandom(32)
    sent = client.send(trial.service, trial.session, trial.outgoing(
        {"staff": CLERK, "by_link": True}, [envelope.link_stanza(secret)], files))
    whole = links.make_transfer_link(trial.world.server, sent.link_id(), secret)
    done = trial.world.fetch(whole, target, check=False)
    trial.checks.that("a link stanza of ours is opened by the client", arrived(done, files, target))
    paths = trial.paths(files := trial.files())
    file = trial.world.root / "whole-link"
    trial.world.send(*paths, to=CLERK, more=["--by-link", "--link-file", file])
    _, ident, secret = links.transfer_link(file.read_text().strip())
    got = client.fetch(trial.service, client.by_link_id(ident), envelope.by_link(secret))
    trial.checks.that("a link stanza of the client is opened by us", got.files == contents(files))


def first_contact(trial):
    """An authority writes first: signed, with a password."""
    party, password = trial.parties["umwelt"], "Amsel-Blau-17-Brücke"
    session = trial.service.session_of_department("umwelt", party.seed, party.kind)
    files, target = trial.files(), trial.target()
    client.send(trial.service, session, trial.outgoing(
        {"citizen": CITIZEN}, [envelope.password_stanza(password)], files, signer=party.signing))
    link = trial.world.mail_to(CITIZEN, world.LINK).group(1)
    done = trial.world.fetch(link, target, "--password-file", trial.secret_file(password), check=False)
    trial.checks.that("our first contact by password is opened by the client, as the department's",
                      arrived(done, files, target) and SHOWN["umwelt"] in done.stdout)
    other, paths = "carla@buerger.example", trial.paths(files := trial.files())
    sent = party.staff.write_to(other, *paths, "--message", "Bitte um Stellungnahme")
    password = re.search(PASSWORD, sent.stderr).group(1).strip()
    got = client.fetch(trial.service, client.by_link_id(trial.notice(other, sent)),
                       envelope.by_password(password))
    trial.checks.that("the client's first contact is opened by us, as the department's",
                      got.files == contents(files) and got.signed_by == "umwelt"
                      and not got.opened.is_answer)


def several(trial):
    one, other = trial.parties["bauamt"], trial.parties["umwelt"]
    files = trial.files()
    sent = client.send(trial.service, trial.session, trial.outgoing(
        {"department": "bauamt", "also": ["umwelt"]}, [one.stanza(), other.stanza()], files))
    for party in (one, other):
        target = trial.target()
        done = party.staff.fetch_from_inbox(sent.tid.hex(), target)
        trial.checks.that(f"one transfer of ours to two departments is opened by {party.ident}",
                          arrived(done, files, target))
    paths = trial.paths(files := trial.files())
    done = trial.world.send(*paths, to="bauamt", more=["--to", "umwelt"])
    transfer = bytes.fromhex(json.loads(pathlib.Path(done.receipt).read_text())["transfer"])
    for party in (one, other):
        session = trial.service.session_of_department(party.ident, party.seed, party.kind)
        got = client.fetch(trial.service, client.from_inbox(session, transfer), party.way())
        trial.checks.that(f"one of the client is opened by us as {party.ident}, named in `kids`",
                          got.files == contents(files) and keys.kid_of(
                              party.kind, party.public).hex() in got.opened.manifest["to"]["kids"])


def key_files(trial):
    """Key files and wraps of each are read by the other."""
    party = trial.parties["umwelt"]
    ours, target = trial.world.root / "ours.key", trial.target()
    ours.write_bytes(keys.seal_key_file(party.seed, party.kind, PHRASE))
    ours.chmod(0o600)
    files = trial.files()
    sent = client.send(trial.service, trial.session, trial.outgoing(
        {"department": "umwelt"}, [party.stanza()], files))
    done = Staff(trial.world, ours, department="umwelt").fetch_from_inbox(sent.tid.hex(), target)
    trial.checks.that("a key file that we wrote is opened by the client", arrived(done, files, target))
    folder = trial.world.root / "member"
    folder.mkdir()
    trial.world.plankurier("members", "new", "-o", folder / "own.key", "--record", folder / "own.json",
                           "--passphrase-file", trial.world.passphrase)
    trial.world.plankurier("members", "wrap", *party.staff.key, "--member", folder / "own.json", "-o",
                           folder / "wrap")
    member, _ = keys.open_key_file((folder / "own.key").read_bytes(), PHRASE)
    raw = (folder / "wrap").read_bytes()
    trial.checks.that("a member's wrap of the client is opened by us",
                      keys.open_member_wrap(raw, member)[:2] == (party.seed, party.kind))


def refusals(trial):
    """What the client must not take from a sender who follows the form and lies."""
    party, inbox = trial.parties["bauamt"], os.urandom(32)
    citizen = kem.P256, keys.key_pair(inbox, kem.P256)[1]
    session = trial.service.session_of_department("bauamt", party.seed, party.kind)
    for name, signer, shown in (("by nobody", None, True), ("by a stranger", os.urandom(32), False)):
        sent = client.send(trial.service, session, trial.outgoing(
            {"citizen": CITIZEN, "inbox": keys.inbox_of(*citizen).hex()},
            [envelope.key_stanza(*citizen)], trial.files(), signer=signer, is_answer=True))
        link = links.make_return_link(trial.world.server, inbox, kem.P256)
        done = trial.world.plankurier("fetch", "--return-link-file", trial.secret_file(link),
                                      "--transfer", sent.tid.hex(), "-o", trial.target(), check=False)
        told = said(done)
        good = ("von keinem Sachgebiet unterschrieben" in told and done.returncode == 0 if shown
                else done.returncode != 0 and "Anbei die Pläne" not in told)
        trial.checks.that(f"an answer signed {name} is "
                          f"{'shown with a warning' if shown else 'shown to nobody'}",
                          good or print(told))
    weak = kem.X25519, bytes(32)
    sent = client.send(trial.service, trial.session, trial.outgoing(
        {"department": "bauamt"}, [party.stanza()], trial.files(), reply=weak))
    done = party.staff.fetch_from_inbox(sent.tid.hex(), trial.target(), "--json")
    trial.checks.that("a transfer with a return key of low order is refused as a whole",
                      [one.get("code") for one in events(done, "error")] == ["malformed"]
                      and "Anbei die Pläne" not in said(done) or print(said(done)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    every_vector(checks)
    service = world.World(parser.parse_args().build)
    service.more_config = CONFIG
    with service:
        trial = Trial(service, checks)
        for step in (to_departments, with_password, by_link, first_contact, several, key_files,
                     refusals):
            print(f"   {step.__name__}", flush=True)
            step(trial)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
