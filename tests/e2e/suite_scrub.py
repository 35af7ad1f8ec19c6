#!/usr/bin/env python3
"""Relays whose pieces are missing or damaged: back to all copies by themselves, told, and whoever
fetches meanwhile gets exact bytes or a clear error.

Each fault strikes one and two of three relays, while nobody asks and while a recipient fetches; in
the short form it strikes one of them idle and two during a fetch, or the other way round; the thorough
form does what the short one left out.
"""
import argparse
import contextlib
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
from disk_faults import (PIECE, PLACES, flipped, new_folder, partly_wiped, truncated, wiped,
                         zeroed)
import form
import several
import world
from probes import Stopped

SIZES = (34_000_000, 5_000_000, 200_000)
CROSSED = (((1, False), (2, True)), ((1, True), (2, False)))  # relays struck, during a fetch
EACH = ((1, False), (1, True), (2, False), (2, True))
LOST_MINUTES = 3
LOST_SUBJECT = "Ihre Nachricht ging verloren: bitte senden Sie noch einmal"


def plan(path, size):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


class Sent:
    """A transfer that all relays hold, and how its volumes look at each of them."""

    def __init__(self, service, name, size):
        self.service, self.file = service, plan(service.root / f"{name}.pdf", size)
        links = service.links()
        done = service.send(self.file)
        self.receipt = done.receipt
        self.link, self.tid = service.new_link(links), service.tid_of(done.receipt)
        self.volumes = len(service.members[0].described(self.tid))
        service.wait_copies(self.tid, self.volumes)
        self.bytes = self.held(service.members[0])

    def held(self, member):
        return {file.name: file.read_bytes() for file in member.volume_files(self.tid)}

    def is_exact(self, member):
        return (len(member.described(self.tid)) == self.volumes
                and self.held(member) == self.bytes)


class Relays:
    """The service, what was sent, and the questions that follow each fault."""

    def __init__(self, service, checks, seed):
        self.service, self.checks = service, checks
        self.random = random.Random(seed)
        self.sent = [Sent(service, f"plan-{number}", size) for number, size in enumerate(SIZES)]
        self.number = self.in_the_middle = self.fetches = 0
        service.wait_status(copies_wanted=0, copies_missing=0)

    def status(self, name):
        return self.service.status()[name]

    def told(self):
        """What administrators see of damage and loss so far."""
        now = self.service.status()
        return now["damaged_found"], now["copies_lost"]

    def scrub(self, members):
        for member in members:
            self.service.run(self.service.relay_program, "scrub", "--config", member.config,
                             "--now")

    def healed(self):
        """All copies are back and nothing is left to do, as files and status say."""
        try:
            now = self.service.status()
        except (OSError, ValueError):
            return False
        good = all(now[name] == 0 for name in ("copies_wanted", "copies_missing",
                                               "transfers_without_copy", "transfers_lost"))
        return good and all(one.is_exact(member) for one in self.sent
                            for member in self.service.members)

    def start_fetch(self, lanes=2):
        self.number += 1
        target = self.service.root / f"in-{self.number}"
        link = self.service.root / f"link-{self.number}"
        link.write_text(self.sent[0].link + "\n")
        command = [self.service.client, "fetch", "--link-file", link, "-o", target, "--key",
                   self.service.key, "--passphrase-file", self.service.passphrase, "--ca",
                   self.service.ca, "--via", "https", "--lanes", lanes, "--no-progress"]
        process = subprocess.Popen([str(part) for part in command], env=self.service.env(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return process, target

    @contextlib.contextmanager
    def fetching(self, when):
        """Stops a client in the middle of its fetching, and lets it go on after the block."""
        process, target = self.start_fetch()
        arrived = lambda: process.poll() is not None or any(
            part.stat().st_size for part in target.glob("*.part"))
        world.wait_until(arrived, what="the first bytes at the recipient")
        process.send_signal(signal.SIGSTOP)
        self.fetches += 1
        self.in_the_middle += process.poll() is None
        yield
        process.send_signal(signal.SIGCONT)
        stdout, stderr = process.communicate(timeout=600)
        exact = (process.returncode == 0 and
                 (target / self.sent[0].file.name).read_bytes() == self.sent[0].file.read_bytes())
        if not exact:
            print("   ", process.returncode, stdout[-300:], stderr[-300:])
        self.checks.that(f"who fetches while {when} gets exact bytes", exact)
        shutil.rmtree(target, ignore_errors=True)

    def fetch_exactly(self, what):
        process, target = self.start_fetch(lanes=3)  # each relay is asked
        stdout, stderr = process.communicate(timeout=600)
        exact = (process.returncode == 0 and
                 (target / self.sent[0].file.name).read_bytes() == self.sent[0].file.read_bytes())
        if not exact:
            print("   ", process.returncode, stdout[-300:], stderr[-300:])
        self.checks.that(what, exact)
        shutil.rmtree(target, ignore_errors=True)

    def victims(self, count):
        """Another part of the relays each time; the one beside the control plane is one of them."""
        return self.random.sample(self.service.members, count)

    def volume_files(self, member):
        return [file for one in self.sent for file in member.volume_files(one.tid)]


# (fault, name, the relay is stopped for it)
FAULTS = ((wiped, "without its volume files", True), (new_folder, "with an empty disk", True),
          (partly_wiped, "without some volume files", True),
          (partly_wiped, "that loses some files as it runs", False),
          (truncated, "with cut files", True), (truncated, "whose files are cut as it runs", False),
          (zeroed, "with 16 KiB of zeros in each file", False),
          (flipped, f"with bits flipped in {PLACES} places", False))


def strike(relays, fault, stopped, victims):
    for member in victims:
        if stopped:
            member.stop()
        fault(relays, member)
    for member in victims:
        if stopped:
            member.start()


def one_fault(relays, fault, name, stopped, count, busy):
    victims = relays.victims(count)
    before = relays.told()
    when = f"{count} of three relays {'is one' if count == 1 else 'are ones'} {name}"
    with relays.fetching(when) if busy else contextlib.nullcontext():
        strike(relays, fault, stopped, victims)
    if not stopped:
        relays.scrub(victims)
    begun = time.monotonic()
    told = several.happens(lambda: relays.told() > before or relays.told()[1] > before[1], 120)
    healed = several.happens(relays.healed, 180)
    how = "during a fetch" if busy else "idle"
    relays.checks.that(f"{when}, {how}: told, and back to three copies by itself", told and healed)
    print(f"    {time.monotonic() - begun:.1f} s")


def all_faults(relays):
    for number, (fault, name, stopped) in enumerate(FAULTS):
        for count, busy in form.pick(CROSSED[number % 2], CROSSED[1 - number % 2], EACH):
            one_fault(relays, fault, name, stopped, count, busy)
    relays.checks.that("most of the recipients were stopped in the middle",
                       relays.in_the_middle > relays.fetches / 2)
    print(f"    {relays.in_the_middle} of {relays.fetches} in the middle")


def every_flip_is_found(relays):
    for count in (1, 2):
        victims = relays.victims(count)
        # The control plane hears of what was found before by the next sync only.
        before = sum(member.damaged_pieces() for member in relays.service.members)
        wrong = 0
        for member in victims:
            # It may just look at a volume that somebody complained of, and heal what is not counted.
            with Stopped(member.role_pid("pieces")):
                wrong += flipped(relays, member)
        relays.scrub(victims)
        found = lambda: relays.status("damaged_found") - before
        several.happens(lambda: found() >= wrong, 120)
        healed = several.happens(relays.healed, 180)
        relays.checks.that(f"all {wrong} pieces with a flipped bit at {count} of three relays are "
                           f"found ({found()}), no other, and healed", healed and found() == wrong)


def found_by_reading(relays):
    """Without any scrub: who reads finds the damage, and the relay hears of it."""
    for count in (1, 2):
        victims = relays.victims(count)
        before = relays.status("damaged_found")
        for member in victims:
            for file in member.volume_files(relays.sent[0].tid):
                with open(file, "r+b") as out:
                    for at in range(100, file.stat().st_size, PIECE):
                        out.seek(at)
                        out.write(bytes(7))
        relays.fetch_exactly(f"{count} of three relays have a wrong byte in each piece: exact bytes "
                             "from the others")
        relays.checks.that("they heard of it from the recipient, and heal",
                           several.happens(lambda: relays.status("damaged_found") > before, 60)
                           and several.happens(relays.healed, 180))


def outdated(relays):
    """The data of relays is an old copy: newer transfers are missing, an ended one is back."""
    service = relays.service
    for count, busy in form.pick(CROSSED[0], CROSSED[1], EACH):
        victims = service.members[1:1 + count]
        ending = Sent(service, f"withdrawn-{count}-{busy}", 300_000)
        for member in victims:
            member.stop()
            shutil.copytree(member.data, member.folder / "old", symlinks=True,
                            ignore=shutil.ignore_patterns("*.sock"))
            member.start()
        service.wait_live(3)
        relays.sent.append(Sent(service, f"newer-{count}-{busy}", 700_000))
        service.run(service.client, "revoke", ending.receipt, "--yes", "--ca",
                    service.ca, env=service.env())
        service.wait_status(purged_not_confirmed=0)
        lost = relays.status("copies_lost")
        when = f"{count} of three relays has an old copy of its data"
        with relays.fetching(when) if busy else contextlib.nullcontext():
            for member in victims:
                member.stop()
                shutil.rmtree(member.data)
                (member.folder / "old").rename(member.data)
            for member in victims:
                member.start()
        told = several.happens(lambda: relays.status("copies_lost") >= lost + count, 60)
        healed = several.happens(relays.healed, 180)
        gone = several.happens(lambda: not any(member.volume_files(ending.tid)
                                               for member in victims), 60)
        how = "during a fetch" if busy else "idle"
        relays.checks.that(f"{when}, {how}: told, and the newer transfer comes back", told and healed)
        relays.checks.that("what was withdrawn since is deleted from it", gone)


def restarts(relays):
    before = relays.told()
    for member in relays.service.members:
        member.kill()
        member.start()
    relays.service.wait_live(3)
    time.sleep(3)  # some syncs; nothing is waited for, since nothing shall happen
    relays.checks.that("relays that are killed and started again lose no copy", relays.healed()
                       and relays.told() == before)


def wrong_records(relays):
    """A bit of a descriptor's MAC falls in the index: no relay can see that, the content root can."""
    member = relays.service.members[1]
    tid, lied = relays.sent[0].tid, relays.status("relays_lied")
    right = member.descriptor(tid, 1)
    member.stop()
    with contextlib.closing(sqlite3.connect(member.data / "pieces/index.db")) as index:
        wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
        index.execute("UPDATE volume SET descriptor = ? WHERE tid = ? AND n = 1", (wrong, tid))
        index.commit()
    member.start()
    told = several.happens(lambda: relays.status("relays_lied") == lied + 1, 60)
    healed = several.happens(lambda: relays.healed() and member.descriptor(tid, 1) == right, 120)
    relays.checks.that("a relay that signs for other content is counted, not trusted, and gets the "
                       "right records again", told and healed)


def together(relays):
    """Each relay has lost other pieces: none has all, but they have it together."""
    tid = relays.sent[0].tid
    file = relays.service.members[0].volume_files(tid)[0].name
    for place, member in enumerate(relays.service.members):
        with open(member.data / "pieces" / tid / file, "r+b") as out:
            for piece in (place, place + 20):
                out.seek(piece * PIECE + 1_000)
                out.write(bytes(100))
    relays.fetch_exactly("no relay has all, each lacks other pieces: exact bytes from all together")
    relays.scrub(relays.service.members)
    relays.checks.that("and they make it whole again, each from the others",
                       several.happens(relays.healed, 180))


def status_of(service):
    return service.run(service.relay_program, "status", "--config", service.config, check=False)


def lost(relays):
    service, sent = relays.service, relays.sent[1]
    relays.checks.that("status ends well while all is well", status_of(service).returncode == 0)
    for member in service.members:
        for file in member.volume_files(sent.tid):
            with open(file, "r+b") as out:
                out.seek(PIECE)
                out.write(bytes(PIECE))
    fetch = lambda name, *more: service.fetch_as_department(
        sent.link, service.root / name, "--retries", "1", *more, check=False)
    first = fetch("lost-1")
    relays.checks.that("nobody has it any more: a clear error, no file", first.returncode in (3, 7, 8)
                       and first.stderr.strip() and not list((service.root / "lost-1").glob("*.pdf")))
    relays.scrub(service.members)
    service.wait_status(transfers_without_copy=1, transfers_lost=0)
    now = status_of(service)
    relays.checks.that("administrators see it at once, by status and its exit code",
                       now.returncode == 3 and "transfers_without_copy 1" in now.stdout)
    service.clock.write_text(str(LOST_MINUTES * 60 + 10))
    service.wait_status(transfers_lost=1)
    mail = world.wait_until(lambda: [mail for mail in service.mails()
                                     if mail["Subject"] == LOST_SUBJECT], what="the sender's mail")
    relays.checks.that("the sender is asked to send again, once", len(mail) == 1
                       and "noch einmal" in mail[0].get_content()
                       and world.SENDER in str(mail[0]["To"]))
    second = fetch("lost-2", "--json")
    english = service.fetch(sent.link, service.root / "lost-3", "--key", service.key,
                            "--passphrase-file", service.passphrase, check=False,
                            env={"LANG": "en_GB.UTF-8"})
    relays.checks.that("the recipient reads that it is lost, in German and English",
                       second.returncode == english.returncode == 6
                       and "verloren" in second.stderr and "lost" in english.stderr)
    state = service.run(service.client, "status", sent.receipt, "--ca", service.ca,
                        "--json", env=service.env())
    relays.checks.that("the sender's status says so, too", '"lost":true' in state.stdout
                       .replace(" ", ""))
    relays.fetch_exactly("another transfer is not touched by that")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--only", help="one part, by the name of its function")
    options = parser.parse_args()
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"SEED={seed}", flush=True)
    checks = counting.Checks()
    service = several.SeveralRelays(options.build)
    service.limits = {**service.limits, "lost_minutes": LOST_MINUTES}
    with service:
        relays = Relays(service, checks, seed)
        once = (every_flip_is_found, found_by_reading, restarts, wrong_records, together, lost)
        for part in (all_faults, outdated, *(once if form.FIRST else ())):
            if options.only in (None, part.__name__):
                part(relays)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
