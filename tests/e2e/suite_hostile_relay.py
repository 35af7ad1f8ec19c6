#!/usr/bin/env python3
"""Relays that flip, truncate, swap or stall pieces: exact bytes or a clear error, never other bytes."""
import argparse
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import hostile
import several

PIECE = 262_144
WAYS = ("flip", "truncate", "stall", "swap")


def plan(path, size):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


class Case:
    """One transfer that every relay holds, fetched again and again."""

    def __init__(self, service, checks, members=None, size=34_000_000, volumes=3):
        """`members`: the relays that are up; all of them unless said."""
        self.service, self.checks, self.volumes = service, checks, volumes
        self.file = plan(service.root / "plan.pdf", size)
        links = service.links()
        done = service.send(self.file)
        self.link, self.tid = service.new_link(links), service.tid_of(done.receipt)
        service.wait_copies(self.tid, volumes, members)
        self.whole = {file: file.read_bytes() for member in service.members
                      for file in member.volume_files(self.tid)}
        self.number = 0

    def fetch(self, via, *more):
        self.number += 1
        self.via, self.target = via, self.service.root / f"in-{self.number}"
        return self.service.fetch_by(via, self.link, self.target, *more, check=False)

    def exact(self, done):
        """Everything arrived the way it was to come, some of it at least, and nothing else."""
        names = [path.name for path in self.target.iterdir()]
        return self._said(done, done.returncode == 0
                          and done.events[-1]["via"].startswith(self.via)
                          and names == [self.file.name]
                          and (self.target / self.file.name).read_bytes()
                          == self.file.read_bytes())

    def refused(self, done, codes):
        """A clear error, and no file under its final name."""
        return self._said(done, done.returncode in codes and done.stderr.strip()
                          and not (self.target / self.file.name).exists())

    def _said(self, done, good):
        if not good:
            print("   ", self.via, done.returncode, done.stderr[-400:],
                  [event for event in done.events if event["event"] not in ("progress", "message")])
        return good

    def spoil(self, member, way):
        """Overwrites what a relay holds, as its administrator could."""
        for file in member.volume_files(self.tid):
            whole = self.whole[file]
            if way == "flip":  # one bit in each piece
                content = bytearray(whole)
                for at in range(1_000, len(whole), PIECE):
                    content[at] ^= 1
            elif way == "swap":
                content = whole[PIECE:2 * PIECE] + whole[:PIECE] + whole[2 * PIECE:]
            else:
                content = whole[:len(whole) // 2]
            with open(file, "r+b") as out:  # in place: the relay has it open
                out.write(content)
                out.truncate(len(content))

    def heal(self, member):
        for file in member.volume_files(self.tid):
            with open(file, "r+b") as out:
                out.write(self.whole[file])


def in_front(case, lines):
    """What comes by HTTPS is altered on its way."""
    for way in WAYS:
        before = lines[1].cheated
        lines[1].mode = way
        done = case.fetch("https")
        case.checks.that(f"one relay of three would {way} pieces: exact bytes by HTTPS",
                         case.exact(done) and lines[1].cheated > before)
    for first, second in (("flip", "swap"), ("truncate", "stall")):
        lines[1].mode, lines[2].mode = first, second
        done = case.fetch("https")
        case.checks.that(f"two relays of three would {first} and {second}: the honest one is enough",
                         case.exact(done))
    lines[1].mode = lines[2].mode = "honest"


def told_of_liar(case, lines):
    lines[1].mode = "flip"
    done = case.fetch("https")
    lines[1].mode = "honest"
    case.checks.that("the recipient is told which relay delivers wrong bytes, once",
                     accused(done) == 1)


def accused(done):
    return [event["event"] for event in done.events].count("relay_lied")


def on_disk(case):
    """What lies there was altered after *stored*, so swarm and HTTPS both give it."""
    _, second, third = case.service.members
    for way in ("flip", "truncate", "swap"):
        case.spoil(second, way)
        one = case.fetch("swarm")
        case.checks.that(f"one relay holds pieces with a {way}: exact bytes by swarm",
                         case.exact(one))
        case.spoil(third, way)
        two = case.fetch("swarm")
        case.checks.that(f"two relays hold pieces with a {way}: the honest one is enough by swarm",
                         case.exact(two))
        case.checks.that("no honest relay is accused", accused(one) <= 1 and accused(two) <= 2)
        case.heal(second)
        case.heal(third)


def stalled_swarm(case):
    held = case.service.members[1].role_pid("swarm")
    os.kill(held, signal.SIGSTOP)
    try:
        case.checks.that("a swarm process that says nothing more stops nobody",
                         case.exact(case.fetch("swarm")))
    finally:
        os.kill(held, signal.SIGCONT)


def nobody_honest(case):
    # Relays that have noticed it give nothing any more.
    for way, ways, codes in (("flip", ("https", "swarm"), (7, 8)), ("swap", ("swarm",), (7, 8)),
                             ("truncate", ("https",), (7, 8))):
        for member in case.service.members:
            case.spoil(member, way)
            member.kill_role("swarm")  # it may have the right bytes in memory
        for member in case.service.members:
            member.wait_up()
        for via in ways:
            done = case.fetch(via, "--retries", "0")
            case.checks.that(f"all relays hold pieces with a {way}: a clear error by {via}, no file",
                             case.refused(done, codes))
        for member in case.service.members:
            case.heal(member)
    service = case.service
    for member in service.members:
        service.run(service.relay_program, "scrub", "--config", member.config, "--now")
    service.wait_copies(case.tid, case.volumes)
    case.checks.that("healed, the same link gives the file",
                     case.exact(case.fetch("swarm")) and case.exact(case.fetch("https")))


def copied_from_liar(service, checks):
    """A relay that was away gets its copy from two others, one of which holds wrong bytes."""
    honest, liar, away = service.members
    away.stop()
    case = Case(service, checks, [honest, liar])
    case.spoil(liar, "flip")
    away.start()
    came = several.happens(lambda: service.copied(case.tid, case.volumes), 180)
    theirs = [file.read_bytes() for file in honest.volume_files(case.tid)]
    ours = [file.read_bytes() for file in away.volume_files(case.tid)]
    checks.that("a relay that was away gets the right bytes, though one of two others lies",
                came and len(ours) == case.volumes and ours == theirs)


def boasting(service, checks, lines):
    """A relay says that it has a volume whole whose descriptor it never took: nobody can copy it."""
    before, links = lines[1].cheated, service.links()
    file = plan(service.root / "boasted.pdf", 34_000_000)
    lines[1].mode = "boast"
    done = service.send(file, check=False)
    lines[1].mode = "honest"
    checks.that("a relay that says what is not so holds up a sending for a minute, not for ever",
                lines[1].cheated > before and done.returncode == 0
                and "bestätigt, dass er alles hat" in done.stderr and done.seconds < 300
                or print(lines[1].cheated - before, done.returncode, done.stderr[-400:]))
    if done.returncode == 0:
        service.fetch_by("https", service.new_link(links), service.root / "boasted")
        checks.that("and everything has arrived",
                    (service.root / "boasted" / file.name).read_bytes() == file.read_bytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    lines = {}

    def line(number):
        def made(port):
            lines[number] = hostile.HostileLine(port)
            return lines[number]
        return made
    with several.SeveralRelays(build, lines={1: line(1), 2: line(2)}) as service:
        boasting(service, checks, lines)
        case = Case(service, checks)
        in_front(case, lines)
        told_of_liar(case, lines)
        on_disk(case)
        stalled_swarm(case)
        nobody_honest(case)
        copied_from_liar(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
